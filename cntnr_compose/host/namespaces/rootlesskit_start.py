"""Start the holder: rootlesskit, the process inside, and the clean-up of a start that is interrupted."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.host import files, kernel, network, proc, process
from cntnr_compose.host.namespaces import layer_folders, restrictions, subids
from cntnr_compose.host.namespaces.holder import (
    COPY_UP_FOLDERS,
    ENDED_FROM_OUTSIDE,
    MTU,
    HolderFailed,
    NamespaceHolder,
    remove_holder_files,
)
from cntnr_compose.host.network import UPLINK, Subnet

PROGRAMS = ("rootlesskit", "slirp4netns", "runc", "conmon")
START_TIMEOUT = 60.0  # seconds; 40 ms is usual, 20 s a machine that is emulated and busy
NOT_READY = f"rootlesskit is not ready after {START_TIMEOUT:.0f} s"
STATE_PREFIX = "cntnr-state-"
STATE_SIZE = 4096  # bytes that rootlesskit needs for its files
MAX_STATE_PATH = 90  # bytes; sockets lie there, whose paths have 107 at most (unix(7))
# Without this rootlesskit starts getsubids four times, a fifth of its start; versions before 1.1 do so and
# know no such option.
SUBIDS_FROM_FILES = "--subid-source=static"
OPTION_UNKNOWN = "not defined: -subid-source"
# It writes its pid itself, so that the pid is known even of one whose starter was killed.
PID_WRITER = 'echo $$ >"$0" && exec "$@"'
# What runs inside; its arguments are the file for its pid, and a name server where rootlesskit's is not
# the right one. It stays only when it reads that the holder is
# recorded: so a holder whose starter was killed ends by itself, and no unknown one runs. It does not end
# at once, since rootlesskit hangs when its child ends before all is set up.
PAYLOAD = (
    # The host may have a file of that name, to which rootlesskit has made a link.
    f"{{ [ ! -L {paths.holder_tmpfs()} ] || rm {paths.holder_tmpfs()}; }}"
    f" && mkdir -m 700 {paths.holder_tmpfs()} && echo 1 >/proc/sys/net/ipv4/ip_forward"
    ' && { [ -z "$1" ] || echo "nameserver $1" >/etc/resolv.conf; }'
    # Beside the address that the kernel makes, and tries for more than a second.
    f' && {{ [ -z "$1" ] || ip address add fd00::100/64 dev {UPLINK} nodad; }}'
    ' && echo $$ >"$0.new" && mv "$0.new" "$0"'
    " && { read -r go || { sleep 2; exit 1; }; } && exec sleep infinity </dev/null"
)


class TunClosed(CntnrError):
    """The device that slirp4netns needs may not be opened."""

    def __init__(self, *, exists: bool) -> None:
        super().__init__("cannot open /dev/net/tun, which the network of containers needs")
        self.hint = (
            "an administrator can open it: chmod 0666 /dev/net/tun"
            if exists
            else "it is not there; a container gets it by --device /dev/net/tun, see docs/nested.md"
        )


def rootlesskit_argv(state: Path, ready: Path, *further: str) -> list[str]:
    """Build the command that starts the holder, with further options of rootlesskit.

    The network of slirp4netns is one that neither this machine has nor a network that was created by hand.

    For root, unshare the mounts first: slirp4netns sandboxes itself by removing mounts, which as root it
    would do to all who share them, and under systemd everybody does.
    """
    unshare = ["unshare", "--mount", "--propagation", "slave"] if os.getuid() == 0 else []
    return [
        *unshare,
        "rootlesskit",
        "--state-dir", str(state),
        "--net=slirp4netns", f"--mtu={MTU}",
        f"--cidr={network.choose_uplink([*network.machine_subnets(), *_list_defined_subnets()])}",
        *network.ipv6_option("--ipv6"),
        "--slirp4netns-sandbox=auto", "--slirp4netns-seccomp=auto",
        "--disable-host-loopback",
        "--port-driver=builtin",
        *(f"--copy-up={folder}" for folder in COPY_UP_FOLDERS),
        "--propagation=rslave",
        "--pidns",
        *further,
        "sh", "-c", PAYLOAD, str(ready), *network.ipv6_option(network.NAME_SERVER_6),
    ]  # fmt: skip


def _list_defined_subnets() -> Iterator[Subnet]:
    """List the subnets of networks that were created by hand, from their files."""
    for path in files.find_paths(paths.networks(), "*.json"):
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            tree = files.read_value(path, dict) or {}
            yield network.parse_subnet(tree["bridge"]["subnet"])


def start_holder(while_starting: Callable[[], None]) -> NamespaceHolder:
    """Start a holder and record it; call ``while_starting`` meanwhile.

    Raises `ProgramMissing`, `TunClosed`, `HolderFailed`, `NamespacesForbidden`.
    """
    if not subids.come_from_files() or subids.explain_one_id():
        return _start_with((), while_starting)
    try:
        return _start_with((SUBIDS_FROM_FILES,), while_starting)
    except HolderFailed:
        if OPTION_UNKNOWN not in (paths.holder() / "log").read_text(errors="replace"):
            raise
    return _start_with((), lambda: None)


def _start_with(further: tuple[str, ...], while_starting: Callable[[], None]) -> NamespaceHolder:
    """Start a holder by rootlesskit with further options, and record it."""
    kill_previous()
    remove_holder_files()
    paths.holder().mkdir(mode=0o700, parents=True)
    paths.secure_data()
    _check_host()
    layer_folders.choose_layers(one_id=bool(subids.explain_one_id()))
    state = _choose_state_folder()
    with contextlib.ExitStack() as undo:
        readable, writable = os.pipe2(os.O_CLOEXEC)
        stdin = undo.enter_context(os.fdopen(readable, "rb"))
        go = undo.enter_context(os.fdopen(writable, "wb", buffering=0))
        log = undo.enter_context((paths.holder() / "log").open("wb"))
        runtime = _lock_runtime_folder()
        undo.callback(os.close, runtime)
        with uninterruptible():
            rootlesskit = _spawn(state, further, stdin.fileno(), log.fileno(), runtime)
            undo.push(partial(_kill_on_failure, rootlesskit))
        while_starting()
        holder = wait_until_ready(rootlesskit, state)
        _record(holder, state)
        go.write(b"go\n")
    return holder


def _lock_runtime_folder() -> int:
    """Lock the runtime folder against systemd-tmpfiles, which skips locked ones; return its descriptor.

    rootlesskit inherits the descriptor, and with it the lock, for its life.
    """
    descriptor = os.open(paths.runtime(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _spawn(
    state: Path, further: tuple[str, ...], stdin: int, log: int, runtime: int
) -> process.RunningProgram:
    home = paths.holder()
    argv = rootlesskit_argv(state, home / "payload", *further)
    return process.popen(
        ["sh", "-c", PID_WRITER, str(home / "pid"), *argv],
        stdin=stdin,
        stdout=log,
        stderr=log,
        pass_fds=(runtime,),
        new_session=True,
        cwd="/",
        env=subids.mapper_environment(),
    )


def _record(holder: NamespaceHolder, state: Path) -> None:
    home = paths.holder()
    (home / "api.sock").symlink_to(state / "api.sock")
    (home / "inside").symlink_to(holder.proc_root_path(paths.holder_tmpfs()))
    for folder in {home, state.parent}:
        files.write_value(folder / "holder.json", vars(holder))


def _choose_state_folder() -> Path:
    """Choose rootlesskit's own folder: among the data, where no cleaner of old files comes.

    Where the path would be too long or that disk is full, `down` still has to work: then choose the
    runtime folder. The name is random: an earlier holder that still ends removes its folder by name.
    """
    name = f"{STATE_PREFIX}{os.urandom(4).hex()}"
    folder = paths.holder_state()
    fits = len(os.fsencode(folder / name)) <= MAX_STATE_PATH
    return (folder if fits and _has_space(folder) else paths.holder()) / name


def _has_space(folder: Path) -> bool:
    probe = folder / "room"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        probe.write_bytes(bytes(STATE_SIZE))
        probe.unlink()
    except OSError:
        files.remove_tree(folder)
        return False
    return True


def _kill_on_failure(
    rootlesskit: process.RunningProgram, error: type[BaseException] | None, *_: object
) -> None:
    """Kill rootlesskit where its start was interrupted: without its files it would hang."""
    if error is not None:
        rootlesskit.kill()
        rootlesskit.wait()


def kill_previous() -> None:
    """Kill an earlier rootlesskit that still ends, or is left of a start: it would hang without its files."""
    try:
        pid = int((paths.holder() / "pid").read_text())
    except (OSError, ValueError):
        return
    if any(STATE_PREFIX.encode() in word for word in proc.command_line(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while proc.start_time(pid):
            time.sleep(0.002)


def wait_until_ready(rootlesskit: process.RunningProgram, state: Path) -> NamespaceHolder:
    """Wait until all of a started rootlesskit's files are there; describe it.

    Raises `HolderFailed`, `NamespacesForbidden`.
    """
    home = paths.holder()
    end = time.monotonic() + START_TIMEOUT
    # rootlesskit writes the pid and opens its socket last, when the payload may run already.
    while not ((home / "payload").exists() and (state / "api.sock").exists()):
        if rootlesskit.poll() is not None:
            restrictions.raise_restriction()
            raise HolderFailed(_last_log_lines(home / "log"))
        if time.monotonic() > end:
            raise HolderFailed(NOT_READY)
        time.sleep(0.002)
    child = int((state / "child_pid").read_text())
    born = proc.start_time(rootlesskit.pid), proc.start_time(child)
    if not all(born):  # killed just now: its files stay
        raise HolderFailed(ENDED_FROM_OUTSIDE)
    payload = int((home / "payload").read_text())
    return NamespaceHolder(parent=rootlesskit.pid, child=child, payload=payload, born=born)


def _check_host() -> None:
    for program in PROGRAMS:
        process.find_program(program)
    if not kernel.can_open_tun():
        raise TunClosed(exists=Path("/dev/net/tun").exists())


def _last_log_lines(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-2:]) or "rootlesskit ended without a word"
