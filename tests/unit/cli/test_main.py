"""The command itself: what is wrong is said in one sentence, and told by the exit code."""

import re
from collections.abc import Callable

import pytest

from cntnr_compose.cli import main
from tests.unit.cli.conftest import CommandResult, FakeSupervisor

Run = Callable[..., CommandResult]


def test_without_a_command_the_help_is_shown(cntnr: Run) -> None:
    for words in ((), ("--help",), ("-h",)):
        ran = cntnr(*words)
        assert (ran.code, ran.err) == (0, "")
        assert re.search(r"compose +Services of a compose file", ran.out)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bogus"], 'unknown command: "cntnr bogus"'),
        (["compose", "upp"], 'unknown command: "cntnr compose upp"'),
        (["volume", "update"], "cannot do `cntnr volume update`: cntnr does not have it yet"),
        (["compose", "--x", "up"], "unknown flag: --x"),
        (["compose", "up", "--x"], "unknown flag: --x"),
        (["compose", "up", "-Z"], "unknown shorthand flag: 'Z' in -Z"),
        (["compose", "up", "--scale"], "flag needs an argument: --scale"),
        (["compose", "up", "--build=maybe"], "flag takes no argument: --build"),
        (
            ["compose", "up", "--watch", "-d"],
            "--detach cannot be combined with --abort-on-container",
        ),
        (["compose", "up", "--wait-timeout", "x"], "invalid argument for --wait-timeout"),
        (["compose", "scale", "web=²"], 'invalid --scale option "web=²"'),
        (["compose", "logs", "--tail=--5"], 'invalid argument "--5" for --tail'),
        (["compose", "logs", "--tail", "²"], 'invalid argument "²" for --tail'),
        (["compose", "kill", "-s", "²"], "invalid signal: ²"),
        (["compose", "port", "web"], "missing argument: PRIVATE_PORT"),
        (["compose", "exec", "web"], "missing argument: COMMAND"),
        (["compose", "ls", "extra"], "got unexpected extra argument (extra)"),
        (["compose", "--progress", "foo", "ps"], 'unsupported --progress value "foo"'),
        (["compose", "--ansi", "foo", "ps"], 'unsupported --ansi value "foo"'),
        (["compose", "-p", "SHOP", "ps"], '"SHOP"'),
        (["compose", "down", "--rmi", "some"], "invalid argument for --rmi"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_status_1(
    cntnr: Run, supervisor: FakeSupervisor, words: list[str], sentence: str
) -> None:
    ran = cntnr(*words)
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert sentence in ran.err.splitlines()[0]
    assert "Traceback" not in ran.err
    assert supervisor.calls == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["compose", "upp"], "did you mean up?"),
        (["compose", "ps", "--statu", "x"], "did you mean --status?"),
        (["compose", "port", "web"], "usage: cntnr compose port [OPTIONS] SERVICE PRIVATE_PORT"),
        (["compose", "zzz"], "see `cntnr compose --help`"),
    ],
)
def test_a_wrong_command_line_is_followed_by_a_hint(
    cntnr: Run, words: list[str], hint: str
) -> None:
    assert cntnr(*words).err.splitlines()[1] == f"hint: {hint}"


def test_a_folder_without_a_file_is_an_error(compose: Run) -> None:
    for verb in ("up", "ps", "down", "config"):
        ran = compose(verb)
        assert ran.code == 1
        assert "no configuration file provided: not found" in ran.err


def fails_with(error: BaseException) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_a_bug_is_one_line_unless_debugged(cntnr: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_dispatch", fails_with(KeyError("x")))
    monkeypatch.delenv("CNTNR_DEBUG", raising=False)
    ran = cntnr("compose", "ps")
    assert ran.code == 70
    assert ran.err == (
        "internal error: KeyError: 'x' (this is a bug; run again with CNTNR_DEBUG=1)\n"
    )
    monkeypatch.setenv("CNTNR_DEBUG", "1")
    with pytest.raises(KeyError):
        cntnr("compose", "ps")


def test_an_interrupt_ends_with_130_in_silence(cntnr: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_dispatch", fails_with(KeyboardInterrupt()))
    ran = cntnr("compose", "ps")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_a_reader_that_went_away_is_no_error(cntnr: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_dispatch", fails_with(BrokenPipeError()))
    ran = cntnr("compose", "ps")
    assert (ran.code, ran.out, ran.err) == (141, "", "")


def test_errors_are_json_where_progress_is(compose: Run) -> None:
    ran = compose("--progress", "json", "-p", "shop", "start", "nobody")
    assert ran.code == 1
    assert ran.err == '{"error":true,"message":"no such service: nobody"}\n'
