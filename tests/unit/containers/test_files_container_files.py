import pytest

from cntnr_compose.containers.files.container_files import read_owner_map
from cntnr_compose.host import proc


def test_owners_are_called_as_bind_mounts_show_them(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = {"uid": [(0, 1000, 1), (1, 100000, 65535)], "gid": [(0, 1001, 1), (1, 200000, 65535)]}
    monkeypatch.setattr(proc, "read_id_map", lambda _pid, kind: maps[kind])
    map_owner = read_owner_map(7)
    assert map_owner(1000, 1001) == (0, 0)
    assert map_owner(100069, 200070) == (70, 71)
    assert map_owner(0, 4) == (0, 0)  # root of the host, and others that are not mapped
