"""Volumes in memory end with their last container."""

from pathlib import Path

import pytest

from cntnr_compose.containers.state.volume_usage import release_volumes
from cntnr_compose.core import paths
from cntnr_compose.host import mounts
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.service import Service


def test_only_volumes_are_unmounted_not_folders_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detached: list[Path] = []
    monkeypatch.setattr(mounts, "unmount", detached.append)
    monkeypatch.setattr(Path, "is_mount", lambda _path: True)
    point = MountPoint(type="bind", target="/x", source="/folder")
    volume = MountPoint(type="volume", target="/y", source="p_data")
    service = Service(name="a")
    release_volumes(
        Record(id="a", name="p-a-1", project="p", service="a", definition=service,
               mounts=(point, volume))
    )  # fmt: skip
    assert detached == [paths.volumes() / "p_data/_data"]
