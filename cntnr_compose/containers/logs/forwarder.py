"""Forward the output of a container to a syslog server: from its log file, so that nothing is lost meanwhile.

While the server does not answer, lines wait in the file. How far it came stands beside the log, so that a
later supervisor goes on there; after a crash some lines may be sent twice.
"""

import asyncio
import contextlib
import os
from collections.abc import Iterable

from cntnr_compose.containers.logs import syslog
from cntnr_compose.containers.logs.lines import LogLine, LogRange
from cntnr_compose.containers.logs.reader import LogFile
from cntnr_compose.core import paths
from cntnr_compose.core.events import Emit, WarningEvent
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record

POLL_INTERVAL: Seconds = 0.2
RETRY_INTERVAL: Seconds = 2  # while the server does not answer
FINISH_TIMEOUT: Seconds = 2  # for the last lines of a container that has ended
FIRST_CONNECT_TIMEOUT: Seconds = 1
POSITION_FILE = "forwarded"  # beside the log


class Position(Value, frozen=True, kw_only=True):
    """Up to where lines were sent: those before ``time``, and ``count`` of that very time."""

    time: int = 0  # nanoseconds since the epoch
    count: int = 0

    def advance(self, line: LogLine) -> "Position":
        """Return the position behind a line."""
        time = line_time(line)
        return Position(time=time, count=self.count + 1 if time == self.time else 1)


def line_time(line: LogLine) -> int:
    """Return the time of a line in nanoseconds since the epoch."""
    seconds, nanoseconds = line.timestamp
    return seconds * 1_000_000_000 + int(nanoseconds)


class LogForwarder:
    """Forwards the output of one container, from its preparation to its end."""

    def __init__(self, record: Record, target: syslog.SyslogTarget) -> None:
        log = paths.container_log(record.project, record.id)
        self._target = target
        self._name = record.name
        self._position_file = log.with_name(POSITION_FILE)
        self._position = files.read_value(self._position_file, Position) or Position()
        self._log = LogFile(log, record.id)
        self._connection: syslog.SyslogConnection | None = None
        self._has_ended = asyncio.Event()
        self._is_done = asyncio.Event()

    async def warn_if_unreachable(self, emit: Emit) -> None:
        """Warn where the server does not answer."""
        try:
            async with asyncio.timeout(FIRST_CONNECT_TIMEOUT):
                (await syslog.SyslogConnection.connect(self._target)).close()
        except OSError as error:
            # asyncio has a text of its own where the number says it better.
            reason = os.strerror(error.errno).lower() if error.errno else "it does not answer"
            text = f"the syslog server {self._target} cannot be reached yet ({reason})"
            emit(WarningEvent(text=f"{text}; output of {self._name} waits in its log"))

    async def run(self) -> None:
        """Send lines until `finish` was called and all are sent."""
        try:
            await self._send_history()
            while True:
                is_last = self._has_ended.is_set()
                await self._send(await asyncio.to_thread(self._log.read_new))
                if is_last and not self._log.count_unread():
                    await self._send(self._log.read_last())
                    return
                if not self._log.count_unread():
                    await self._pause(POLL_INTERVAL)
        finally:
            self._is_done.set()
            self._log.close()
            if self._connection is not None:
                self._connection.close()

    async def finish(self) -> None:
        """Send what is left, where the server answers in time; the container has ended."""
        self._has_ended.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_TIMEOUT):
                await self._is_done.wait()

    async def _send_history(self) -> None:
        """Send what an earlier run or supervisor has not sent."""
        since, count = self._position.time, self._position.count
        history = self._log.read_history(LogRange(since=since))
        await self._send(
            line
            for number, line in enumerate(history)
            if line_time(line) > since or number >= count
        )

    async def _send(self, lines: Iterable[LogLine]) -> None:
        before = self._position
        try:
            for line in lines:
                for message in syslog.format_messages(line, self._target):
                    await self._send_message(message)
                self._position = self._position.advance(line)
        finally:
            if self._position != before:
                files.write_value(self._position_file, self._position)

    async def _send_message(self, message: bytes) -> None:
        """Send a message, however often that has to be tried."""
        while True:
            try:
                if self._connection is None:
                    self._connection = await syslog.SyslogConnection.connect(self._target)
                await self._connection.send(message)
            except OSError:
                if self._connection is not None:
                    self._connection.close()
                self._connection = None
                await asyncio.sleep(RETRY_INTERVAL)
            else:
                return

    async def _pause(self, seconds: Seconds) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_ended.wait()
