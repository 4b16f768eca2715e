"""How conmon and runc are called, and what is made of what they say."""

from pathlib import Path

import pytest

from cntnr_compose.containers.runtime import runc
from cntnr_compose.containers.runtime.oci_runtime import OciRuntime
from cntnr_compose.containers.runtime.runc import (
    ConmonOptions,
    ContainerFailed,
    build_conmon_argv,
    extract_cause,
)
from cntnr_compose.core.values import replace

LAUNCH = ConmonOptions(id="abc", name="p-web-1", bundle="/b/abc", log="/l/log")
SAID = (
    'time="2026-01-01T00:00:00Z" level=warning msg="unable to get oom kill count" error="x"\n'
    'time="2026-01-01T00:00:00Z" level=error msg="runc create failed: unable to start container process: '
    'exec: \\"nope\\": executable file not found in $PATH"\n'
)


CRUN = OciRuntime(program="/opt/crun", kind="crun")


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runc.process, "find_program", lambda name: f"/usr/bin/{name}")


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


def test_the_cause_is_taken_out_of_the_log_lines() -> None:
    assert extract_cause(SAID) == 'exec: "nope": executable file not found in $PATH'
    assert extract_cause("") == "the runtime failed without a word"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('exec: "nope": executable file not found in $PATH', 127),
        ('exec: "/etc": permission denied', 126),
        ("exec /x: exec format error", 126),
        ("something else", 1),
    ],
)
def test_what_the_program_lacks_decides_the_exit_code(message: str, code: int) -> None:
    error = ContainerFailed("p-web-1", message)
    assert error.exit_code == code
    assert str(error) == f"cannot start container p-web-1: {message}"


def test_exit_files_hold_the_bare_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runc, "exit_folder", lambda: tmp_path)
    (tmp_path / "a").write_text("7")
    (tmp_path / "b").write_text("")
    assert (runc.read_exit_status("a"), runc.read_exit_status("b"), runc.read_exit_status("c")) == (
        7,
        None,
        None,
    )
