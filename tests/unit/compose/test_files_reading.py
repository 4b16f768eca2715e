"""Compose and env files, as they are found and read."""

from pathlib import Path

import pytest

from cntnr_compose.compose.basics.errors import (
    EnvFileBroken,
    FileUnreadable,
    RemoteUnsupported,
)
from cntnr_compose.compose.files import reading
from tests.unit.compose.world import load_texts

X = "services: {a: {image: x}}\n"


@pytest.mark.parametrize(
    "names",
    [
        ["compose.yaml", "compose.yml"],
        ["compose.yml", "docker-compose.yml"],
        ["docker-compose.yml", "docker-compose.yaml"],
    ],
)
def test_the_first_of_several_files_is_taken_and_told(tmp_path: Path, names: list[str]) -> None:
    loaded = load_texts(tmp_path, dict.fromkeys(names, X))
    first, second = (str(tmp_path / name) for name in names)
    assert loaded.project.files == (first,)
    assert loaded.warnings == (
        f"Found multiple config files with supported names: {first}, {second}",
        f"Using {first}",
    )


def test_a_named_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"open .*nope.yaml: no such file or directory"):
        load_texts(tmp_path, {}, files=("nope.yaml",))


def test_remote_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RemoteUnsupported):
        load_texts(tmp_path, {}, files=("oci://example.com/app",))


def test_an_env_file_that_is_broken_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvFileBroken, match=r"failed to read .*\.env: line 2"):
        load_texts(tmp_path, {"compose.yaml": X, ".env": "A=1\nB!=2\n"})


def test_a_file_without_an_end_is_not_read_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reading, "MAX_FILE_SIZE", 1 << 20)
    (tmp_path / "small").write_bytes(bytes(1 << 20))
    assert len(reading.read_compose_file(str(tmp_path / "small"))) == 1 << 20
    for read in (reading.read_compose_file, reading.read_service_env_file):
        with pytest.raises(FileUnreadable, match="read /dev/zero: it has more than 1 MiB"):
            read("/dev/zero")
