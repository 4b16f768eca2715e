"""Start programs. The only module that imports subprocess, and only when it starts one by that."""

import os
import sys

from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.frozen import Frozen, Seconds

TYPE_CHECKING = False  # not typing's: some commands are over before that would be imported
if TYPE_CHECKING:
    import asyncio
    import subprocess
    from collections.abc import Collection, Coroutine, Mapping, Sequence
    from typing import Any, TypeAlias, TypeVar

    RunningProgram: TypeAlias = subprocess.Popen[bytes]
    T = TypeVar("T")
else:
    RunningProgram = object

# Debian keeps runc, nft and dnsmasq in folders that are not in an ordinary user's PATH.
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
StrPath = str | os.PathLike[str]
PIPE = -1  # as subprocess calls it


class ProgramResult(Frozen):
    """Exit code and output of a program."""

    returncode: int
    stdout: str
    stderr: str


async def run_shielded(work: "Coroutine[Any, Any, T]") -> "T":
    """Run work to its end: a cancellation meanwhile is raised afterwards."""
    import asyncio

    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None and not task.cancelled():
        raise cancelled from task.exception()
    return task.result()


async def clean_up(work: "Coroutine[Any, Any, object]") -> None:
    """Clean up after a failure, to the end.

    The user is told of the first failure; one of the clean-up goes to the log.
    """
    try:
        await run_shielded(work)
    except Exception:  # noqa: BLE001
        import traceback

        traceback.print_exc()


def use_pidfd_child_watcher() -> None:
    """Make asyncio watch children by pidfd: its default is a thread for each of them."""
    import asyncio

    if sys.version_info < (3, 12):  # later versions do so by default
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())


class _Umask:
    def __init__(self, mask: int) -> None:
        self._mask = mask

    def __enter__(self) -> None:
        self._mask = os.umask(self._mask)

    def __exit__(self, *_: object) -> None:
        os.umask(self._mask)


def umask(mask: int) -> _Umask:
    """Set the umask for as long as the block runs."""
    return _Umask(mask)


def search_path() -> str:
    """Return the user's PATH with the system folders behind it."""
    return f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"


def base_env(**more: str) -> dict[str, str]:
    """Build the small environment that programs are started with."""
    inherited = (
        "HOME",
        "USER",
        "LANG",
        "TMPDIR",
        "XDG_RUNTIME_DIR",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
    )
    env = {name: os.environ[name] for name in inherited if name in os.environ}
    return {**env, "PATH": search_path(), **more}


def find_program(program: str) -> str:
    """Find a program in the search path. Raises `ProgramMissing`."""
    path = find_in(program, search_path())
    if not path:
        raise ProgramMissing(program)
    return path


def find_in(program: str, folders: str) -> str:
    """Return the path of a program in a list of folders like PATH; empty where none has it."""
    # Not shutil.which: shutil imports three compressors, and every start comes by here.
    for folder in folders.split(":"):
        path = os.path.join(folder, program)  # noqa: PTH118 - nor pathlib, which takes 3 ms
        if os.access(path, os.X_OK) and os.path.isfile(path):  # noqa: PTH113
            return path
    return ""


