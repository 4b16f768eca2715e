"""References of imports and exports: what is said is made whole, and what says nothing is refused."""

from pathlib import Path

import pytest

from cntnr_compose.images.transports.references import destination_of, full_reference
from cntnr_compose.model.image import Image
from cntnr_compose.model.image_name import ImageNameInvalid

REDIS = Image(id="sha256:" + "a" * 64, ref="docker.io/library/redis:7", manifest="sha256:b")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    return tmp_path


@pytest.mark.parametrize(
    ("ref", "full"),
    [
        ("redis", "docker.io/library/redis:latest"),
        ("docker://localhost:5000/a", "localhost:5000/a:latest"),
        ("oci:box:1.0", "oci:{here}/box:1.0"),
        ("oci:/box", "oci:/box"),
        ("dir:~/box", "dir:/home/somebody/box"),
        ("docker-archive:a.tar:a:1", "docker-archive:{here}/a.tar:a:1"),
        ("docker-daemon:redis", "docker-daemon:redis:latest"),
        ("docker-daemon:sha256:" + "0" * 64, "docker-daemon:sha256:" + "0" * 64),
        ("containers-storage:me/a:2", "containers-storage:me/a:2"),
        ("containers-storage:[vfs@/s]me/a:2", "containers-storage:[vfs@/s]me/a:2"),
    ],
)
def test_references_are_made_whole(place: Path, ref: str, full: str) -> None:
    assert full_reference(ref) == full.format(here=place)


@pytest.mark.parametrize(
    ("destination", "full"),
    [
        ("./store", "oci:{here}/store:docker.io/library/redis:7"),
        ("/srv/images", "oci:/srv/images:docker.io/library/redis:7"),
        ("oci:store:mine", "oci:{here}/store:mine"),
        ("docker-archive:r.tar", "docker-archive:{here}/r.tar:docker.io/library/redis:7"),
        ("dir:folder", "dir:{here}/folder"),
        ("docker-daemon:", "docker-daemon:redis:7"),
        ("containers-storage:other", "containers-storage:other:latest"),
        ("docker://reg.io/redis", "reg.io/redis:latest"),
    ],
)
def test_destinations_without_a_name_get_that_of_the_image(
    place: Path, destination: str, full: str
) -> None:
    assert destination_of(REDIS, destination) == full.format(here=place)


def test_an_image_without_a_name_gets_none() -> None:
    nameless = Image(id=REDIS.id, ref="", manifest="sha256:b")
    assert destination_of(nameless, "oci:/box") == "oci:/box"
    with pytest.raises(ImageNameInvalid):
        destination_of(nameless, "docker-daemon:")


@pytest.mark.parametrize("ref", ["oci:", "dir:", "docker-daemon:UPPER", "docker-daemon:", "a b"])
def test_references_that_name_nothing_are_refused(ref: str) -> None:
    with pytest.raises(ImageNameInvalid):
        full_reference(ref)


def test_a_destination_says_its_transport() -> None:
    with pytest.raises(ImageNameInvalid, match="docker://NAME"):
        destination_of(REDIS, "somewhere")
