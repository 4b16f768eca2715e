"""The host's platform, and settings of the kernel."""

import os
from types import SimpleNamespace

import pytest

from cntnr_compose.host import kernel
from cntnr_compose.host.namespaces import trial
from cntnr_compose.host.namespaces.holder import HolderFailed


@pytest.mark.parametrize(
    ("machine", "platform"), [("x86_64", "linux/amd64"), ("riscv64", "linux/riscv64")]
)
def test_architectures_have_the_names_of_images(
    monkeypatch: pytest.MonkeyPatch, machine: str, platform: str
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))
    assert kernel.host_platform() == platform


@pytest.mark.parametrize(("release", "version"), [("6.1.0-18-amd64", (6, 1)), ("5.15.0", (5, 15))])
def test_a_release_begins_with_the_version(
    monkeypatch: pytest.MonkeyPatch, release: str, version: tuple[int, int]
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=release))
    assert kernel.release() == version


def test_a_setting_that_is_not_there_has_the_default() -> None:
    assert kernel.read_sysctl("kernel.pid_max", default=-1) > 0
    assert kernel.read_sysctl("kernel.no_such_setting", default=7) == 7


def test_root_may_listen_on_all_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert kernel.lowest_port() == 0
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(kernel, "read_sysctl", lambda *_, default: default)
    assert kernel.lowest_port() == 1024


@pytest.mark.parametrize(("flags", "expected"), [(os.ST_RDONLY | os.ST_NOSUID, True), (0, False)])
def test_sysctls_that_an_engine_outside_covers(
    monkeypatch: pytest.MonkeyPatch, flags: int, expected: bool
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))
    assert kernel.has_read_only_sysctls() == expected
    assert ("/proc/sys" in (HolderFailed("x").hint or "")) == expected
    if expected:
        assert trial.try_user_namespace() == ("/proc/sys is read-only", "")
