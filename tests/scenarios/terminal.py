"""Run a command on a pseudo terminal: type input and read what it draws."""

import os
import pty
import select
import signal
import time
from collections.abc import Mapping
from typing import Any, Self

import pytest

from tests.scenarios.lib import Project


class Terminal:
    """A command on a pseudo terminal of its own."""

    def __init__(
        self, project: Project, *argv: str, size: tuple[int, int] = (24, 80), **more: Any
    ) -> None:
        """Start ``argv`` in the project's folder, on a terminal of ``size`` rows and columns."""
        self._ours, command_end = pty.openpty()
        self.resize(*size)
        env: Mapping[str, str] = {"TERM": "xterm", **more.pop("env", {})}
        self._process = project.user.popen(
            # A session of its own has no terminal until it opens one, as a login does.
            "setsid",
            "--ctty",
            "--wait",
            *argv,
            cwd=project.folder,
            env=env,
            stdin=command_end,
            stdout=command_end,
            stderr=command_end,
            **more,
        )
        os.close(command_end)
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)
        os.close(self._ours)

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of the terminal."""
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        """Type a text."""
        os.write(self._ours, text.encode())

    def sees(self, text: str, *, timeout: float = 15) -> str:
        """Wait until a text is shown; return what was shown up to its end."""
        end = time.monotonic() + timeout
        while text not in self.shown:
            if not self._read(end):
                pytest.fail(f"not shown within {timeout} s: {text!r}; shown: {self.shown!r}")
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def ends(self, *, timeout: float = 15) -> int:
        """Wait until the command ends; return its exit status."""
        end = time.monotonic() + timeout
        while self._read(end):
            pass
        return int(self._process.wait(max(0.1, end - time.monotonic())))

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return False
        try:
            part = os.read(self._ours, 1 << 16)
        except OSError:  # no process has the other end open any more
            return False
        self.shown += part.decode(errors="replace")
        return bool(part)
