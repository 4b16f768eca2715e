"""Flags of `bundle create`: each of `run`'s is one that a bundle has, or refused with the reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.cli.flows.bundles import creation
from cntnr_compose.cli.flows.bundles.creation import REFUSED_FLAGS, FlagRefused
from cntnr_compose.cli.parser import completion
from cntnr_compose.cli.parser.container_options.rows import CONTAINER_OPTIONS
from tests.unit.cli.conftest import CommandResult

# Written into config.json, or told to have no effect where they are limits.
HONOURED = {
    "add_host", "annotation", "blkio_weight", "blkio_weight_device", "device_read_bps",
    "device_read_iops", "device_write_bps", "device_write_iops", "disable_content_trust",
    "cap_add", "cap_drop", "cgroupns", "cpu_period",
    "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpus", "cpuset_cpus", "device",
    "device_cgroup_rule", "dns", "dns_option", "dns_search", "domainname", "entrypoint", "env",
    "env_file", "gpus", "hostname", "init", "ipc", "label", "label_file", "memory",
    "memory_reservation", "memory_swap", "memory_swappiness", "mount", "network",
    "oom_kill_disable", "oom_score_adj", "pid", "pids_limit", "platform", "privileged", "proot",
    "publish", "pull", "quiet", "read_only", "security_opt", "shm_size", "stop_signal", "sysctl",
    "tmpfs", "tty", "ulimit", "user", "userns", "uts", "volume", "workdir",
}  # fmt: skip


def test_no_flag_is_silently_ignored() -> None:
    names = {row.name for row in CONTAINER_OPTIONS if row.unsupported_hint is None}
    assert names - HONOURED - REFUSED_FLAGS.keys() == set()
    assert HONOURED & REFUSED_FLAGS.keys() == set()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("restart", "always", "a bundle cannot have --restart: it takes a container of cntnr"),
        ("network_alias", ("a",), "--network-alias: the CNI list"),
        ("network", ("container:x",), "--network: container:x is not there"),
        ("network", ("name=a,ip=10.0.0.1",), "--network: name=a,ip=10.0.0.1: name CNI lists alone"),
        ("pid", "host", "--pid: host is not there"),
        ("ipc", "container:x", "--ipc: container:x is not there"),
    ],
)
def test_what_a_bundle_cannot_have_is_refused(name: str, value: Any, says: str) -> None:
    flags = {row.name: row.default for row in CONTAINER_OPTIONS} | {name: value}
    with pytest.raises(FlagRefused) as caught:
        creation._check_flags(flags)
    assert says in str(caught.value)
    assert caught.value.exit_code == 125


def test_bundles_are_proposed_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "cntnr/bundles/web").mkdir(parents=True)
    assert "web" in completion.answer(["bundle", "rm", ""], with_descriptions=False)


def test_the_names_of_bundles_are_checked_before_anything_is_done(
    cntnr: Callable[..., CommandResult],
) -> None:
    assert "cannot name a bundle" in cntnr("bundle", "create", "-b", "a b", "busybox").err
    assert "No such bundle: nope" in cntnr("bundle", "run", "nope").err
    assert 'invalid duration "soon"' in cntnr("bundle", "gc", "--ttl", "soon").err
