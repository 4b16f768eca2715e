"""Which image a text names, and whether it is of a platform."""

import pytest

from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.naming import lookup
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.image_name import ImageNameInvalid

FIRST, SECOND = "sha256:abcd" + "0" * 60, "sha256:abef" + "0" * 60
DIGEST = "sha256:" + "9" * 64
IMAGES = (
    Image(id=FIRST, ref="docker.io/library/redis:7", manifest="sha256:1", digest=DIGEST),
    Image(id=FIRST, ref="docker.io/library/cafe:latest", manifest="sha256:1"),
    Image(id=SECOND, ref="", manifest="sha256:2"),
    Image(id="sha256:cafe" + "0" * 60, ref="oci:/tmp/x", manifest="sha256:3"),
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    monkeypatch.setattr(ImageStore, "list", lambda _self: IMAGES)
    return ImageStore()


@pytest.mark.parametrize(
    ("text", "identity", "by_name"),
    [
        ("redis:7", FIRST, True),
        ("docker.io/redis:7", FIRST, True),
        (f"redis@{DIGEST}", FIRST, True),
        ("cafe", FIRST, True),  # a name goes before an id
        ("abc", FIRST, False),
        (FIRST, FIRST, False),
        ("sha256:abe", SECOND, False),
        ("oci:/tmp/x", IMAGES[3].id, True),
    ],
)
def test_an_image_is_found(text: str, identity: str, by_name: bool, store: ImageStore) -> None:
    chosen = lookup.find_image(store, text)
    assert (chosen.image.id, chosen.by_name) == (identity, by_name)


def test_what_names_no_image_is_an_error(store: ImageStore) -> None:
    with pytest.raises(lookup.AmbiguousImage, match="2 images begin with it"):
        lookup.find_image(store, "ab")
    for text in ("redis", "abcde", f"redis@{DIGEST[:-1]}8", "sha256:0", "f" * 64):
        with pytest.raises(NoSuchImage):
            lookup.find_image(store, text)
    with pytest.raises(ImageNameInvalid):
        lookup.find_image(store, "Redis")
    with pytest.raises(NoSuchImage) as raised:
        lookup.find_image(store, "redit:7")
    assert raised.value.hint == "did you mean redis:7?"


@pytest.mark.parametrize(
    ("own", "platform", "matches"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux", True),
        ("linux/amd64", "amd64", True),
        ("linux/amd64", "linux/x86_64", True),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/aarch64", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/amd64", "windows/amd64", False),
        ("linux/amd64", "linux/arm64", False),
    ],
)
def test_platforms(own: str, platform: str, matches: bool) -> None:
    assert lookup.platform_matches(own, platform) is matches


@pytest.mark.parametrize("text", ["", "/", "linux/", "a/b/c/d", "linux/am d64"])
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(lookup.PlatformInvalid):
        lookup.split_platform(text)
