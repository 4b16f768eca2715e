"""Answers are written as they are, or the error says why not."""

from pathlib import Path

import pytest

from cntnr_compose.cli.display import stdout


def test_text_is_written_as_it_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    stdout.write("a")
    stdout.print_line("b")
    stdout.flush()
    assert capsys.readouterr().out == "ab\n"
    stdout.write_file("späte \udcff", str(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes() == "späte ".encode() + b"\xff"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(stdout.NotWritten, match=f"cannot write to {tmp_path}: is a directory"):
        stdout.write_file("", str(tmp_path))


def test_a_full_disk_is_an_error_and_a_closed_pipe_is_not_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for error, expected in (
        (OSError(28, "No space left"), stdout.NotWritten),
        (BrokenPipeError(), BrokenPipeError),
    ):

        def fail(_text: str, error: OSError = error) -> None:
            raise error

        monkeypatch.setattr("sys.stdout.write", fail)
        with pytest.raises(expected):
            stdout.write("x")
