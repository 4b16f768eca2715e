"""Sources of mounts are identified without creating anything."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cntnr_compose.containers.bundle import source_snapshot
from cntnr_compose.core import paths
from cntnr_compose.host import files, mounts
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.project import FileSource, Project, Volume
from cntnr_compose.model.service import FileMount, Mount, Service, VolumeOptions
from cntnr_compose.volumes import store


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    files.remove_tree(paths.data())
    monkeypatch.setattr(mounts, "mount_tmpfs", pytest.fail)


def take_snapshot(
    *points: MountPoint, secret: Path | None = None, subpath: str = ""
) -> source_snapshot.SourceSnapshot:
    volumes = tuple(
        Mount(type=point.type, target=point.target, volume=VolumeOptions(subpath=subpath))
        for point in points
    )
    secrets = {"s": FileSource(key="s", file=str(secret))} if secret else {}
    service = Service(
        name="web", volumes=volumes, secrets=tuple(FileMount(source=key) for key in secrets)
    )
    record = Record(
        id="a" * 64,
        name="p-web-1",
        project="p",
        service="web",
        definition=service,
        mounts=points,
    )
    intent = Project(name="p", working_dir="/", secrets=secrets)
    context = SimpleNamespace(intent=intent, containers={})
    return source_snapshot.take_snapshot(context, record)  # type: ignore[arg-type]


def volume(name: str, **options: str) -> MountPoint:
    store.create_volume(Volume(key=name, name=name, driver_opts=options), "hash", {}, "p")
    return MountPoint(type="volume", target=f"/{name}", source=name)


def test_a_bind_is_another_when_its_file_was_replaced(tmp_path: Path) -> None:
    file = tmp_path / "file"
    point = MountPoint(type="bind", target="/file", source=str(file))
    assert not source_snapshot.is_complete(take_snapshot(point))
    file.write_text("one")
    before = take_snapshot(point)
    assert source_snapshot.is_complete(before)
    file.write_text("two")  # the same file, which the mount shows
    assert take_snapshot(point) == before
    (tmp_path / "new").write_text("three")
    (tmp_path / "new").replace(file)
    assert take_snapshot(point) != before


def test_a_secret_is_another_also_when_it_was_written_to(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert not source_snapshot.is_complete(take_snapshot(secret=file))
    file.write_text("one")
    before = take_snapshot(secret=file)
    file.write_text("three")
    assert take_snapshot(secret=file) != before


def test_volumes_are_looked_at_where_others_make_what_is_mounted(tmp_path: Path) -> None:
    plain, memory = volume("plain"), volume("memory", type="tmpfs", device="tmpfs")
    folder = volume("folder", type="none", o="bind", device=str(tmp_path / "device"))
    assert source_snapshot.is_complete(take_snapshot(plain, memory))
    assert not source_snapshot.is_complete(take_snapshot(folder))
    assert not (tmp_path / "device").exists()
    assert not source_snapshot.is_complete(take_snapshot(memory, subpath="part"))
    assert not source_snapshot.is_complete(take_snapshot(plain, subpath="part"))
    (store.mount_volume("plain") / "part").mkdir()
    assert source_snapshot.is_complete(take_snapshot(plain, subpath="part"))
