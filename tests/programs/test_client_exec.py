"""`exec` in a container: a program is run with our streams, and ends us as it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.client.exec.run import CannotExec, run_exec
from cntnr_compose.host.children import foreground, spawn
from cntnr_compose.model.protocol import ExecCommand

ROOT = Path(__file__).resolve().parents[2]
# As runc 1.1 says it where standard error is no terminal.
SAID = r'time="2026-11-25T18:00:00Z" level=error msg="exec failed: unable to start container process: %s"'

OF_CRUN = '{"msg":"%s","level":"error","time":"2026-11-30T10:43:30.000969Z"}'

OURS = (
    "import sys; from cntnr_compose.cli import signals; signals.wake_blocking_calls();"
    " from cntnr_compose.client.exec.run import run_exec;"
    " from cntnr_compose.model.protocol import ExecCommand;"
    " sys.exit(run_exec(ExecCommand(argv=tuple(sys.argv[1:])), 'p', 'c'))"
)


def sh(script: str, **more: bool) -> int:
    return run_exec(ExecCommand(argv=("sh", "-c", script)), "prog", "shop-web-1", **more)


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("exit 255", 255)]
)
def test_its_status_is_ours(script: str, code: int) -> None:
    assert sh(script) == code


def test_streams_are_kept_apart(capfd: pytest.CaptureFixture[str]) -> None:
    sh("echo out; echo err >&2; printf 'no end' >&2")
    assert capfd.readouterr() == ("out\n", "err\nno end")


@pytest.mark.parametrize(
    ("why", "code", "message"),
    [
        (
            SAID % r"exec: \"nope\": executable file not found in $PATH",
            127,
            "executable file not found",
        ),
        (SAID % r"exec: \"/x\": permission denied", 126, "permission denied"),
        (
            OF_CRUN % "executable file `nope` not found in $PATH: x",
            127,
            "executable file not found",
        ),
        (OF_CRUN % "open executable: Permission denied", 126, "permission denied"),
    ],
)
def test_a_program_that_cannot_be_started_is_told_in_our_words(
    capfd: pytest.CaptureFixture[str], why: str, code: int, message: str
) -> None:
    with pytest.raises(CannotExec) as raised:
        run_exec(
            ExecCommand(argv=("sh", "-c", 'echo "$1" >&2; exit 255', "sh", why)),
            "prog",
            "shop-web-1",
        )
    assert raised.value.exit_code == code
    assert str(raised.value).startswith(f"cannot run prog in container shop-web-1: {message}")
    assert "\\" not in str(raised.value)
    assert capfd.readouterr().err == ""


def test_such_words_of_the_program_itself_are_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    assert (
        run_exec(
            ExecCommand(argv=("sh", "-c", 'echo "$1" >&2; exit 3', "sh", SAID % "x")), "prog", "c"
        )
        == 3
    )
    assert capfd.readouterr().err == SAID % "x" + "\n"


def test_what_it_leaves_behind_holds_nobody_up() -> None:
    began = time.monotonic()
    assert sh("sleep 6 & exit 4") == 4
    assert time.monotonic() - began < 5


def test_in_the_background_it_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert sh("echo out; echo err >&2", detach=True) == 0
    assert capfd.readouterr() == ("", "")
    with pytest.raises(CannotExec, match="it could not be started"):
        sh("exit 255", detach=True)


def test_without_a_process_file_empty_words_stay(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_exec(ExecCommand(argv=("printf", "<%s>", "", "x")), "prog", "c") == 0
    assert capfd.readouterr().out == "<><x>"


def test_a_container_without_room_for_the_runtime_is_told_with_what_to_look_at() -> None:
    why = SAID % "read init-p: connection reset by peer"
    with pytest.raises(CannotExec) as raised:
        run_exec(
            ExecCommand(argv=("sh", "-c", 'echo "$1" >&2; exit 255', "sh", why)), "prog", "web-1"
        )
    assert "`cntnr stats`" in raised.value.hint


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1"])
def test_signals_are_passed_on(name: str) -> None:
    script = f"trap 'echo got {name}; exit 6' {name}; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [sys.executable, "-c", OURS, "sh", "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,  # without a terminal, which would send Ctrl-C to both
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        os.kill(started.pid, signal.Signals[f"SIG{name}"])
        out, _ = started.communicate(timeout=30)
    assert (out, started.returncode) == (f"got {name}\n", 6)


def test_ctrl_c_before_there_is_a_program_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    start = spawn.spawn_with_pipe

    def interrupted(*words: Any, **more: Any) -> tuple[spawn.Child, int]:
        signal.raise_signal(signal.SIGINT)
        return start(*words, **more)

    monkeypatch.setattr(spawn, "spawn_with_pipe", interrupted)
    monkeypatch.setattr(foreground, "_is_in_foreground", lambda: True)
    assert run_exec(ExecCommand(argv=("sleep", "20")), "prog", "shop-web-1") == 128 + signal.SIGINT


def test_a_program_that_gets_no_process_has_ended_before_its_error_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> bytes:
        raise LookupError

    script = 'cat "$1"; echo said >&2; sleep 0.1; echo ended >"$2"'
    argv = ["sh", "-c", script, "sh", "/spec", str(tmp_path / "end")]
    with pytest.raises(LookupError):
        foreground.run(
            argv, "/spec", refuse, interactive=False, is_apart=False, is_withheld=lambda _: False
        )
    assert (tmp_path / "end").read_text() == "ended\n"
    assert capfd.readouterr() == ("", "")


def test_the_process_is_in_a_file_that_has_no_name(capfd: pytest.CaptureFixture[str]) -> None:
    command = ExecCommand(argv=("cat", "/spec", "/dev/null"), spec='{"é": 1}', spec_word="/spec")
    assert run_exec(command, "prog", "c") == 0
    assert capfd.readouterr().out == '{"é": 1}'


def test_a_terminal_of_its_own_has_what_is_written_and_the_exit_code(
    capfd: pytest.CaptureFixture[str],
) -> None:
    script = "test -t 0 && test -t 1 && echo seen; exit 5"
    command = ExecCommand(argv=("sh", "-c", script))
    assert run_exec(command, "prog", "c", interactive=False, detach_keys=b"") == 5
    assert capfd.readouterr().out.strip() == "seen"
    failing = ExecCommand(
        argv=("sh", "-c", 'echo "$1" >&2; exit 255', "sh", SAID % "permission denied")
    )
    with pytest.raises(CannotExec) as raised:
        run_exec(failing, "prog", "c", interactive=False, detach_keys=b"")
    assert raised.value.exit_code == 126
