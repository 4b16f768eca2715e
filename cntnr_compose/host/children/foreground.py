"""Run a program in the foreground: it has our streams and gets our signals.

Imports little: `exec` of a plain command does nothing else.
"""

import _signal  # type: ignore[import-not-found] # what `signal` is made of
import os
import select

from cntnr_compose.host.children import spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    class Signalled(Protocol):
        """A program that signals are forwarded to."""

        def send_signal(self, number: int, /) -> None:
            """Send it a signal, unless it has ended."""
            ...

    class Elsewhere(Signalled, Protocol):
        """A process whose parent is another one; its descriptor becomes readable when it ends."""

        def fileno(self) -> int:
            """Return the descriptor, for poll."""
            ...

        def wait(self) -> int:
            """Wait for its end; return its exit code, or the negative number of a signal."""
            ...


FORWARDED_SIGNALS = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT")


def run(
    argv: "Sequence[str]",
    word: str,
    produce: "Callable[[], bytes]",
    *,
    interactive: bool,
    is_apart: bool,
    is_withheld: "Callable[[bytes], bool]",
) -> tuple[int, bytes]:
    """Run a program that reads, in place of a ``word`` of its command, what is produced beside its start.

    Where ``produce`` raises an error, so do we: the program has read nothing and ended. Return its exit
    code; negative numbers are of signals that ended it. What it writes to standard error is passed on, but
    for blocks that are to be withheld: they are returned. Unless ``interactive`` it reads nothing, and an
    interrupt that is passed on to it is raised at its end. Where it is to be kept ``apart`` from our
    terminal, pipes are between them: a program that has a terminal could type on it, and change its modes.
    Raises `ProgramMissing`.
    """
    streams = _Streams()
    try:
        with SignalForwarder() as signals:
            streams.open(interactive=interactive, is_apart=is_apart)
            child, pipe = spawn.spawn_with_pipe(
                argv,
                word,
                streams=(streams.stdin, streams.stdout, streams.stderr),
            )
            signals.set_child(child)
            streams.close_child_ends()
            _feed(child, pipe, produce)
            withheld = streams.forward(child, is_withheld)
            code = child.wait()
    finally:
        streams.close()
    if signals.was_interrupted and not interactive:
        raise KeyboardInterrupt
    return code, withheld


def run_elsewhere(
    process: "Elsewhere",
    start: "Callable[[tuple[int, int, int]], None]",
    *,
    interactive: bool,
    is_withheld: "Callable[[bytes], bool]",
) -> tuple[int, bytes]:
    """Have a process of another parent run with our streams, which ``start`` is given.

    A signal ends us, and the process goes on, but for what is typed on a terminal: it gets that, too. Returns
    and raises as `run` does otherwise.
    """
    streams = _Streams()
    try:
        with _Handlers(_raise_signal):
            streams.open(interactive=interactive, is_apart=False)
            start((0 if streams.stdin is None else streams.stdin, 1, streams.standard_error))
            streams.close_child_ends()
            withheld = streams.forward(process, is_withheld)
            return process.wait(), withheld
    except _Signalled as signalled:
        number = signalled.number
        if number in (_signal.SIGINT, _signal.SIGQUIT) and _is_in_foreground():
            process.send_signal(number)
        if number in (_signal.SIGINT, _signal.SIGTERM) and not interactive:
            raise KeyboardInterrupt from None
        return -number, b""
    finally:
        streams.close()


def _feed(child: spawn.Child, pipe: int, produce: "Callable[[], bytes]") -> None:
    try:
        content = produce()
    except BaseException:
        os.close(pipe)
        child.wait()  # nobody sees what it says of that
        raise
    spawn.feed(pipe, content)


