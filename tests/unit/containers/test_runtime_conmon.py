"""How conmon is called, and what it leaves."""

from pathlib import Path

import pytest

from cntnr_compose.containers.runtime import conmon
from cntnr_compose.containers.runtime.conmon import ConmonOptions, build_conmon_argv
from cntnr_compose.containers.runtime.oci_runtime import OciRuntime
from cntnr_compose.core.values import replace

LAUNCH = ConmonOptions(id="abc", name="p-web-1", bundle="/b/abc", log="/l/log")


CRUN = OciRuntime(program="/opt/crun", kind="crun")


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conmon.process, "find_program", lambda name: f"/usr/bin/{name}")


def test_a_container_on_a_network_is_created_where_the_networks_are() -> None:
    argv = build_conmon_argv(LAUNCH)
    assert argv[:3] == ["nsenter", "--net=/proc/1/ns/net", "/usr/bin/conmon"]
    alone = build_conmon_argv(
        ConmonOptions(id="abc", name="n", bundle="/b", log="/l", has_own_network=False)
    )
    assert alone[0] == "/usr/bin/conmon"


def test_crun_is_told_whether_there_is_a_cgroup() -> None:
    options = ConmonOptions(id="abc", name="n", bundle="/b", log="/l", runtime=CRUN)
    argv = build_conmon_argv(options)
    assert argv[argv.index("-r") + 1] == "/opt/crun"
    assert "--runtime-arg=--cgroup-manager=disabled" in argv
    argv = build_conmon_argv(replace(options, has_cgroup=True))
    assert "--runtime-arg=--cgroup-manager=cgroupfs" in argv
    assert not any("cgroup-manager" in word for word in build_conmon_argv(LAUNCH))


def test_terminal_and_input_are_asked_for_where_wanted() -> None:
    assert not {"-t", "-i"} & set(build_conmon_argv(LAUNCH))
    both = build_conmon_argv(
        ConmonOptions(id="a", name="n", bundle="/b", log="/l", tty=True, stdin=True)
    )
    assert {"-t", "-i"} <= set(both)
    kept = build_conmon_argv(
        ConmonOptions(id="a", name="n", bundle="/b", log="/l", stdin=True, keeps_stdin=True)
    )
    assert "--leave-stdin-open" in kept
    assert "--leave-stdin-open" not in both


def test_the_log_driver_goes_without_a_path_where_there_is_no_file() -> None:
    argv = build_conmon_argv(
        ConmonOptions(id="a", name="n", bundle="/b", log="/l", log_driver="none")
    )
    assert argv[argv.index("-l") + 1] == "none"
    argv = build_conmon_argv(LAUNCH)
    assert argv[argv.index("-l") + 1] == "k8s-file:/l/log"


def test_exit_files_hold_the_bare_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(conmon, "exit_folder", lambda: tmp_path)
    (tmp_path / "a").write_text("7")
    (tmp_path / "b").write_text("")
    assert (
        conmon.read_exit_status("a"),
        conmon.read_exit_status("b"),
        conmon.read_exit_status("c"),
    ) == (
        7,
        None,
        None,
    )
