"""How the holder is started: rootlesskit, what runs inside, and the end of a start that breaks off."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.host import files, kernel, proc, process
from cntnr_compose.host.namespaces import subids
from cntnr_compose.host.namespaces.rootlesskit import (
    COPY_UP_FOLDERS,
    MTU,
    HolderFailed,
    NamespaceHolder,
    remove_holder_files,
)

START_TIMEOUT = 20.0  # seconds; 40 ms is usual
STATE_PREFIX = "cntnr-state-"
STATE_SIZE = 4096  # bytes that rootlesskit needs for its files
MAX_STATE_PATH = 90  # bytes; sockets lie there, whose paths have 107 at most (unix(7))
PID_WRITER = (
    'echo $$ >"$0" && exec "$@"'  # it writes its pid down itself, so that no starter can miss to
)
# What runs inside; its argument is where it writes its pid. It stays only when it is told that its pids
# are written down: so a holder whose starter was killed ends by itself, and none runs that nobody knows;
# not at once, since rootlesskit hangs when its child ends before it has set everything up.
PAYLOAD = (
    # The machine may have something of that name, to which rootlesskit has made a link.
    f"{{ [ ! -L {paths.holder_tmpfs()} ] || rm {paths.holder_tmpfs()}; }}"
    f" && mkdir -m 700 {paths.holder_tmpfs()} && echo 1 >/proc/sys/net/ipv4/ip_forward"
    ' && echo $$ >"$0.new" && mv "$0.new" "$0"'
    " && { read -r go || { sleep 2; exit 1; }; } && exec sleep infinity </dev/null"
)


class NoSubordinateIds(CntnrError):
    """The user has no range of subordinate ids, without which containers would have one id alone."""

    def __init__(self, user: str) -> None:
        super().__init__(
            f"cannot map the ids of containers: {user} has no range in /etc/subuid and /etc/subgid"
        )
        ids = subids.free_subordinate_range()
        self.hint = (
            f"an administrator can give one: usermod --add-subuids {ids} --add-subgids {ids} {user}"
        )


class TunClosed(CntnrError):
    """The device that the user-mode network needs may not be opened."""

    hint = "an administrator can open it: chmod 0666 /dev/net/tun"

    def __init__(self) -> None:
        super().__init__("cannot open /dev/net/tun, which the network of containers needs")


def rootlesskit_argv(state: Path, ready: Path) -> list[str]:
    """Make the command that starts the holder.

    Root's gets mounts of its own first: slirp4netns locks itself in by taking mounts away, which as root
    it does to all who share them, as systemd has everybody do.
    """
    alone = ["unshare", "--mount", "--propagation", "slave"] if os.getuid() == 0 else []
    return [
        *alone,
        "rootlesskit",
        "--state-dir", str(state),
        "--net=slirp4netns", f"--mtu={MTU}",
        "--slirp4netns-sandbox=auto", "--slirp4netns-seccomp=auto",
        "--disable-host-loopback",
        "--port-driver=builtin",
        *(f"--copy-up={folder}" for folder in COPY_UP_FOLDERS),
        "--propagation=rslave",
        "--pidns",
        "sh", "-c", PAYLOAD, str(ready),
    ]  # fmt: skip


def start_holder(while_starting: Callable[[], None]) -> NamespaceHolder:
    home = paths.holder()
    kill_previous()
    remove_holder_files()
    home.mkdir(mode=0o700, parents=True)
    paths.secure_data()
    _check_host()
    state = _state_folder()
    with contextlib.ExitStack() as undo:
        readable, writable = os.pipe2(os.O_CLOEXEC)
        word = undo.enter_context(os.fdopen(readable, "rb"))
        go = undo.enter_context(os.fdopen(writable, "wb", buffering=0))
        log = undo.enter_context((home / "log").open("wb"))
        kept = os.open(paths.runtime(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        undo.callback(os.close, kept)
        # systemd-tmpfiles passes over folders that somebody has locked; rootlesskit does, for its life.
        fcntl.flock(kept, fcntl.LOCK_SH)
        start = undo.enter_context(contextlib.ExitStack())
        start.enter_context(uninterruptible())
        started = process.popen(
            [
                "sh",
                "-c",
                PID_WRITER,
                str(home / "pid"),
                *rootlesskit_argv(state, home / "payload"),
            ],
            stdin=word.fileno(),
            stdout=log.fileno(),
            stderr=log.fileno(),
            pass_fds=(kept,),
            new_session=True,
            cwd="/",
        )
        undo.push(partial(_kill_on_failure, started))
        start.close()
        while_starting()
        holder = _wait_until_ready(started, state)
        (home / "api.sock").symlink_to(state / "api.sock")
        (home / "inside").symlink_to(holder.proc_root_path(paths.holder_tmpfs()))
        for place in {home, state.parent}:
            files.write_value(place / "holder.json", vars(holder))
        go.write(b"go\n")
    return holder


def _state_folder() -> Path:
    """Choose rootlesskit's own folder: among the data, where no cleaner of old files comes.

    Where the path would be too long or that disk is full, `down` still has to work: then it is in the
    runtime folder. A name of its own: an earlier holder that still ends removes its folder by name.
    """
    name = f"{STATE_PREFIX}{os.urandom(4).hex()}"
    place = paths.holder_state()
    fits = len(os.fsencode(place / name)) <= MAX_STATE_PATH
    return (place if fits and _has_space(place) else paths.holder()) / name


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
    started: process.RunningProgram, kind: type[BaseException] | None, *_: object
) -> None:
    """End a rootlesskit where its start was interrupted: without its files it would hang."""
    if kind is not None:
        started.kill()
        started.wait()


def kill_previous() -> None:
    """Kill a rootlesskit that still ends, or whose starter was killed: it would hang without its files."""
    try:
        pid = int((paths.holder() / "pid").read_text())
    except (OSError, ValueError):
        return
    if any(STATE_PREFIX.encode() in word for word in proc.command_line(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while proc.start_time(pid):
            time.sleep(0.002)


def _wait_until_ready(started: process.RunningProgram, state: Path) -> NamespaceHolder:
    home = paths.holder()
    end = time.monotonic() + START_TIMEOUT
    # rootlesskit writes the pid and opens its socket last, when the payload may run already.
    while not ((home / "payload").exists() and (state / "api.sock").exists()):
        if started.poll() is not None or time.monotonic() > end:
            raise HolderFailed(_last_log_lines(home / "log"))
        time.sleep(0.002)
    child = int((state / "child_pid").read_text())
    born = proc.start_time(started.pid), proc.start_time(child)
    payload = int((home / "payload").read_text())
    return NamespaceHolder(parent=started.pid, child=child, payload=payload, born=born)


def _check_host() -> None:
    for program in ("rootlesskit", "slirp4netns", "newuidmap", "newgidmap", "runc", "conmon"):
        process.find_program(program)
    if not (subids.count_subordinate_ids("uid") and subids.count_subordinate_ids("gid")):
        raise NoSubordinateIds(subids.user_name())
    if not kernel.can_open_tun():
        raise TunClosed


def _last_log_lines(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-2:]) or "rootlesskit ended without a word"
