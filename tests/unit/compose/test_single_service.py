"""A service that no file has: the passes that its mapping goes through."""

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.single_service import (
    PLAIN_KEYS,
    decode_service,
    is_plain,
    make_service,
)
from cntnr_compose.compose.support.report import HONOURED, support_by_key
from cntnr_compose.compose.support.values import VALUE_RULES
from cntnr_compose.model.host import HostCapabilities


def test_short_syntax_and_paths_are_those_of_files() -> None:
    mapping = {
        "image": "busybox",
        "ports": ["127.0.0.1:8080:80/udp"],
        "volumes": ["./data:/data:ro", "cache:/cache"],
        "mem_limit": "64m",
        "networks": {"shop": {"aliases": ["web"]}},
    }
    service = make_service("c", decode_service("c", mapping, "/home/me"))
    (port,) = service.ports
    assert (port.host_ip, port.published, port.target, port.protocol) == (
        "127.0.0.1", "8080", 80, "udp",
    )  # fmt: skip
    assert [mount.source for mount in service.volumes] == ["/home/me/data", "cache"]
    assert service.volumes[0].read_only
    assert service.limits.memory == 64 << 20
    assert service.networks["shop"].aliases == ("web",)


def test_what_files_may_not_have_is_refused() -> None:
    with pytest.raises(ComposeFileInvalid) as caught:
        decode_service("c", {"image": "busybox", "mem_limit": "much"}, "/")
    assert caught.value.diagnostics[0].path[:3] == ("services", "c", "mem_limit")


@pytest.mark.parametrize("key", sorted(PLAIN_KEYS))
def test_plain_keys_are_honoured_whatever_their_value(key: str) -> None:
    path = f"services.*.{key}"
    assert support_by_key()[path](HostCapabilities(controllers=())) == HONOURED
    assert path not in VALUE_RULES


def test_a_mapping_with_any_other_key_is_checked() -> None:
    assert is_plain({"image": "busybox", "networks": {"bridge": None}})
    assert not is_plain({"image": "busybox", "networks": {"shop": {"ipv4_address": "1.2.3.4"}}})
    assert not is_plain({"image": "busybox", "ports": ["80"]})
