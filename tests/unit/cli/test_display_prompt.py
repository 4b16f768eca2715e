"""A question is asked until there is an answer."""

import io

import pytest

from cntnr_compose.cli.display.prompt import confirm, confirm_or_skip

PROMPT = "Sure? [y/N] "


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("y\n", True),
        ("YES\n", True),
        ("yes", True),
        ("n\n", False),
        (" No \n", False),
        ("\n", False),
    ],
)
def test_an_answer_is_yes_or_no(
    typed: str,
    answer: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert confirm("Sure?") is answer
    assert capsys.readouterr() == ("", PROMPT)


def test_anything_else_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("perhaps\ny\n"))
    assert confirm("Sure?")
    assert capsys.readouterr().err == f"{PROMPT}Error: invalid input\n{PROMPT}"


def test_the_end_of_input_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(KeyboardInterrupt):
        confirm("Sure?")


@pytest.mark.parametrize(("typed", "answer"), [("y\n", True), ("no\n", False), ("", False)])
def test_without_a_terminal_a_question_is_asked_once(
    typed: str,
    answer: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert confirm_or_skip("Sure?") is answer
    assert capsys.readouterr() == ("Sure?", "")
    monkeypatch.setattr("sys.stdin", None)
    assert confirm_or_skip("Sure?") is False
