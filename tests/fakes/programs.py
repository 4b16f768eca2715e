"""Fake programs that record their arguments and run a shell script."""

import os
from pathlib import Path

import pytest


class Programs:
    """A folder of fake programs, to be put first in PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(self, name: str, script: str = "") -> None:
        """Add a program that records its call and then runs ``script``."""
        program = self.folder / name
        note = f'{{ printf "%s\\0" "$@"; echo; }} >>"{self.folder}/{name}.calls"'
        program.write_text(f"#!/bin/sh\n{note}\n{script}\n")
        program.chmod(0o755)

    def calls(self, name: str) -> list[list[str]]:
        """Return the arguments of every call so far."""
        noted = self.folder / f"{name}.calls"
        if not noted.exists():
            return []
        return [line.rstrip("\0").split("\0") for line in noted.read_text().splitlines()]

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the folder first in PATH."""
        monkeypatch.setenv("PATH", f"{self.folder}:{os.environ['PATH']}")
