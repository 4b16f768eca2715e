"""`image inspect` and `history` of images whose configurations others have written."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.cli.flows.stored_images.image_details import describe_image
from cntnr_compose.cli.flows.stored_images.image_history import history_objects
from cntnr_compose.core.values import to_json
from cntnr_compose.images.naming.lookup import find_image
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import CONFIG, MANIFEST, Manifest


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    store = ImageStore(tmp_path / "images")
    store.create_layout()
    return store


def add(store: ImageStore, tree: dict[str, Any], layers: int = 0) -> None:
    config = store.write_blob(to_json(tree), CONFIG)
    blobs = [store.write_blob(b"x" * (number + 1), "layer") for number in range(layers)]
    manifest = Manifest(config=config, layers=tuple(blobs))
    store.add("docker.io/x/a:1", store.write_blob(to_json(manifest), MANIFEST), digest="sha256:d")


def test_an_image_is_described_with_dockers_keys(store: ImageStore) -> None:
    history = [{"created_by": "a", "comment": "first"}, {"created_by": "b", "comment": "last"}]
    add(store, {"os": "linux", "architecture": "arm", "variant": "v7", "history": history})
    described = describe_image(store, find_image(store, "x/a:1"))
    assert described["RepoTags"] == ["x/a:1"]
    assert described["RepoDigests"] == ["x/a@sha256:d"]
    assert (described["Variant"], described["Comment"]) == ("v7", "last")
    assert described["Config"]["Cmd"] is None


@pytest.mark.parametrize("wrong", [5, "x", [5], {"a": 5}, [[]], None])
@pytest.mark.parametrize("key", ["history", "rootfs", "created", "architecture", "variant", "os"])
def test_what_is_of_a_wrong_type_is_passed_over(key: str, wrong: object, store: ImageStore) -> None:
    add(store, {key: wrong}, layers=1)
    chosen = find_image(store, "x/a:1")
    assert describe_image(store, chosen)["Id"] == chosen.image.id
    [*_, row] = history_objects(store, chosen.image, human=True, whole=True)
    assert row["Size"].endswith("B")


def test_history_is_told_from_the_last_instruction_on(store: ImageStore) -> None:
    history = [
        {"created_by": "ADD\t/", "created": "2026-01-01T00:00:00Z"},
        {"created_by": "ENV a", "empty_layer": True},
        {"created_by": "RUN \x1b[2J\n" + "x" * 60},
    ]
    add(store, {"history": history}, layers=3)
    rows = history_objects(store, store.list()[0], human=False, whole=False)
    assert [row["Size"] for row in rows] == ["3", "2", "0", "1"]
    assert [row["ID"][:9] for row in rows[1:]] == ["<missing>"] * 3
    assert rows[0]["CreatedBy"] == ""
    assert rows[1]["CreatedBy"] == "RUN  [2J " + "x" * 35 + "…"
    assert (rows[3]["CreatedAt"], rows[3]["CreatedBy"]) == ("2026-01-01T00:00:00Z", "ADD /")
    assert rows[2]["CreatedSince"] == "N/A"
