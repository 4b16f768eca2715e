from pathlib import Path

import pytest

from cntnr_compose.containers.files import container_files
from cntnr_compose.containers.files.container_files import read_owner_map


def test_owners_are_called_as_bind_mounts_show_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uid_map").write_text("0 1000 1\n1 100000 65535\n")
    (tmp_path / "gid_map").write_text("0 1001 1\n1 200000 65535\n")
    monkeypatch.setattr(container_files, "Path", lambda path: tmp_path / path.split("/")[-1])
    map_owner = read_owner_map(7)
    assert map_owner(1000, 1001) == (0, 0)
    assert map_owner(100069, 200070) == (70, 71)
    assert map_owner(0, 4) == (0, 0)  # root of the host, and others that are not mapped
