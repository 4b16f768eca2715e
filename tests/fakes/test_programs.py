"""Tests of the fake programs themselves."""

import subprocess
from pathlib import Path

import pytest

from tests.fakes.programs import Programs


def test_a_program_that_was_not_called_has_no_calls(tmp_path: Path) -> None:
    programs = Programs(tmp_path / "bin")
    programs.add("runc")
    assert programs.calls("runc") == []


def test_calls_are_noted_word_by_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(tmp_path / "bin")
    programs.add("runc", "echo said; exit 3")
    programs.enter(monkeypatch)
    done = subprocess.run(["runc", "a b", "c"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "said\n")
    assert programs.calls("runc") == [["a b", "c"]]