def run(
    argv: "Sequence[StrPath]",
    *,
    env: "Mapping[str, str] | None" = None,
    stdin: bytes = b"",
    ok: "Collection[int]" = (0,),
    timeout: Seconds | None = None,
) -> ProgramResult:
    """Run a program to its end.

    Raises `ProgramMissing`, `CommandFailed`, and `TimeoutError` after ``timeout`` seconds.
    """
    import subprocess

    words = [os.fspath(word) for word in argv]
    log_command(words)
    try:
        completed = subprocess.run(
            words,
            env=dict(env if env is not None else base_env()),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise ProgramMissing(words[0]) from error
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(words[0]) from error
    return _check_exit_code(words, completed.returncode, completed.stdout, completed.stderr, ok)


def log_command(words: "Sequence[str]", end: str = "") -> None:
    """Log a command line that can be pasted, where logging is imported already, which takes 4 ms."""
    logging = sys.modules.get("logging")
    if logging is not None:
        import shlex

        logging.getLogger(__name__).debug("+ %s%s", shlex.join(words), end)


async def run_async(
    argv: "Sequence[StrPath]",
    *,
    env: "Mapping[str, str] | None" = None,
    stdin: bytes = b"",
    ok: "Collection[int]" = (0,),
) -> ProgramResult:
    """Run a program to its end without blocking the event loop; time limits are the caller's.

    When cancelled, kill the program and wait for its end. Output is read to end of file: not for programs
    that leave children behind which keep the pipes open. Raises `ProgramMissing`, `CommandFailed`.
    """
    import asyncio

    words = [os.fspath(word) for word in argv]
    log_command(words)
    pipe = asyncio.subprocess.PIPE
    streams = {"stdin": pipe if stdin else None, "stdout": pipe, "stderr": pipe}
    process = await _spawn(words, env, **streams)
    try:
        out, err = await process.communicate(stdin or None)
    finally:
        if process.returncode is None:  # cancelled: leave nothing behind
            process.kill()
            await process.wait()
    return _check_exit_code(words, await process.wait(), out, err, ok)


async def start_async(
    argv: "Sequence[StrPath]",
    *,
    env: "Mapping[str, str] | None" = None,
    pass_fds: "Sequence[int]" = (),
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    new_session: bool = False,
) -> "asyncio.subprocess.Process":
    """Start a program without waiting for it; streams without a descriptor are /dev/null.

    Raises `ProgramMissing`.
    """
    words = [os.fspath(word) for word in argv]
    log_command(words, " &")
    streams = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
    return await _spawn(words, env, **streams, pass_fds=pass_fds, start_new_session=new_session)


async def _spawn(
    words: "Sequence[str]",
    env: "Mapping[str, str] | None",
    *,
    stdin: int | None,
    stdout: int | None,
    stderr: int | None,
    **options: "Any",
) -> "asyncio.subprocess.Process":
    import asyncio

    null = asyncio.subprocess.DEVNULL
    try:
        return await asyncio.create_subprocess_exec(
            *words,
            env=dict(env if env is not None else base_env()),
            stdin=null if stdin is None else stdin,
            stdout=null if stdout is None else stdout,
            stderr=null if stderr is None else stderr,
            **options,
        )
    except FileNotFoundError as error:
        raise ProgramMissing(words[0]) from error


def popen(
    argv: "Sequence[StrPath]",
    *,
    env: "Mapping[str, str] | None" = None,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    pass_fds: "Sequence[int]" = (),
    new_session: bool = False,
    cwd: StrPath | None = None,
) -> RunningProgram:
    """Start a program and return its handle; streams without a descriptor are inherited."""
    import subprocess

    words = [os.fspath(word) for word in argv]
    log_command(words, " &")
    try:
        return subprocess.Popen(
            words,
            env=dict(env if env is not None else base_env()),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=pass_fds,
            start_new_session=new_session,
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise ProgramMissing(words[0]) from error


def wait_for(program: RunningProgram, timeout: Seconds | None = None) -> int:
    """Wait for the end of a program; return its exit code. Raises `TimeoutError`."""
    import subprocess

    try:
        return program.wait(timeout)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error


def end(program: RunningProgram, timeout: Seconds) -> None:
    """End a program that still runs: by SIGTERM, and by SIGKILL after ``timeout``."""
    if program.poll() is None:
        program.terminate()
        try:
            wait_for(program, timeout)
        except TimeoutError:
            program.kill()
            program.wait()


def _check_exit_code(
    words: list[str], code: int, out: bytes, err: bytes, ok: "Collection[int]"
) -> ProgramResult:
    result = ProgramResult(
        returncode=code, stdout=out.decode(errors="replace"), stderr=err.decode(errors="replace")
    )
    if code not in ok:
        raise CommandFailed(words, code, result.stderr)
    return result
