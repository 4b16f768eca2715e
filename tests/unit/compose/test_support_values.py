"""Support that depends on the value of a key: what is honoured, and what is reported."""

import pytest
import yaml

from cntnr_compose.compose.support.report import find_unsupported, list_key_uses
from cntnr_compose.model.host import HostCapabilities

FULL = HostCapabilities(controllers=("cpu", "cpuset", "io", "memory", "pids"), lowest_port=80)
BARE = HostCapabilities(has_subordinate_ids=False)


def lines(text: str) -> list[str]:
    return [f"{one.severity}: {one}" for one in find_unsupported(yaml.safe_load(text), FULL)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "services: {a: {ports: [{target: 80, published: '70', protocol: tcp}]}}",
            (
                "error: services.a.ports.0.published: cannot be honoured: ordinary users may use ports"
                " from 80 on, until an administrator runs"
                " `sysctl -w net.ipv4.ip_unprivileged_port_start=70`"
                " (`cntnr doctor` tells what would mend it)"
            ),
        ),
        (
            "services: {a: {ports: [{target: 80, published: abc}]}}",
            (
                "error: services.a.ports.0.published: cannot be honoured:"
                " abc is neither a port nor a range of ports"
            ),
        ),
        (
            "services: {a: {ports: [{target: 80, protocol: sctp}]}}",
            (
                "error: services.a.ports.0.protocol: cannot be honoured: only tcp and udp can be"
                " forwarded without root"
            ),
        ),
        (
            "services: {a: {logging: {driver: gelf, options: {gelf-address: x}}}}",
            (
                "warning: services.a.logging: is not honoured: nothing is sent to gelf; output is kept"
                " in files, where `logs` reads it"
            ),
        ),
        (
            "services: {a: {logging: {driver: jornald}}}",
            (
                "error: services.a.logging: cannot be honoured: no log driver named 'jornald' is registered;"
                " there are json-file, local, k8s-file, journald, syslog, none; did you mean journald?"
            ),
        ),
        (
            "services: {a: {logging: {driver: awslogs}}}",
            (
                "error: services.a.logging: cannot be honoured: nothing can be sent to awslogs here;"
                " log drivers are json-file, local, k8s-file, journald, syslog, none"
            ),
        ),
        (
            "services: {a: {logging: {options: {tag: x, max-size: 1m}}}}",
            (
                "warning: services.a.logging: is not honoured: options of logs in files are max-size"
                ", max-file, labels and env, not tag"
            ),
        ),
        (
            "services: {a: {build: {entitlements: [network.host, security.insecure]}}}",
            (
                "warning: services.a.build.entitlements: is not honoured: security.insecure takes root"
                " on the machine"
            ),
        ),
        (
            "services: {a: {cap_add: [CAP_SYS_TIME, NET_ADMIN]}}",
            "warning: services.a.cap_add: is not honoured: SYS_TIME takes root on the machine",
        ),
        (
            "services: {a: {volumes: [{type: npipe, source: x, target: /y}]}}",
            "error: services.a.volumes.0.type: cannot be honoured: it does not exist on Linux",
        ),
        (
            "networks: {n: {driver: macvlan}}",
            (
                "error: networks.n.driver: cannot be honoured: any but the bridge driver takes root on"
                " the machine"
            ),
        ),
        (
            "networks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}, {subnet: 'fd00::/64'}]}}}",
            (
                "warning: networks.n.ipam.config: is not honoured: a network has one pool, the first of"
                " IPv4"
            ),
        ),
        (
            "volumes: {v: {driver: local, driver_opts: {type: nfs, o: addr=x}}}",
            (
                "error: volumes.v.driver_opts: cannot be honoured: a file system of type nfs takes root"
                " on the machine"
            ),
        ),
        (
            "secrets: {s: {external: true}}",
            "error: secrets.s.external: cannot be honoured: there is no store of secrets here",
        ),
    ],
)
def test_a_value_that_is_not_honoured_is_reported(text: str, expected: str) -> None:
    assert lines(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {ports: [{target: 80, published: '80', protocol: udp}]}}",
        "services: {a: {ports: [{target: 80, published: '0'}]}}",
        "services: {a: {logging: {driver: local, options: {max-size: 1m, max-file: '3'}}}}",
        "services: {a: {cap_add: [NET_ADMIN]}}",
        "networks: {n: {driver: bridge, driver_opts: {com.docker.network.driver.mtu: 1}}}",
        "networks: {n: {enable_ipv4: true, external: true}}",
        "volumes: {v: {driver: local, driver_opts: {type: none, o: bind, device: /x}}}",
        "volumes: {v: {external: true}}",
    ],
)
def test_values_that_are_honoured_are_not_reported(text: str) -> None:
    assert lines(text) == []


def test_root_needs_no_ids_but_others_do() -> None:
    for user, level in (
        ("0", "honoured"),
        ("root:0", "honoured"),
        ("postgres", "refused"),
        ("0:999", "refused"),
    ):
        assert list_key_uses({"services": {"a": {"user": user}}}, BARE)[-1].support.level == level
