"""Devices of a service: which are bound, and which are refused."""

from typing import Any

import pytest

from cntnr_compose.containers.spec.devices import (
    DeviceMissing,
    DeviceUnsupported,
    build_device_mounts,
    list_device_paths,
)
from cntnr_compose.containers.spec.inputs import DeviceNode, Reductions, ResolvedMount, SpecInputs
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Device, Service


def bound(
    *declared: Device,
    nodes: dict[str, DeviceNode] | None = None,
    reductions: Reductions | None = None,
    mounts: tuple[ResolvedMount, ...] = (),
    on_host: tuple[str, ...] = (),
    **service: Any,
) -> list[tuple[str, str]]:
    mounted = build_device_mounts(
        Service(name="web", devices=declared, **service),
        SpecInputs(id="a1", rootfs="/r", device_nodes=nodes or {}, mounts=mounts),
        HostFacts(devices=on_host),
        reductions or Reductions("web"),
    )
    return [(one["source"], one["destination"]) for one in mounted]


def test_device_is_bound_where_it_is_wanted() -> None:
    fuse, tun = Device(source="/dev/fuse"), Device(source="/dev/net/tun", target="/dev/tun")
    nodes = {"/dev/fuse": DeviceNode(), "/dev/net/tun": DeviceNode()}
    assert bound(fuse, tun, nodes=nodes) == [
        ("/dev/fuse", "/dev/fuse"),
        ("/dev/net/tun", "/dev/tun"),
    ]


def test_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeviceMissing) as caught:
        bound(Device(source="/dev/nope"))
    assert str(caught.value) == 'cannot give "/dev/nope" to service web: no such device'


@pytest.mark.parametrize(
    ("device", "node", "reason"),
    [
        (
            Device(source="/dev/sda"),
            DeviceNode(openable=False),
            "/dev/sda may not be opened by the user who runs this",
        ),
        (
            Device(source="/dev/sda", permissions="r"),
            DeviceNode(),
            "r of /dev/sda is not enforced without root",
        ),
    ],
)
def test_what_a_device_cannot_be_is_said(device: Device, node: DeviceNode, reason: str) -> None:
    reductions = Reductions("web")
    bound(device, nodes={"/dev/sda": node}, reductions=reductions)
    assert reductions.warnings == (f"services.web.devices: {reason}",)


def test_folder_of_devices_is_not_judged_by_itself() -> None:
    reductions = Reductions("web")
    node = DeviceNode(folder=True, openable=False)
    bound(Device(source="/dev/dri"), nodes={"/dev/dri": node}, reductions=reductions)
    assert reductions.warnings == ()


def test_privileged_gets_what_the_user_may_open() -> None:
    on_host = ("/dev/fuse", "/dev/null", "/dev/pts/3", "/dev/shm/x", "/dev/net/tun")
    assert bound(on_host=on_host) == []
    assert bound(on_host=on_host, privileged=True) == [
        ("/dev/fuse", "/dev/fuse"),
        ("/dev/net/tun", "/dev/net/tun"),
    ]


def test_own_dev_has_the_devices_already() -> None:
    mounts = (ResolvedMount(target="/dev/", source="/dev"),)
    assert bound(on_host=("/dev/fuse",), privileged=True, mounts=mounts) == []


@pytest.mark.parametrize(
    ("declared", "raw", "message"),
    [
        ((Device(source="vendor.com/gpu=0"),), {}, '"vendor.com/gpu=0"'),
        ((), {"gpus": [{"count": -1}]}, "gpus"),
        (
            (),
            {"deploy": {"resources": {"reservations": {"devices": [{"count": 1}]}}}},
            "deploy.resources.reservations.devices",
        ),
    ],
)
def test_device_that_takes_a_driver_is_refused(
    declared: tuple[Device, ...], raw: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeviceUnsupported) as caught:
        bound(*declared, raw=raw)
    assert str(caught.value) == f"cannot give {message} to service web: there is no driver for it"


def test_paths_to_look_at_are_named_once() -> None:
    blkio = {
        "weight_device": [{"path": "/dev/sda", "weight": 10}],
        "device_read_bps": [{"path": "/dev/sdb", "rate": "1"}],
    }
    declared = (Device(source="/dev/sda"), Device(source="vendor.com/gpu=0"))
    service = Service(name="web", devices=declared, raw={"blkio_config": blkio})
    assert list_device_paths(service) == ("/dev/sda", "/dev/sdb")
