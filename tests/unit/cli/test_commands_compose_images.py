"""`images` lists the images of containers."""

import json

import pytest

from cntnr_compose.model.image import Image
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


def test_images_are_told_for_each_container(
    compose: Run, shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image(
        id="sha256:" + "ab" * 32,
        ref="docker.io/library/busybox:latest",
        manifest="sha256:2",
        size=2_000_000,
        created="2026-11-25T18:35:56Z",
        architecture="amd64",
    )
    monkeypatch.setattr("cntnr_compose.images.store.ImageStore.list", lambda _self: (image,))
    shop.containers = [container("web", image_id=image.id), container("db", image_id="sha256:cd")]
    rows = {
        row["ContainerName"]: row for row in json.loads(compose("images", "--format", "json").out)
    }
    assert list(rows["shop-web-1"]) == [
        "ID", "ContainerName", "Repository", "Tag", "Platform", "Size", "Created", "LastTagTime",
    ]  # fmt: skip
    assert rows["shop-web-1"]["Repository"] == "busybox"
    assert rows["shop-web-1"]["Platform"] == "linux/amd64"
    assert rows["shop-db-1"]["Tag"] == "<none>"  # its image has another name now, or none
    assert compose("images", "-q", "web").out == "ab" * 32 + "\n"
    line = next(one for one in compose("images").out.splitlines() if "web" in one)
    assert line.split()[:6] == ["shop-web-1", "busybox", "latest", "linux/amd64", "ab" * 6, "2MB"]
