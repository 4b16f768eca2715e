"""`export` writes an archive to a file, or to what is no terminal."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.cli.project import container_files
from cntnr_compose.containers.files.errors import CannotCopy
from cntnr_compose.model.observed import Container
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


class FakeFiles:
    fails = False

    def pack(self, path: str, archive: int, name: str) -> None:
        os.write(archive, f"archive of {path}{name}".encode())
        if FakeFiles.fails:
            raise CannotCopy("no-room")


@pytest.fixture
def exported(shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    @contextmanager
    def open_files(
        _project: str, containers: Sequence[Container], _command: str, **more: Any
    ) -> Iterator[list[FakeFiles]]:
        assert more == {"rootfs_only": True}
        yield [FakeFiles() for _ in containers]

    FakeFiles.fails = False
    monkeypatch.setattr(container_files, "open_files", open_files)
    shop.containers = [container("web"), container("db", state="exited")]
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_a_file_takes_its_place_when_it_is_complete(compose: Run, exported: Path) -> None:
    file = exported / "web.tar"
    result = compose("export", "web", "-o", str(file))
    assert file.read_text() == "archive of /"
    assert result.err == (
        f" shop-web-1 export shop-web-1 to {file} Exporting\n"
        f" shop-web-1 export shop-web-1 to {file} Exported\n"
    )
    FakeFiles.fails = True
    file.write_text("of before")
    assert "no-room" in compose("export", "web", "-o", str(file)).err
    assert file.read_text() == "of before"
    assert list(exported.iterdir()) == [file]


def test_a_dry_run_writes_nothing(compose: Run, exported: Path) -> None:
    assert compose("--dry-run", "export", "web", "-o", str(exported / "x")).code == 0
    assert list(exported.iterdir()) == []


def test_what_cannot_be_exported(compose: Run, exported: Path) -> None:
    for words, message in {
        ("db",): 'service "db" is not running',
        ("--index", "2", "web"): 'service "web" is not running container #2',
        (
            "web",
            "-o",
            f"{exported}/no/x",
        ): f'invalid output path: directory "{exported}/no" does not',
        ("web", "-o", str(exported)): "cannot write to a directory",
        ("web", "-o", "/dev/null"): '"/dev/null" must be a directory or a regular file',
    }.items():
        result = compose("export", *words)
        assert result.code == 1
        assert message in result.err
