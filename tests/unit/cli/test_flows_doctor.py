"""`doctor --fix` runs the commands of the rows; `--try` tells how a container went."""

import os
import shutil
from types import SimpleNamespace

import pytest

from cntnr_compose.cli.flows.doctor import fix, trial
from cntnr_compose.core.errors import CommandFailed
from cntnr_compose.doctor.check import Check
from cntnr_compose.host import process

CHECKS = [
    Check(name="a", state="ok", found="x", mend="sudo never"),
    Check(name="b", state="missing", found="x", mend="sudo apt-get install runc"),
    Check(name="c", state="reduced", found="x", mend="sudo apt-get install runc"),
    Check(name="d", state="reduced", found="x", mend="set XDG_DATA_HOME to a larger place"),
    Check(
        name="e",
        state="reduced",
        found="x",
        mend="sudo modprobe tun && sudo chmod 0666 /dev/net/tun",
    ),
    Check(name="f", state="reduced", found="x", mend="loginctl enable-linger ann"),
]


def test_each_command_is_run_once_and_advice_for_people_is_none() -> None:
    assert fix.list_commands(CHECKS, is_root=False, yes=False) == [
        "sudo apt-get install runc",
        "sudo modprobe tun && sudo chmod 0666 /dev/net/tun",
        "loginctl enable-linger ann",
    ]


def test_root_needs_no_sudo_and_who_said_yes_is_not_asked_by_others() -> None:
    assert fix.list_commands(CHECKS, is_root=True, yes=True) == [
        "apt-get install -y runc",
        "modprobe tun && chmod 0666 /dev/net/tun",
        "loginctl enable-linger ann",
    ]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the commands that are run; those with modprobe fail."""
    commands: list[str] = []

    def popen(argv: list[str], **_: object) -> SimpleNamespace:
        commands.append(argv[2])
        return SimpleNamespace(wait=lambda: int("modprobe" in argv[2]))

    monkeypatch.setattr(process, "popen", popen)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "/usr/bin/sudo")
    return commands


def test_only_what_was_agreed_to_is_run(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fix, "confirm", lambda question: "apt-get" in question)
    assert fix.run_commands(CHECKS, yes=False) == 0
    assert ran == ["sudo apt-get install runc"]
    assert "+ sudo apt-get install runc\n" in capsys.readouterr().err


def test_a_command_that_fails_is_told_and_the_others_are_run(
    ran: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert fix.run_commands(CHECKS, yes=True) == 1
    assert len(ran) == 3
    assert "ended with status 1: sudo modprobe tun" in capsys.readouterr().err


def test_without_sudo_the_administrator_gets_the_commands(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(fix.SudoMissing) as refused:
        fix.run_commands(CHECKS, yes=True)
    assert "apt-get install -y runc; modprobe tun && chmod" in refused.value.hint
    assert ran == []


@pytest.mark.parametrize(
    ("limit", "limits_hold", "state", "words"),
    [
        (str(trial.LIMIT), True, "ok", "its limit holds"),
        ("none", False, "ok", "its limit is not enforced, as above"),
        ("max", True, "reduced", "limited to max"),
    ],
)
def test_a_limit_that_does_not_hold_contradicts_the_row_of_cgroups(
    monkeypatch: pytest.MonkeyPatch, limit: str, limits_hold: bool, state: str, words: str
) -> None:
    monkeypatch.setattr(trial, "_bring_up_and_ask", lambda _: limit)
    check = trial.try_container(limits_hold=limits_hold)
    assert check.state == state
    assert words in check.found


def test_why_a_container_does_not_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> str:
        raise CommandFailed(["cntnr"], 1, " Network x  Creating\nerror: no\nhint: do\n")

    monkeypatch.setattr(trial, "_bring_up_and_ask", fail)
    check = trial.try_container(limits_hold=True)
    assert (check.state, check.found) == ("missing", "error: no / hint: do")
