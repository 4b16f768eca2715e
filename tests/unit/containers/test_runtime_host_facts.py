"""Facts about the host that runtime specs need."""

import os
from pathlib import Path

from cntnr_compose.containers.runtime import host_facts


def test_devices_are_listed_and_nothing_else() -> None:
    devices = host_facts.gather_host_facts().devices
    assert "/dev/null" in devices
    assert not [path for path in devices if Path(path).is_file() or Path(path).is_dir()]


def test_what_is_mounted_below_dev_is_not_searched() -> None:
    here = os.stat("/dev").st_dev
    mounted = [path for path in ("/dev/shm", "/dev/mqueue", "/dev/pts") if os.path.isdir(path)]
    assert [path for path in mounted if os.stat(path).st_dev != here]
    assert not [
        path for path in host_facts.gather_host_facts().devices if path.startswith(tuple(mounted))
    ]


def test_a_device_is_told_by_its_numbers() -> None:
    node = host_facts.inspect_device("/dev/null")
    assert node is not None
    assert (node.major, node.minor, node.openable) == (1, 3, True)
    assert host_facts.inspect_device("/dev/not-there") is None
    folder = host_facts.inspect_device("/dev")
    assert folder is not None
    assert folder.folder
