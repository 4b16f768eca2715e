"""Resource limits of a container's cgroup, and warnings about those without effect."""

from typing import Any

import pytest

from cntnr_compose.containers.spec.inputs import DeviceNode, Reductions, SpecInputs
from cntnr_compose.containers.spec.resources import (
    WITHOUT_EFFECT,
    LimitInvalid,
    build_cgroups_path,
    build_resources,
)
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Limits, Service

MB = 1 << 20
EVERY = HostFacts(
    controllers=("cpu", "cpuset", "io", "memory", "pids"), cpus=4, cgroup_parent="/p/"
)
NONE = HostFacts()
NODES = {"/dev/sda": DeviceNode(major=8, minor=0)}


def build(facts: HostFacts, reductions: Reductions | None = None, **service: Any) -> dict[str, Any]:
    return build_resources(
        Service(name="web", **service),
        SpecInputs(id="a1", rootfs="/r", device_nodes=NODES),
        facts,
        reductions or Reductions("web"),
    )


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, {}),
        ({"limits": Limits(memory=64 * MB)}, {"memory": {"limit": 64 * MB, "swap": 128 * MB}}),
        (
            {
                "limits": Limits(memory=64 * MB),
                "memswap_limit": -1,
                "reservations": Limits(memory=MB),
            },
            {"memory": {"limit": 64 * MB, "swap": -1, "reservation": MB}},
        ),
        ({"limits": Limits(cpus=0.5)}, {"cpu": {"period": 100_000, "quota": 50_000}}),
        (
            {"cpu_shares": 512, "cpu_period": 10, "cpu_quota": 5},
            {"cpu": {"shares": 512, "period": 10, "quota": 5}},
        ),
        ({"cpu_shares": 512, "cpuset": "0-1"}, {"cpu": {"shares": 512, "cpus": "0-1"}}),
        ({"limits": Limits(pids=50)}, {"pids": {"limit": 50}}),
        ({"limits": Limits(pids=-1)}, {"pids": {"limit": -1}}),
    ],
)
def test_limits_are_set_where_they_may_be(
    service: dict[str, Any], expected: dict[str, Any]
) -> None:
    reductions = Reductions("web")
    assert build(EVERY, reductions, **service) == expected
    assert reductions.warnings == ()


def test_block_io_names_devices_by_number() -> None:
    blkio = {
        "weight": 300,
        "weight_device": [{"path": "/dev/sda", "weight": 400}],
        "device_read_bps": [{"path": "/dev/sda", "rate": "1024"}],
        "device_write_iops": [{"path": "/dev/sda", "rate": 30}],
    }
    assert build(EVERY, raw={"blkio_config": blkio}) == {
        "blockIO": {
            "weight": 300,
            "weightDevice": [{"major": 8, "minor": 0, "weight": 400}],
            "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1024}],
            "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 30}],
        }
    }


@pytest.mark.parametrize(
    ("blkio", "message"),
    [
        ({"device_read_bps": [{"path": "/dev/nope", "rate": 1}]}, "/dev/nope does not exist"),
        ({"device_read_bps": [{"path": "/dev/sda", "rate": "fast"}]}, '"fast" is not a number'),
        ({"weight": "much"}, '"much" is not a number'),
    ],
)
def test_block_io_that_makes_no_sense_is_refused(blkio: dict[str, Any], message: str) -> None:
    with pytest.raises(LimitInvalid) as caught:
        build(EVERY, raw={"blkio_config": blkio})
    assert str(caught.value) == f"services.web.blkio_config: {message}"


def test_each_key_that_is_not_honoured_is_said_once() -> None:
    reductions = Reductions("web")
    service: dict[str, Any] = {
        "limits": Limits(memory=64 * MB, cpus=1, pids=5),
        "reservations": Limits(memory=MB),
        "memswap_limit": 64 * MB,
        "oom_kill_disable": True,
        "cpu_shares": 5,
        "cpuset": "0",
        "raw": {"mem_limit": "64m", "pids_limit": 5, "blkio_config": {"weight": 1}},
    }
    assert build(NONE, reductions, **service) == {}
    assert [line.partition(": ")[0].removeprefix("services.web.") for line in reductions.warnings] == [
        "mem_limit", "deploy.resources.reservations.memory", "memswap_limit", "oom_kill_disable",
        "deploy.resources.limits.cpus", "cpu_shares", "cpuset", "pids_limit", "blkio_config",
    ]  # fmt: skip
    assert reductions.warnings[0] == (
        "services.web.mem_limit: not honoured, since this user may not make cgroups "
        "(see `cntnr doctor`)"
    )


