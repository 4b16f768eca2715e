"""Image names as users write them, and as the store and registries know them."""

import pytest

from cntnr_compose.model import image_name
from cntnr_compose.model.image_name import ImageNameInvalid

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("redis", "docker.io/library/redis:latest"),
        ("redis:7", "docker.io/library/redis:7"),
        ("me/app", "docker.io/me/app:latest"),
        ("index.docker.io/me/app:1", "docker.io/me/app:1"),
        ("docker://redis", "docker.io/library/redis:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("host:5000/a/b:1.0", "host:5000/a/b:1.0"),
        ("[::1]:5000/app", "[::1]:5000/app:latest"),
        (f"redis@{DIGEST}", f"docker.io/library/redis@{DIGEST}"),
        (f"redis:7@{DIGEST}", f"docker.io/library/redis@{DIGEST}"),
        ("oci:/tmp/layout:tag", "oci:/tmp/layout:tag"),
    ],
)
def test_names_are_completed_as_docker_does(written: str, full: str) -> None:
    assert image_name.normalize(written) == full


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("Redis", "it must be lower case"),
        ("redis:-1", '"-1" is not a tag'),
        ("redis@sha256:12", "what follows @ is not a digest"),
        ("a//b", "it is not a valid repository name"),
        ("", "it is not a valid repository name"),
    ],
)
def test_what_no_registry_takes_is_refused(written: str, why: str) -> None:
    with pytest.raises(ImageNameInvalid, match=why):
        image_name.parse(written)


def test_names_are_shown_as_docker_shows_them() -> None:
    assert image_name.familiar("docker.io/library/redis:7") == "redis:7"
    assert image_name.familiar("docker.io/me/app:1") == "me/app:1"
    assert image_name.familiar("host:5000/app:1") == "host:5000/app:1"


def test_an_id_has_at_least_four_hexadecimal_digits() -> None:
    assert image_name.id_prefix("sha256:abcd") == "abcd"
    assert image_name.id_prefix("abcdef12") == "abcdef12"
    assert image_name.id_prefix("abc") == ""
    assert image_name.id_prefix("redis") == ""
