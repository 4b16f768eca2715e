"""Start a program without subprocess, whose import takes 8 ms: for a command that does nothing else."""

import _signal  # type: ignore[import-not-found] # what `signal` is made of
import os

from cntnr_compose.host import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

STANDARD_ERROR = 2
IGNORED_BY_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)
OF_TERMINALS = (_signal.SIGINT, _signal.SIGQUIT, _signal.SIGHUP)


class Child:
    """A program that runs; its descriptor becomes readable when it ends."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid)

    def fileno(self) -> int:
        """Return the descriptor (a pidfd), for poll."""
        return self._pidfd

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        try:
            _signal.pidfd_send_signal(self._pidfd, number)
        except OSError:
            return

    def signal_group(self, number: int) -> None:
        """Send a signal to the process group that it leads, unless that has ended."""
        try:
            os.killpg(self.pid, number)
        except OSError:
            return

    def wait(self) -> int:
        """Wait for its end, once; return its exit code, or the negative number of a signal."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self._pidfd)
        self._pidfd = -1
        return os.waitstatus_to_exitcode(status)


def spawn_with_file(
    argv: "Sequence[str]",
    word: str,
    content: bytes,
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Child:
    """Start a program; the ``word`` in its command becomes a file in memory with ``content``.

    Streams without a descriptor are inherited, and no other descriptor is. Raises `ProgramMissing`.
    """
    file = os.memfd_create(word.rpartition("/")[2])
    try:
        while content:
            content = content[os.write(file, content) :]
        return _spawn(argv, word, file, (stdin, stdout, stderr))
    finally:
        os.close(file)


def spawn_with_pipe(
    argv: "Sequence[str]",
    word: str,
    *,
    streams: "Sequence[int | None]" = (None, None, None),
    leads_group: bool = False,
) -> tuple[Child, int]:
    """Start a program; the ``word`` in its command becomes a pipe, whose other end is returned.

    The ``streams`` become its descriptors 0, 1, 2 and so on; those that are None are ours. Where it leads a
    process group, that ignores no signal of a terminal, which we may do. Raises `ProgramMissing`.
    """
    readable, writable = os.pipe2(os.O_CLOEXEC)
    try:
        return _spawn(argv, word, readable, streams, leads_group=leads_group), writable
    except BaseException:
        os.close(writable)
        raise
    finally:
        os.close(readable)


def feed(pipe: int, content: bytes) -> None:
    """Write all of ``content`` to a pipe, as far as it is read, and close it."""
    try:
        while content:
            content = content[os.write(pipe, content) :]
    except BrokenPipeError:  # the program has ended; its code says why
        return
    finally:
        os.close(pipe)


def _close_others_on_exec() -> None:
    """Have descriptors closed in programs that whoever started us has left open."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) > STANDARD_ERROR:
            try:  # noqa: SIM105 - contextlib takes 2 ms to import
                os.set_inheritable(int(name), False)  # noqa: FBT003
            except OSError:
                pass  # that of the listing


def _spawn(
    argv: "Sequence[str]",
    word: str,
    descriptor: int,
    streams: "Sequence[int | None]",
    *,
    leads_group: bool = False,
) -> Child:
    """Start a program that inherits a descriptor, which takes the place of a ``word``, and its streams."""
    _close_others_on_exec()
    os.set_inheritable(descriptor, True)  # noqa: FBT003
    words = [f"/dev/fd/{descriptor}" if word and each == word else each for each in argv]
    process.log_command(words, " &")
    group: Any = {"setpgroup": 0} if leads_group else {}
    pid = os.posix_spawn(
        process.find_program(words[0]),
        words,
        process.base_env(),
        file_actions=[
            (os.POSIX_SPAWN_DUP2, number if stream is None else stream, number)
            for number, stream in enumerate(streams)
        ],
        setsigdef=[*IGNORED_BY_PYTHON, *(OF_TERMINALS if leads_group else ())],
        **group,
    )
    return Child(pid)
