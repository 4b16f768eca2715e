"""Tell the service manager that started a command how its service does (sd_notify(3)).

The socket is that of `NOTIFY_SOCKET`, a path or, after an @, an abstract name; without it nothing is told.
A message comes from the command itself, the main process of the unit: systemd takes them from no other by
default.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, WarningEvent, ignore_event
from cntnr_compose.core.values import Bytes
from cntnr_compose.host import cgroups, process

VARIABLE = "NOTIFY_SOCKET"
MAX_MESSAGE: Bytes = 4096  # systemd reads no more
TIMEOUT = 5.0  # seconds until a manager that does not read is given up
# What programs in containers may say; the rest would name processes and descriptors that are theirs alone.
RELAYED = frozenset(
    {
        "READY", "RELOADING", "STOPPING", "STATUS", "ERRNO", "BUSERROR", "EXIT_STATUS", "WATCHDOG",
        "EXTEND_TIMEOUT_USEC", "MONOTONIC_USEC",
    }
)  # fmt: skip


class ManagerUnreachable(CntnrError):
    """The service manager cannot be told anything."""

    hint = "unset NOTIFY_SOCKET where no service manager waits"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot tell the service manager at {name}: {why}")


def is_there() -> bool:
    """Tell whether a service manager wants to know."""
    return bool(os.environ.get(VARIABLE))


def tell(*lines: str) -> None:
    """Send a message, where a service manager wants to know. Raises `ManagerUnreachable`."""
    name = os.environ.get(VARIABLE, "")
    if not name:
        return
    message = "".join(f"{line.replace(chr(10), ' ')}\n" for line in lines).encode()
    address = f"\0{name[1:]}" if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        try:
            connection.settimeout(TIMEOUT)
            connection.sendto(message[:MAX_MESSAGE], address)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", "") or str(error)
            raise ManagerUnreachable(name, why) from error


def tell_ready(status: str, emit: Emit, main_pid: int = 0) -> None:
    """Say that the service runs, or warn; its main process is this one unless another is told.

    systemd takes only one in the group of the unit, which this process is in.
    """
    if main_pid:
        cgroups.bring(main_pid)
    try:
        tell("READY=1", f"STATUS={status}", f"MAINPID={main_pid or os.getpid()}")
    except ManagerUnreachable as error:
        emit(WarningEvent(text=f"{error}; {error.hint}"))


def tell_stopping() -> None:
    """Say that the service is being stopped; whoever cannot be told will see it."""
    with contextlib.suppress(ManagerUnreachable):
        tell("STOPPING=1", "STATUS=stopping")


def filter_message(message: bytes) -> list[str]:
    """Return the lines of a program's message that are passed on."""
    lines = message.decode(errors="replace").splitlines()
    return [line for line in lines if line.partition("=")[0] in RELAYED and "=" in line]


class NotifyRelay:
    """A socket in a folder that is mounted in a container, and what passes its messages on."""

    def __init__(self, folder: Path) -> None:
        """Listen. Raises `ManagerUnreachable`."""
        self._path = folder / "notify.sock"
        self.main_pid = 0  # which is told as that of the service; 0: ours
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.is_ready = threading.Event()
        self._emit: Emit = ignore_event
        try:
            self._bind(folder)
        except OSError as error:
            self._socket.close()
            raise ManagerUnreachable(str(self._path), error.strerror or str(error)) from error

    def _bind(self, folder: Path) -> None:
        """Bind by the folder's descriptor: the path itself may be longer than a socket's may be."""
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink("notify.sock", dir_fd=descriptor)
            with process.umask(0o111):  # programs run as any user of the container
                self._socket.bind(f"/proc/self/fd/{descriptor}/notify.sock")
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def start(self, emit: Emit) -> None:
        """Pass messages on from now on, beside what the command does; warn of those that cannot be."""
        self._emit = emit
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        for lines in self._receive():
            is_ready = "READY=1" in lines
            try:
                tell(*lines, *([f"MAINPID={self.main_pid or os.getpid()}"] if is_ready else []))
            except ManagerUnreachable as error:
                self._emit(WarningEvent(text=f"{error}; {error.hint}"))
            if is_ready:
                self.is_ready.set()

    def _receive(self) -> Iterator[list[str]]:
        with contextlib.suppress(OSError):  # it was closed
            while message := self._socket.recv(MAX_MESSAGE):
                if lines := filter_message(message):
                    yield lines
