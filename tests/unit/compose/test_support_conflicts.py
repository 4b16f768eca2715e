"""Keys that a shared network leaves without effect are found, in dockerd's words."""

from pathlib import Path

import pytest

from cntnr_compose.compose.support.conflicts import find_network_conflicts
from tests.unit.compose.world import load_texts


@pytest.mark.parametrize(
    ("mode", "key", "text"),
    [
        ("service:b", "ports: ['80:80']", "port publishing and the container type network mode"),
        ("container:b", "dns: 1.1.1.1", "dns and the network mode"),
        (
            "service:b",
            "extra_hosts: ['a:1.2.3.4']",
            "custom host-to-IP mapping and the network mode",
        ),
        ("service:b", "links: [b]", "container type network can't be used with links"),
        ("host", "mac_address: '02:42:ac:11:00:07'", "mac-address and the network mode"),
        ("host", "links: [b]", "host type networking can't be used with links"),
        ("service:b", "hostname: h", ""),
        ("host", "ports: ['80:80']", ""),
        ("none", "dns: 1.1.1.1", ""),
    ],
)
def test_what_goes_with_a_mode_of_the_network(
    tmp_path: Path, mode: str, key: str, text: str
) -> None:
    service = f"{{image: x, network_mode: '{mode}', {key}}}"
    loaded = load_texts(tmp_path, f"services: {{a: {service}, b: {{image: x}}}}")
    conflicts = find_network_conflicts(loaded.tree)
    assert [one.message for one in conflicts] == ([f"conflicting options: {text}"] if text else [])
    assert all(one.path == ("services", "a", key.partition(":")[0]) for one in conflicts)
