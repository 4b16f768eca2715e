"""What mounts come from is looked at without making anything."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from cntnr_compose.containers.bundle import configs_secrets as filemounts
from cntnr_compose.containers.bundle import source_snapshot as sources
from cntnr_compose.core import paths
from cntnr_compose.host import files, mounts
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.project import FileSource, Volume
from cntnr_compose.model.service import FileMount, Mount, Service, VolumeOptions
from cntnr_compose.volumes import store as volumes


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    files.remove_tree(paths.data())
    monkeypatch.setattr(mounts, "mount_tmpfs", pytest.fail)


def look(
    *points: MountPoint, secret: Path | None = None, subpath: str = ""
) -> sources.SourceSnapshot:
    asked = tuple(
        Mount(type=one.type, target=one.target, volume=VolumeOptions(subpath=subpath))
        for one in points
    )
    known = {"s": FileSource(key="s", file=str(secret))} if secret else {}
    service = Service(
        name="web", volumes=asked, secrets=tuple(FileMount(source=key) for key in known)
    )
    record = Record(
        id="a" * 64,
        name="p-web-1",
        project="p",
        service="web",
        definition=service,
        mounts=points,
    )
    scene = SimpleNamespace(intent=SimpleNamespace(configs={}, secrets=known), keepers={})
    return sources.take_snapshot(scene, record)  # type: ignore[arg-type]


def volume(name: str, **options: str) -> MountPoint:
    volumes.create_volume(Volume(key=name, name=name, driver_opts=options), "hash", {}, "p")
    return MountPoint(type="volume", target=f"/{name}", source=name)


def test_a_bind_is_another_when_its_file_was_replaced(tmp_path: Path) -> None:
    file = tmp_path / "file"
    point = MountPoint(type="bind", target="/file", source=str(file))
    assert not sources.is_complete(look(point))
    file.write_text("one")
    seen = look(point)
    assert sources.is_complete(seen)
    file.write_text("two")  # the same file, which the mount shows
    assert look(point) == seen
    (tmp_path / "new").write_text("three")
    (tmp_path / "new").replace(file)
    assert look(point) != seen


def test_a_secret_is_another_also_when_it_was_written_to(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert not sources.is_complete(look(secret=file))
    file.write_text("one")
    seen = look(secret=file)
    file.write_text("three")
    assert look(secret=file) != seen


def test_volumes_are_looked_at_where_others_make_what_is_mounted(tmp_path: Path) -> None:
    plain, memory = volume("plain"), volume("memory", type="tmpfs", device="tmpfs")
    folder = volume("folder", type="none", o="bind", device=str(tmp_path / "device"))
    assert sources.is_complete(look(plain, memory))
    assert not sources.is_complete(look(folder))
    assert not (tmp_path / "device").exists()
    assert not sources.is_complete(look(memory, subpath="part"))
    assert not sources.is_complete(look(plain, subpath="part"))
    (volumes.mount_volume("plain") / "part").mkdir()
    assert sources.is_complete(look(plain, subpath="part"))


def test_a_file_that_is_copied_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    source = FileSource(key="s", file=str(tmp_path / "pipe"))
    with pytest.raises(
        filemounts.ConfigSourceMissing, match="cannot be read: it is no regular file"
    ):
        filemounts._copy("secret", source, tmp_path / "pipe", tmp_path / "copy")
