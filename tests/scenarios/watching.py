"""Run `watch`, or `up --watch`, and read what it prints."""

import os
import selectors
import signal
import subprocess
import time
from typing import Any, Self

import pytest

from tests.scenarios.lib import Project


class Watching:
    """A command that watches, with its output in pipes."""

    def __init__(self, project: Project, *argv: str, enabled: bool = True, **more: Any) -> None:
        """Start ``argv`` in the project's folder, and wait until it watches."""
        self._process = project.user.popen(
            *argv,
            cwd=project.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )
        self.pid = self._process.pid
        self.out = self.err = ""
        self._selector = selectors.DefaultSelector()
        for name in ("stdout", "stderr"):
            stream = getattr(self._process, name)
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, name)
        if enabled:
            self.prints("Watch enabled")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for stream in (self._process.stdout, self._process.stderr):
            os.set_blocking(stream.fileno(), True)
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=15)

    def prints(self, text: str, *, count: int = 1, timeout: float = 15) -> str:
        """Wait until standard output has a text so many times; return all of it."""
        self._wait(lambda: self.out.count(text) >= count, repr(text), timeout)
        return self.out

    def warns(self, text: str, *, timeout: float = 15) -> str:
        """Wait until standard error has a text; return all of it."""
        self._wait(lambda: text in self.err, repr(text), timeout)
        return self.err

    def interrupt(self, number: int = signal.SIGINT, *, group: bool = False) -> int:
        """Send a signal, and return the exit status."""
        (os.killpg if group else os.kill)(self.pid, number)
        return self.ends()

    def ends(self, *, timeout: float = 15) -> int:
        """Wait until it ends; return the exit status."""
        self._wait(lambda: not self._selector.get_map(), "the end", timeout)
        return self._process.wait(timeout)

    def _wait(self, met: Any, what: str, timeout: float) -> None:
        end = time.monotonic() + timeout
        while not met():
            if not self._selector.get_map() or time.monotonic() > end:
                pytest.fail(f"not seen: {what}\n--- stdout\n{self.out}\n--- stderr\n{self.err}")
            for key, _ in self._selector.select(max(0.01, end - time.monotonic())):
                block = os.read(key.fd, 1 << 16)
                if not block:
                    self._selector.unregister(key.fileobj)
                elif key.data == "stdout":
                    self.out += block.decode()
                else:
                    self.err += block.decode()