class _Streams:
    """The standard streams of a program: ours where they are None, or what is between."""

    def __init__(self) -> None:
        self.stdin: int | None = None
        self.stdout: int | None = None
        self.stderr: int | None = None
        self._child_ends: list[int] = []
        self._outputs: dict[int, int] = {}  # what is read: where it goes

    def open(self, *, interactive: bool, is_apart: bool) -> None:
        """Make what is to be between."""
        if not interactive:
            self.stdin = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            self._child_ends.append(self.stdin)
        elif is_apart and os.isatty(0):
            self.stdin = self._pipe_input()
        if is_apart and os.isatty(1):
            self.stdout = self._pipe_output(1)
        self.stderr = self._pipe_output(2)

    def _pipe_output(self, target: int) -> int:
        readable, writable = os.pipe2(os.O_CLOEXEC)
        self._outputs[readable] = target
        self._child_ends.append(writable)
        return writable

    def _pipe_input(self) -> int:
        readable, writable = os.pipe2(os.O_CLOEXEC)
        self._child_ends.append(readable)
        import threading

        # Nobody waits for it: whoever types has not typed yet when the process ends.
        threading.Thread(target=_copy_input, args=(writable,), daemon=True).start()
        return readable

    def close_child_ends(self) -> None:
        """Close what only the program needs."""
        while self._child_ends:
            os.close(self._child_ends.pop())

    def close(self) -> None:
        """Close everything that is open."""
        self.close_child_ends()
        while self._outputs:
            os.close(self._outputs.popitem()[0])

    @property
    def standard_error(self) -> int:
        """The program's standard error, which never is ours."""
        assert self.stderr is not None
        return self.stderr

    def forward(
        self, child: "spawn.Child | Elsewhere", is_withheld: "Callable[[bytes], bool]"
    ) -> bytes:
        """Copy output until the program ends; return what is withheld of its standard error.

        Its end counts, not that of the pipes: processes left in the container may keep those open.
        """
        withheld = b""
        poll = select.poll()
        for descriptor in (*self._outputs, child.fileno()):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = {number for number, _ in poll.poll()}
            for readable in ready & set(self._outputs):
                block = os.read(readable, 1 << 16)
                if self._outputs[readable] == 2 and is_withheld(block):
                    withheld += block
                elif block:
                    os.write(self._outputs[readable], block)
                else:
                    poll.unregister(readable)
            if ready == {child.fileno()}:
                return withheld


def _copy_input(target: int) -> None:
    """Copy what is typed, until nobody reads it any more."""
    try:
        with os.fdopen(target, "wb", buffering=0) as pipe:
            while typed := os.read(0, 1 << 13):
                pipe.write(typed)
    except OSError:
        return


class _Handlers:
    """A block in which a handler has the signals that end a command."""

    def __init__(self, handle: "Callable[[int, object], None]") -> None:
        self._handle = handle
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> "_Handlers":  # noqa: PYI034 - Self is typing's
        """Install the handler."""
        for name in FORWARDED_SIGNALS:
            number = int(getattr(_signal, name))
            self._previous_handlers[number] = _signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        """Restore those from before."""
        for number, handler in self._previous_handlers.items():
            _signal.signal(number, handler)


class _Signalled(BaseException):
    """A signal has come."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _raise_signal(number: int, _frame: object) -> None:
    raise _Signalled(number)


class SignalForwarder(_Handlers):
    """Forward signals to a child instead of dying of them, also those that come before it is started.

    A terminal sends Ctrl-C to the child itself, so it is forwarded only where there is none.
    """

    def __init__(self) -> None:
        super().__init__(self._forward)
        self._child: Signalled | None = None
        self._pending: list[int] = []
        self.was_interrupted = False

    def __enter__(self) -> "SignalForwarder":  # noqa: PYI034 - Self is typing's
        """Install the handler."""
        super().__enter__()
        return self

    def set_child(self, child: "Signalled") -> None:
        """Forward to a child from now on, also what has come until now."""
        self._child = child
        # These came before the child was there, so no terminal has sent it any of them.
        while self._pending:
            child.send_signal(self._pending.pop(0))

    def _forward(self, number: int, _frame: object) -> None:
        self.was_interrupted |= number in (_signal.SIGINT, _signal.SIGTERM)
        if self._child is None:
            self._pending.append(number)
        elif number != _signal.SIGINT or not _is_in_foreground():
            self._child.send_signal(number)


def _is_in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
