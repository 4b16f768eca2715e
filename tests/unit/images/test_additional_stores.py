"""Stores that others keep: looked through, believed only where they are right, and never written."""

import json
import os
import shutil
from pathlib import Path

import pytest

from cntnr_compose.core.user_config import ConfigInvalid, config_file
from cntnr_compose.core.values import to_json
from cntnr_compose.images import additional_stores, quick_catalogue
from cntnr_compose.images.additional_stores import NoImageStore, choose_stores, store_folders
from cntnr_compose.images.errors import ImageReadOnly
from cntnr_compose.images.storage.collector import remove_name
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Descriptor, Index
from tests.unit.images.test_store import add

REDIS = "docker.io/library/redis:7"


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv(additional_stores.VARIABLE, "")
    monkeypatch.setattr(quick_catalogue, "MACHINE_STORE", tmp_path / "machine")


@pytest.fixture
def lab(tmp_path: Path) -> ImageStore:
    """Return a store that others keep, with one image."""
    store = ImageStore(tmp_path / "lab")
    add(store, REDIS, "lab's")
    return store


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*")}


def rewrite_index(store: ImageStore, change: dict[str, object]) -> None:
    path = store.root / "index.json"
    tree = json.loads(path.read_text())
    tree["manifests"][0] |= change
    path.write_text(json.dumps(tree))


def test_images_of_others_are_found_and_nothing_is_written_there(lab: ImageStore) -> None:
    before = snapshot(lab.root)
    choose_stores([str(lab.root)])
    store = ImageStore()
    image = store.require("redis:7")
    assert (image.store, image.ref) == (str(lab.root), REDIS)
    assert store.config(image)["mark"] == "lab's"
    layer = store.manifest(image).layers[0]
    assert store.blob_path(layer.digest).is_relative_to(lab.root)
    assert store.own_images() == ()
    assert ImageStore().require(image.id[7:19]).id == image.id
    assert snapshot(lab.root) == before


