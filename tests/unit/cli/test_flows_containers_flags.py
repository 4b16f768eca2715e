"""Flags of a new container as the mapping of a compose service, and what is wrong with them."""

from collections.abc import Mapping
from typing import Any

import pytest

from cntnr_compose.cli.commands.container.run import run as run_command
from cntnr_compose.cli.flows.containers.flags import checks, mounts, values
from cntnr_compose.cli.flows.containers.flags.mapping import KEY_FLAGS, build_mapping
from cntnr_compose.cli.flows.containers.flags.networks import (
    NetworksConflict,
    NoAliases,
    map_networks,
)
from cntnr_compose.cli.flows.shared_arguments import BadOption, Incompatible
from cntnr_compose.cli.parser.fast_parser import parse_arguments
from cntnr_compose.compose.decode.keys import SERVICE_DECODERS


def flags(*words: str) -> Mapping[str, Any]:
    """Parse the flags of `cntnr run WORDS busybox`."""
    parsed = parse_arguments(run_command, "cntnr run", [*words, "busybox"])
    assert parsed is not None
    return parsed


def mapping(*words: str) -> Mapping[str, Any]:
    return build_mapping(flags(*words), {"HOME": "/home/me"})


def test_a_bare_run_asks_for_docker_s_network_alone() -> None:
    assert mapping() == {"image": "busybox", "networks": {"bridge": None}}


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["-e", "A=b", "-e", "HOME", "-e", "NONE"], "environment", {"A": "b", "HOME": "/home/me"}),
        (["-l", "a", "-l", "b=c"], "labels", {"a": "", "b": "c"}),
        (["--entrypoint", ""], "entrypoint", []),
        (["--stop-timeout", "3"], "stop_grace_period", "3s"),
        (["--device", "/dev/a:r"], "devices", [{"source": "/dev/a", "target": "/dev/a", "permissions": "r"}]),
        (["--ulimit", "nofile=1:2"], "ulimits", {"nofile": {"soft": 1, "hard": 2}}),
        (["--add-host", "a:::1"], "extra_hosts", ["a=::1"]),
        (["--health-cmd", "x", "--health-retries", "2"], "healthcheck",
         {"retries": 2, "test": ["CMD-SHELL", "x"]}),
        (["--no-healthcheck"], "healthcheck", {"disable": True}),
        (["--log-opt", "max-size=1m"], "logging", {"options": {"max-size": "1m"}}),
        (["--blkio-weight", "300"], "blkio_config", {"weight": 300}),
        (["--security-opt", "seccomp=unconfined"], "security_opt", ["seccomp=unconfined"]),
        (["--network", "none"], "network_mode", "none"),
        (["--network", "default"], "networks", {"bridge": None}),
        (["--network", "a", "--network", "name=b,alias=x,ip=1.2.3.4"], "networks",
         {"a": None, "b": {"aliases": ["x"], "ipv4_address": "1.2.3.4"}}),
        (["--network", "a", "--ip", "1.2.3.4"], "networks", {"a": {"ipv4_address": "1.2.3.4"}}),
        (["--volumes-from", "c:ro"], "volumes_from", ["container:c:ro"]),
    ],
)  # fmt: skip
def test_flags_set_keys(words: list[str], key: str, value: object) -> None:
    assert mapping(*words)[key] == value


def test_a_stop_timeout_below_0_is_endless() -> None:
    assert values.parse_stop_timeout(-1) == "-1s"


def test_every_flag_that_sets_a_key_sets_one_that_there_is() -> None:
    keys = {key for key in KEY_FLAGS if not key.startswith("x-")}
    assert keys <= SERVICE_DECODERS.keys()
    assert set(KEY_FLAGS.values()) <= flags().keys()


