"""Watch in a process of its own, beside an attached `up`, which prints what it tells and writes."""

import contextlib
import os
import signal
import sys
import time
from typing import cast

from cntnr_compose.core.events import Event
from cntnr_compose.core.values import Seconds, Value, from_json, to_json
from cntnr_compose.host import process
from cntnr_compose.model.project import Project

SOURCE = "⦿"  # of its own messages, as an `Output`
ENDS = (0, 1, 130)  # exit codes: told to stop, an error that was told, interrupted
SCRIPT = "from cntnr_compose.watch.main import main; main()"
STOP_TIMEOUT: Seconds = 5  # an interrupted build or change is undone meanwhile
POLL_INTERVAL: Seconds = 0.01
READ_SIZE = 1 << 16
MAX_LINE = 1 << 20  # a longer one is read in pieces


class WatchJob(Value, frozen=True, kw_only=True):
    """What a process is to watch."""

    project: Project  # with all services, as it was brought up
    services: tuple[str, ...]
    quiet: bool = False
    prune: bool = True
    separator: str = "-"


class LineReader:
    """The read end of a pipe, split into lines."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self.is_open = True
        os.set_blocking(descriptor, False)

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._descriptor

    def read_lines(self) -> list[bytes]:
        """Return the lines that have come; at the end also one without an end of line."""
        with contextlib.suppress(BlockingIOError):
            while self.is_open and len(self._rest) <= MAX_LINE:
                block = os.read(self._descriptor, READ_SIZE)
                self._rest += block
                if not block:
                    self.close()
        *lines, self._rest = self._rest.split(b"\n")
        if self._rest and (not self.is_open or len(self._rest) > MAX_LINE):
            lines.append(self._rest)
            self._rest = b""
        return lines

    def close(self) -> None:
        """Close the pipe."""
        if self.is_open:
            self.is_open = False
            os.close(self._descriptor)


class WatchProcess:
    """A process that watches, and what comes from it: events, and output of commands that it runs."""

    def __init__(self, job: WatchJob) -> None:
        """Start it: it looks at the files, and waits for `start`. It ends when this process does."""
        readers, writers = zip(*(os.pipe2(os.O_CLOEXEC) for _ in range(3)), strict=True)
        jobs, self._jobs = os.pipe2(os.O_CLOEXEC)
        events, out, err = writers
        argv = [sys.executable, "-P", "-c", SCRIPT, str(events)]
        env = {**os.environ, "PATH": process.search_path()}
        try:
            self._process = process.popen(
                argv, env=env, stdin=jobs, stdout=out, stderr=err, pass_fds=(events,)
            )
        finally:
            for descriptor in (jobs, *writers):
                os.close(descriptor)
        self._events, self.out, self.err = map(LineReader, readers)
        self._send(to_json(job))

    def start(self) -> None:
        """Let it copy what is to be there at first, and watch."""
        self._send(b"start")

    def _send(self, line: bytes) -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(os.dup(self._jobs), "wb") as pipe:
            pipe.write(line + b"\n")

    @property
    def readers(self) -> list[LineReader]:
        """Return what select can wait for."""
        return [reader for reader in (self._events, self.out, self.err) if reader.is_open]

    def read_events(self) -> list[Event]:
        """Return what it has told since."""
        return [cast("Event", from_json(line, Event)) for line in self._events.read_lines()]  # type: ignore[arg-type]

    def has_ended(self) -> bool:
        """Return whether it has ended by itself, and everything was read."""
        return not self.readers and self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._process.returncode

    def interrupt(self) -> None:
        """Interrupt it, and wait for its end; kill it where that takes too long."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        end = time.monotonic() + STOP_TIMEOUT
        while self._process.poll() is None and time.monotonic() < end:
            time.sleep(POLL_INTERVAL)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End it, and close the pipes."""
        self.interrupt()
        os.close(self._jobs)
        for reader in self.readers:
            reader.close()