def test_a_listing_reads_one_small_file_for_each_store(
    lab: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_stores([str(lab.root)])
    first = ImageStore().list()
    monkeypatch.setattr(additional_stores.AdditionalStore, "read_blob", pytest.fail)
    monkeypatch.setattr(additional_stores.AdditionalStore, "read_index", pytest.fail)
    assert ImageStore().list() == first


def test_what_changed_there_is_seen(lab: ImageStore) -> None:
    choose_stores([str(lab.root)])
    assert len(ImageStore().list()) == 1
    add(lab, "docker.io/library/web:1", "new")
    assert {image.ref for image in ImageStore().list()} == {REDIS, "docker.io/library/web:1"}


def test_stores_come_first_but_for_what_was_named_later(
    lab: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_stores([str(lab.root)])
    monkeypatch.setattr("time.time", lambda: 5000.5)
    own = add(ImageStore(), REDIS, "mine")
    assert ImageStore().require(REDIS).id != own.id
    # skopeo writes no time: that of the index counts.
    rewrite_index(lab, {"annotations": {"org.opencontainers.image.ref.name": REDIS}})
    os.utime(lab.root / "index.json", (5000.9, 5000.9))
    assert ImageStore().require(REDIS).id == own.id
    assert [image.ref for image in ImageStore().list()] == [REDIS]


def test_the_first_store_wins_of_several(lab: ImageStore, tmp_path: Path) -> None:
    other = ImageStore(tmp_path / "other")
    newer = add(other, REDIS, "other's")
    choose_stores([str(lab.root), str(other.root)])
    assert ImageStore().require(REDIS).id != newer.id
    choose_stores([str(other.root), str(lab.root)])
    assert ImageStore().require(REDIS).id == newer.id


def test_where_stores_are_named(lab: ImageStore, tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    config_file().parent.mkdir(parents=True)
    config_file().write_text(f'[images]\nadditional-stores = ["{tmp_path}/set"]\n')
    assert store_folders() == (tmp_path / "set", machine)
    choose_stores([str(lab.root)])
    assert store_folders() == (lab.root, tmp_path / "set", machine)


def test_wrong_settings_do_not_keep_containers_from_being_stopped() -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text("[image]\n")
    with pytest.raises(ConfigInvalid):
        ImageStore()
    assert ImageStore(for_containers=True).list() == ()


def test_containers_find_stores_that_only_an_earlier_command_named(
    lab: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_stores([str(lab.root)])
    image = ImageStore().require(REDIS)
    monkeypatch.setenv(additional_stores.VARIABLE, "")
    assert ImageStore().find(REDIS) is None
    assert ImageStore(for_containers=True).find_by_id(image.id) is not None


def test_what_is_only_read_is_not_removed(lab: ImageStore) -> None:
    choose_stores([str(lab.root)])
    with pytest.raises(ImageReadOnly, match=r"redis:7: it lies in .*/lab, which is only read"):
        remove_name("redis:7")
    add(ImageStore(), "docker.io/library/a:1")
    assert remove_name("a:1")
    assert ImageStore().require("redis:7")


def test_short_names_as_skopeo_writes_them(lab: ImageStore) -> None:
    rewrite_index(lab, {"annotations": {"org.opencontainers.image.ref.name": "box:1.0"}})
    choose_stores([str(lab.root)])
    assert ImageStore().require("box:1.0").ref == "docker.io/library/box:1.0"


def test_an_index_of_several_platforms(lab: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    image = lab.require(REDIS)
    foreign = add(lab, "docker.io/library/foreign:1", "foreign")
    inner = Index(
        manifests=tuple(
            Descriptor(
                media_type="application/vnd.oci.image.manifest.v1+json",
                digest=digest,
                size=1,
                platform={"os": "linux", "architecture": machine},
            )
            for digest, machine in ((foreign.manifest, "sparc"), (image.manifest, "amd64"))
        )
    )
    kind = "application/vnd.oci.image.index.v1+json"
    blob = lab.write_blob(to_json(inner), kind)
    rewrite_index(lab, {"mediaType": kind, "digest": blob.digest, "size": blob.size})
    choose_stores([str(lab.root)])
    monkeypatch.setattr(additional_stores, "host_platform", lambda: "linux/amd64")
    assert ImageStore().require(REDIS).id == image.id
    os.utime(lab.root / "index.json", (9, 9))
    monkeypatch.setattr(additional_stores, "host_platform", lambda: "linux/riscv64")
    assert ImageStore().find(REDIS) is None


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "sha256:../../../../etc/passwd"},
        {"digest": "md5:" + "0" * 32},
        {"digest": "sha256:" + "0" * 64},
        {"annotations": {"org.opencontainers.image.ref.name": "UPPER"}},
        {"annotations": {}},
        {
            "annotations": {"org.opencontainers.image.ref.name": REDIS, "cntnr.tagged": "never"},
        },
    ],
)
def test_a_wrong_entry_is_passed_over(lab: ImageStore, change: dict[str, object]) -> None:
    good = add(lab, "docker.io/library/good:1", "good")
    rewrite_index(lab, change)
    choose_stores([str(lab.root)])
    assert [image.id for image in ImageStore().list()] == [good.id]


def test_a_configuration_that_was_changed_is_not_believed(lab: ImageStore) -> None:
    image = lab.require(REDIS)
    lab.blob_path(image.id).write_bytes(b'{"config": {"Cmd": ["evil"]}}')
    choose_stores([str(lab.root)])
    assert ImageStore().list() == ()


@pytest.mark.parametrize("index", ["{", '{"manifests": [1]}', " " * (17 << 20)])
def test_a_torn_index_is_an_empty_store(lab: ImageStore, index: str) -> None:
    (lab.root / "index.json").write_text(index)
    choose_stores([str(lab.root)])
    assert ImageStore().list() == ()


def test_a_pipe_for_a_blob_does_not_block(lab: ImageStore) -> None:
    path = lab.blob_path(lab.require(REDIS).id)
    path.unlink()
    os.mkfifo(path)
    choose_stores([str(lab.root)])
    assert ImageStore().list() == ()


def test_a_store_that_went_away_is_empty(lab: ImageStore) -> None:
    choose_stores([str(lab.root)])
    shutil.rmtree(lab.root)
    assert ImageStore().list() == ()


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoImageStore, match=r"it has no index\.json"):
        choose_stores([str(tmp_path)])
    with pytest.raises(NoImageStore, match="colon"):
        choose_stores([f"{tmp_path}/a:b"])


def test_looking_takes_no_place_to_write(lab: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    choose_stores([str(lab.root)])
    monkeypatch.setattr(
        additional_stores.files, "write_value", lambda *_: (_ for _ in ()).throw(OSError(30, "ro"))
    )
    assert len(ImageStore().list()) == 1
