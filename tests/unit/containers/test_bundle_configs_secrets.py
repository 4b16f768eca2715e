"""Configs and secrets become mounts of files of the host, or of files that we write."""

import os
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.containers.bundle import configs_secrets
from cntnr_compose.containers.bundle.configs_secrets import (
    ConfigSourceMissing,
    SourceUnset,
    create_file_mounts,
    list_host_files,
)
from cntnr_compose.containers.spec.inputs import ResolvedMount
from cntnr_compose.core import paths
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import Record
from cntnr_compose.model.project import FileSource
from cntnr_compose.model.service import FileMount, Service


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(paths, "holder_tmpfs", lambda: tmp_path / "tmpfs")
    monkeypatch.setattr(holder, "host_path", lambda path: path)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    return tmp_path


def record(**service: Any) -> Record:
    definition = Service(name="web", **service)
    return Record(id="a1", name="p-web-1", project="p", service="web", definition=definition)


def test_a_file_of_the_host_is_mounted_as_it_is(folder: Path) -> None:
    (folder / "file").write_text("x")
    source = FileSource(key="c", file=str(folder / "file"))
    web = record(configs=(FileMount(source="c"),))
    assert create_file_mounts(web, {"c": source}, {}) == (
        ResolvedMount(target="/c", source=str(folder / "file"), read_only=True),
    )
    assert list_host_files(web, {"c": source}, {}) == [source]
    assert not (folder / "tmpfs").exists()


def test_a_file_with_another_mode_is_copied(folder: Path) -> None:
    (folder / "file").write_text("x")
    source = FileSource(key="s", file=str(folder / "file"))
    web = record(secrets=(FileMount(source="s", mode=0o400),))
    (mount,) = create_file_mounts(web, {}, {"s": source})
    assert mount.target == "/run/secrets/s"
    assert Path(mount.source).read_text() == "x"
    assert Path(mount.source).stat().st_mode & 0o777 == 0o400
    configs_secrets.remove_files(web)
    assert not Path(mount.source).exists()


def test_text_is_written_where_only_its_user_may_look(folder: Path) -> None:
    web = record(secrets=(FileMount(source="s", target="key"),))
    (mount,) = create_file_mounts(web, {}, {"s": FileSource(key="s", content="text")})
    assert mount.target == "/run/secrets/key"
    assert Path(mount.source).read_text() == "text"
    assert Path(mount.source).parent.stat().st_mode & 0o777 == 0o700
    assert list_host_files(web, {}, {}) == []


def test_a_missing_file_and_an_unset_variable_are_refused(folder: Path) -> None:
    missing = FileSource(key="c", file=str(folder / "none"))
    with pytest.raises(ConfigSourceMissing, match=r"cannot give config c .* does not exist"):
        create_file_mounts(record(configs=(FileMount(source="c"),)), {"c": missing}, {})
    unset = FileSource(key="s", environment="TOKEN")
    with pytest.raises(SourceUnset, match='"TOKEN" required by secret "s" is not set'):
        create_file_mounts(record(secrets=(FileMount(source="s"),)), {}, {"s": unset})


def test_a_file_that_is_copied_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    source = FileSource(key="s", file=str(folder / "pipe"))
    with pytest.raises(
        configs_secrets.ConfigSourceMissing, match="cannot be read: it is no regular file"
    ):
        configs_secrets._copy("secret", source, folder / "pipe", folder / "copy")
