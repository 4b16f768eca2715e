"""Namespaces of a container, and the sysctls that belong to them."""

from typing import Any

import pytest

from cntnr_compose.containers.spec.inputs import Reductions, SpecInputs
from cntnr_compose.containers.spec.namespaces import (
    READ_STATE_FIRST,
    ModeInvalid,
    SysctlRefused,
    build_hooks,
    build_namespaces,
    build_sysctls,
)
from cntnr_compose.core.values import replace
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service

PING = {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 65535"}


def inputs(**more: Any) -> SpecInputs:
    return SpecInputs(id="a1", rootfs="/r", **more)


def settings_of(
    sysctl: dict[str, str], facts: HostFacts | None = None, reductions: Reductions | None = None, **more: Any
) -> dict[str, str]:  # fmt: skip
    service = Service(name="web", sysctls=sysctl)
    return build_sysctls(
        service, inputs(**more), facts or HostFacts(), reductions or Reductions("web")
    )


def test_all_are_its_own_unless_told_otherwise() -> None:
    namespaces = build_namespaces(Service(name="web"), inputs(), Reductions("web"))
    assert namespaces == [
        {"type": kind} for kind in ("mount", "network", "uts", "pid", "ipc", "cgroup")
    ]


def test_those_of_others_are_joined_and_those_of_the_host_left_out() -> None:
    reductions = Reductions("web")
    service = Service(name="web", cgroup="host", userns_mode="host")
    where = inputs(network="host", uts="host", pid="/proc/7/ns/pid", ipc="host")
    assert build_namespaces(service, where, reductions) == [
        {"type": "mount"},
        {"type": "pid", "path": "/proc/7/ns/pid"},
    ]
    assert reductions.warnings == ()


def test_what_cannot_be_shared_with_the_host_is_said() -> None:
    reductions = Reductions("web")
    build_namespaces(Service(name="web", userns_mode="keep-id"), inputs(pid="host"), reductions)
    assert reductions.warnings == (
        "services.web.pid: shows the processes of all containers, not those of the machine",
        "services.web.userns_mode: keep-id is not honoured: all containers share one",
    )


@pytest.mark.parametrize(
    ("key", "mode", "name"),
    [
        ("pid", "private", "PID mode"),
        ("pid", "service:", "PID mode"),
        ("ipc", "public", "IPC mode"),
        ("ipc", "host:x", "IPC mode"),
        ("uts", "service:db", "UTS mode"),
        ("cgroup", "none", "cgroup namespace mode"),
    ],
)
def test_mode_that_does_not_exist_is_refused(key: str, mode: str, name: str) -> None:
    with pytest.raises(ModeInvalid) as caught:
        build_namespaces(Service(name="web", **{key: mode}), inputs(), Reductions("web"))
    assert str(caught.value) == f'services.web.{key}: invalid {name} "{mode}"'


@pytest.mark.parametrize(
    ("key", "mode"),
    [("pid", "service:db"), ("ipc", "container:x"), ("ipc", "shareable"), ("cgroup", "private")],
)
def test_mode_that_exists_is_accepted(key: str, mode: str) -> None:
    assert build_namespaces(Service(name="web", **{key: mode}), inputs(), Reductions("web"))


def test_everybody_may_ping_and_use_low_ports_in_an_own_network() -> None:
    assert settings_of({}) == PING
    assert settings_of({}, HostFacts(mapped_ids=1))["net.ipv4.ping_group_range"] == "0 0"
    assert settings_of({}, network="host") == {}


def test_service_sets_what_is_its_own() -> None:
    own = {
        "net.core.somaxconn": "1024",
        "net/ipv4/conf/eth0.1/forwarding": "1",
        "net.ipv4.ip_unprivileged_port_start": "1024",
        "kernel.msgmax": "9000",
        "fs.mqueue.msg_max": "20",
    }
    assert settings_of(own) == PING | own


@pytest.mark.parametrize(
    ("name", "where", "why"),
    [
        ("kernel.panic", {}, "it is not in a separate kernel namespace"),
        ("net.core.somaxconn", {"network": "host"}, "not allowed in host network namespace"),
        ("kernel.msgmax", {"ipc": "host"}, "not allowed in host ipc namespace"),
        ("kernel.domainname", {"uts": "host"}, "it is not in a separate kernel namespace"),
    ],
)
def test_setting_that_is_not_its_own_is_refused(name: str, where: dict[str, str], why: str) -> None:
    with pytest.raises(SysctlRefused) as caught:
        settings_of({name: "1"}, **where)
    assert str(caught.value) == f'services.web.sysctls: cannot set "{name}": {why}'


def test_ipc_settings_take_a_kernel_that_gives_them_away() -> None:
    reductions = Reductions("web")
    assert settings_of({"kernel.msgmax": "9"}, HostFacts(kernel=(5, 15)), reductions) == PING
    assert reductions.warnings == (
        "services.web.sysctls.kernel.msgmax: not set, which takes Linux 5.19 or root",
    )


def domain_hook(reductions: Reductions, facts: HostFacts, where: SpecInputs, **service: Any) -> Any:
    return build_hooks(Service(name="web", **service), where, facts, reductions)


def test_domain_name_is_set_by_a_hook_beside_those_of_the_setting() -> None:
    facts, reductions = HostFacts(domainname_path="/bin/domainname"), Reductions("web")
    where = inputs(hooks={"prestart": [{"path": "/net"}]})
    words = ["sh", "-c", READ_STATE_FIRST, "sh", "/bin/domainname", "example.org"]
    hook = {"path": "/bin/sh", "args": words}
    expected = {"prestart": [{"path": "/net"}], "createContainer": [hook]}
    assert domain_hook(reductions, facts, where, domainname="example.org") == expected
    by_sysctl = {"kernel.domainname": "example.org"}
    assert domain_hook(reductions, facts, where, sysctls=by_sysctl) == expected
    shared = replace(where, domainname="example.org")
    assert domain_hook(reductions, facts, shared) == expected
    assert domain_hook(reductions, facts, shared, domainname="own") == expected
    assert settings_of(by_sysctl) == PING
    assert domain_hook(reductions, facts, where) == where.hooks
    assert domain_hook(reductions, facts, inputs(uts="host"), domainname="example.org") == {}
    assert reductions.warnings == ()


def test_domain_name_that_nobody_can_set_is_said() -> None:
    reductions = Reductions("web")
    assert domain_hook(reductions, HostFacts(), inputs(), domainname="example.org") == {}
    assert reductions.warnings == (
        "services.web.domainname: not set, since the program domainname is not installed",
    )