def test_only_the_controllers_that_the_user_was_given_are_used() -> None:
    reductions = Reductions("web")
    facts = HostFacts(controllers=("memory", "pids"))
    limits = Limits(memory=64 * MB, cpus=1, pids=5)
    assert set(build(facts, reductions, limits=limits, raw={"cpus": 1})) == {"memory", "pids"}
    assert reductions.warnings == (
        "services.web.cpus: not honoured, since this user was not given the cpu controller",
    )


def test_no_limit_needs_no_cgroup() -> None:
    reductions = Reductions("web")
    build(NONE, reductions, limits=Limits(pids=-1), cpu_quota=-1)
    assert reductions.warnings == ()


def test_kernel_may_lack_parts() -> None:
    reductions = Reductions("web")
    facts = HostFacts(controllers=("memory",), swap_limit=False)
    limits, swap = Limits(memory=64 * MB), 64 * MB
    made_of = build(facts, reductions, limits=limits, memswap_limit=swap, oom_kill_disable=True)
    assert made_of == {"memory": {"limit": 64 * MB}}
    assert [line.split(":")[0] for line in reductions.warnings] == [
        "services.web.memswap_limit",
        "services.web.oom_kill_disable",
    ]
    first = HostFacts(controllers=("memory",), cgroup_version=1)
    assert build(first, oom_kill_disable=True) == {"memory": {"disableOOMKiller": True}}


@pytest.mark.parametrize("key", WITHOUT_EFFECT)
def test_key_without_effect_is_said(key: str) -> None:
    reductions = Reductions("web")
    build(EVERY, reductions, raw={key: 1})
    assert reductions.warnings == (f"services.web.{key}: {WITHOUT_EFFECT[key]}",)


@pytest.mark.parametrize(
    ("service", "message"),
    [
        (
            {"limits": Limits(memory=MB), "raw": {"mem_limit": "1m"}},
            "mem_limit: minimum memory limit allowed is 6MB",
        ),
        (
            {"limits": Limits(memory=MB)},
            "deploy.resources.limits.memory: minimum memory limit allowed is 6MB",
        ),
        ({"memswap_limit": MB}, "memswap_limit: takes a mem_limit, too"),
        (
            {"limits": Limits(memory=64 * MB), "memswap_limit": MB},
            "memswap_limit: should be larger than the memory limit",
        ),
        (
            {"limits": Limits(memory=8 * MB), "reservations": Limits(memory=9 * MB)},
            "mem_reservation: should be smaller than the memory limit",
        ),
        (
            {"limits": Limits(cpus=5), "raw": {"cpus": 5}},
            "cpus: range of CPUs is from 0.01 to 4.00, as there are no more here",
        ),
        (
            {"limits": Limits(cpus=1), "cpu_quota": 5},
            "cpus: cannot be set beside cpu_period and cpu_quota",
        ),
    ],
)
def test_limit_that_makes_no_sense_is_refused(service: dict[str, Any], message: str) -> None:
    with pytest.raises(LimitInvalid) as caught:
        build(EVERY, **service)
    assert str(caught.value) == f"services.web.{message}"


def test_more_cpus_than_there_are_do_no_harm_where_they_are_not_limited() -> None:
    assert build(HostFacts(cpus=4), limits=Limits(cpus=5)) == {}


def test_cgroup_is_named_only_where_it_may_be_made() -> None:
    reductions = Reductions("web")
    inputs = SpecInputs(id="a1", rootfs="/r")
    with pytest.raises(LimitInvalid, match=r"services.web.cgroup_parent: .* no \.\. in it"):
        build_cgroups_path(
            Service(name="web", cgroup_parent="a/../../b"), inputs, EVERY, reductions
        )
    service = Service(name="web", cgroup_parent="/mine/")
    assert build_cgroups_path(Service(name="web"), inputs, EVERY, reductions) == "/p/a1"
    assert build_cgroups_path(service, inputs, EVERY, reductions) == "/p/mine/a1"
    assert reductions.warnings == ()
    assert build_cgroups_path(service, inputs, NONE, reductions) == ""
    assert len(reductions.warnings) == 1