@pytest.mark.parametrize(
    ("text", "mount", "described"),
    [
        (
            "type=bind,src=/a,dst=/b,ro",
            {
                "type": "bind", "source": "/a", "target": "/b", "read_only": True,
                "bind": {"create_host_path": False},
            },
            {},
        ),
        (
            "source=v,target=/b,volume-opt=type=tmpfs,volume-label=a=b",
            {"type": "volume", "source": "v", "target": "/b"},
            {"driver_opts": {"type": "tmpfs"}, "labels": {"a": "b"}},
        ),
        (
            'type=tmpfs,"dst=/a,b",tmpfs-mode=1777',
            {"type": "tmpfs", "target": "/a,b", "tmpfs": {"mode": 0o1777}},
            {},
        ),
    ],
)  # fmt: skip
def test_fields_of_mounts(text: str, mount: object, described: object) -> None:
    assert mounts.parse_mount(text) == (mount, described)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type=bind,src=/a", "it needs dst"),
        ("type=bind,src=/a,dst=/b,tmpfs-size=1", "has fields of tmpfs"),
        ("type=tmpfs,dst=/b,tmpfs-mode=9", "octal"),
        ("src=v,dst=/b,readonly=maybe", "true or false"),
        ("src=v,dst=/b,volume-driver=nfs", "local driver"),
        ("dst=/b,volume-opt=a=b", "src=NAME"),
        ("nonsense", "key=value"),
    ],
)
def test_bad_mounts(text: str, message: str) -> None:
    with pytest.raises(BadOption, match=message):
        mounts.parse_mount(text)


def test_two_mounts_have_no_place_in_common() -> None:
    both = flags("-v", "/a:/x/", "--mount", "type=tmpfs,dst=/x")
    with pytest.raises(mounts.MountTwice, match="/x"):
        mounts.map_mounts(both)


@pytest.mark.parametrize(
    "words",
    [
        ["--network", "host", "--ip", "1.2.3.4"],
        ["--network", "none", "--network", "a"],
        ["--network", "a", "--network", "a"],
    ],
)
def test_networks_that_exclude_each_other(words: list[str]) -> None:
    with pytest.raises(NetworksConflict):
        map_networks(flags(*words))


@pytest.mark.parametrize("words", [[], ["--network", "default"], ["--network", "bridge"]])
def test_the_default_network_has_no_names(words: list[str]) -> None:
    with pytest.raises(NoAliases):
        map_networks(flags(*words, "--network-alias", "shop"))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--pull", "allways"], BadOption),
        (["--cap-add", "NET_ADMN"], BadOption),
        (["--rm", "--restart", "always"], Incompatible),
        (["-d", "-a", "stdout"], Incompatible),
        (["-a", "stdnone"], BadOption),
    ],
)
def test_flags_are_checked_before_anything_is_done(
    words: list[str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        checks.check_flags([flags(*words)])


@pytest.mark.parametrize("words", [["-d"], ["-t"], ["-a", "stdout"]])
def test_a_group_is_in_the_foreground(words: list[str]) -> None:
    with pytest.raises(checks.NotInGroup):
        checks.check_flags([flags(), flags(*words)])


def test_one_container_of_a_group_reads() -> None:
    checks.check_flags([flags("-i"), flags()])
    with pytest.raises(checks.NotInGroup):
        checks.check_flags([flags("-i"), flags("-i")])


@pytest.mark.parametrize("text", ["sometimes", "always:3", "on-failure:x"])
def test_restart_policies(text: str) -> None:
    with pytest.raises(BadOption):
        values.check_restart(text)


@pytest.mark.parametrize("text", ["zero", "/dev/a:b", "/dev/a:/b:/c:r"])
def test_bad_devices(text: str) -> None:
    with pytest.raises(BadOption):
        values.parse_devices([text])


def test_namespaces_of_services_are_for_files() -> None:
    with pytest.raises(BadOption, match="container:NAME"):
        mapping("--pid", "service:web")


def test_a_label_has_a_name() -> None:
    with pytest.raises(BadOption):
        mapping("-l", "=x")
