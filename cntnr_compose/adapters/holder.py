"""rootlesskit: the one process tree per user that owns the namespaces in which everything runs.

The holder gone means everything stopped. It lives as long as somebody holds one of the locks in
`paths.claims()`: supervisors do, and commands that build. All that those inside share with each other
and with commands lies in a tmpfs of its own, which commands reach through /proc (`Holder.outside`): no
cleaner of old files comes there, and nobody else can.
"""

import contextlib
import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cntnr_compose.adapters import files, kernel
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.plain import Plain
from cntnr_compose.core.undivided import undivided

if TYPE_CHECKING:
    from cntnr_compose.adapters import process

READY_WITHIN = 20.0  # seconds; 40 ms is usual
GONE_WITHIN = 5.0
# bridges are as fast as the kernel allows at this MTU, and so is slirp4netns
MTU = 65520
STATE = "cntnr-state-"
ROOM = 4096  # bytes that rootlesskit needs for its files
LONGEST_STATE = 90  # bytes; sockets lie there, whose paths have 107 at most (unix(7))
NAMED = (
    'echo $$ >"$0" && exec "$@"'  # it writes its pid down itself, so that no starter can miss to
)
# What runs inside; its argument is where it writes its pid. It stays only when it is told that its pids
# are written down: so a holder whose starter was killed ends by itself, and none runs that nobody knows;
# not at once, since rootlesskit hangs when its child ends before it has set everything up.
PAYLOAD = (
    # The machine may have something of that name, to which rootlesskit has made a link.
    f"{{ [ ! -L {paths.held()} ] || rm {paths.held()}; }}"
    f" && mkdir -m 700 {paths.held()} && echo 1 >/proc/sys/net/ipv4/ip_forward"
    ' && echo $$ >"$0.new" && mv "$0.new" "$0"'
    " && { read -r go || { sleep 2; exit 1; }; } && exec sleep infinity </dev/null"
)
ENDED = "they were ended from outside"
# Folders that the holder has of its own, full of links to what the machine had there at the start.
COPIED = ("/etc", "/run")


class NoSubordinateIds(CntnrError):
    """The user has no range of subordinate ids, without which containers would have one id alone."""

    def __init__(self, user: str) -> None:
        super().__init__(
            f"cannot map the ids of containers: {user} has no range in /etc/subuid and /etc/subgid"
        )
        ids = kernel.free_range()
        self.hint = (
            f"an administrator can give one: usermod --add-subuids {ids} --add-subgids {ids} {user}"
        )


class TunClosed(CntnrError):
    """The device that the user-mode network needs may not be opened."""

    hint = "an administrator can open it: chmod 0666 /dev/net/tun"

    def __init__(self) -> None:
        super().__init__("cannot open /dev/net/tun, which the network of containers needs")


class HolderFailed(CntnrError):
    """rootlesskit ended before it was ready."""

    hint = "run `cntnr doctor` to see what this machine does not allow"

    def __init__(self, said: str) -> None:
        super().__init__(f"cannot make the namespaces for containers: {said}")


class Holder(Plain):
    """A holder that runs; pids are those of the host, ``payload`` is its own name inside."""

    parent: int
    child: int
    payload: int
    born: tuple[int, int]  # start times of parent and child, in ticks

    @property
    def id(self) -> str:
        """Tell this holder from all others, also from a later one with the same pids."""
        return f"{self.child}-{self.born[1]}"

    def outside(self, path: Path) -> Path:
        """Give where a path inside the holder is for those who have not joined it (proc(5), "root")."""
        return Path(f"/proc/{self.child}/root{path}")


def find() -> Holder | None:
    """Find the user's holder, if it runs, also where the runtime folder was emptied or is another one."""
    for place in (paths.holder(), paths.holder_state()):
        found = _read(place / "holder.json")
        if found is not None:
            return found
    return None


def _read(path: Path) -> Holder | None:
    tree = files.read_value(path, dict) or {}
    try:
        pids = {name: int(tree[name]) for name in ("parent", "child", "payload")}
        parent, child = tree["born"]
    except (KeyError, TypeError, ValueError):
        return None  # there is none, or its file is another version's
    found = Holder(**pids, born=(parent, child))
    return found if _born(found) == found.born else None


def outside(path: Path) -> Path | None:
    """Give where a path inside the user's holder is from here; None where none runs."""
    held = find()
    return held.outside(path) if held else None


def _born(holder: Holder) -> tuple[int, int]:
    return kernel.start_time(holder.parent), kernel.start_time(holder.child)


def _lock() -> Path:
    return paths.secure_runtime() / "holder.lock"


def _rest() -> None:
    """Do nothing while the holder starts."""


@contextlib.contextmanager
def claimed(name: str, meanwhile: Callable[[], None] = _rest) -> Iterator[Holder]:
    """Have a holder for as long as the block runs, started where there is none.

    What there is to do ``meanwhile`` is done while it starts.
    Raises `ProgramMissing`, `NoSubordinateIds`, `TunClosed`, `HolderFailed`.
    """
    with contextlib.ExitStack() as undo:
        with files.locked(_lock()):
            try:
                holder = find() or _start(meanwhile)
            except BaseException:
                with contextlib.suppress(OSError):  # the first failure is the one to tell
                    _sweep()
                raise
            undo.enter_context(_claim(holder, f"{name}-{os.getpid()}.lock"))
        yield holder


@contextlib.contextmanager
def _claim(holder: Holder, name: str) -> Iterator[None]:
    folder = holder.outside(paths.claims())
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        # By its descriptor: who has joined the holder meanwhile has the folder at another path.
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:  # it was killed after it was found
        raise HolderFailed(ENDED) from error
    try:
        with files.locked(folder / name):
            yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=place)
        os.close(place)


@contextlib.contextmanager
def using(name: str) -> Iterator[Holder]:
    """Do as `claimed` does, and stop the holder afterwards where nobody else uses it."""
    try:
        with claimed(name) as holder:
            yield holder
    finally:
        end_if_unused()


def end_if_unused() -> bool:
    """Stop the holder where nobody uses it; tell whether none is left."""
    with files.locked(_lock()):
        holder = find()
        if holder is not None:
            if is_used(holder.outside(Path("/"))):
                return False
            _stop(holder)
        else:
            _kill_earlier()
        _sweep()
        return True


def is_used(root: Path) -> bool:
    """Tell whether somebody holds a claim, or containers run whose supervisor was killed.

    ``root`` is the holder's, as the caller sees it.
    """
    return _is_claimed(root) or bool(_listed(root / paths.bundles().relative_to("/")))


def _listed(folder: Path) -> list[Path]:
    """List what is in a folder; nothing where the holder that it is in was killed just now."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_claimed(root: Path) -> bool:
    """Tell whether anybody holds a claim; claims of the dead are removed."""
    used = False
    for claim in _listed(root / paths.claims().relative_to("/")):
        if files.is_locked(claim):
            used = True
        else:
            claim.unlink(missing_ok=True)
    return used


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
        *(f"--copy-up={folder}" for folder in COPIED),
        "--propagation=rslave",
        "--pidns",
        "sh", "-c", PAYLOAD, str(ready),
    ]  # fmt: skip


def _start(meanwhile: Callable[[], None]) -> Holder:
    from cntnr_compose.adapters import process  # not for those who only look whether it runs

    home = paths.holder()
    _kill_earlier()
    _sweep()
    home.mkdir(mode=0o700, parents=True)
    paths.secure_data()
    _check_machine()
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
        start.enter_context(undivided())
        started = process.popen(
            [
                "sh",
                "-c",
                NAMED,
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
        undo.push(partial(_ended, started))
        start.close()
        meanwhile()
        holder = _ready(started, state)
        (home / "api.sock").symlink_to(state / "api.sock")
        (home / "inside").symlink_to(holder.outside(paths.held()))
        for place in {home, state.parent}:
            files.write_value(place / "holder.json", vars(holder))
        go.write(b"go\n")
    return holder


def _state_folder() -> Path:
    """Choose rootlesskit's own folder: among the data, where no cleaner of old files comes.

    Where the path would be too long or that disk is full, `down` still has to work: then it is in the
    runtime folder. A name of its own: an earlier holder that still ends removes its folder by name.
    """
    name = f"{STATE}{os.urandom(4).hex()}"
    place = paths.holder_state()
    fits = len(os.fsencode(place / name)) <= LONGEST_STATE
    return (place if fits and _has_room(place) else paths.holder()) / name


def _has_room(folder: Path) -> bool:
    probe = folder / "room"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        probe.write_bytes(bytes(ROOM))
        probe.unlink()
    except OSError:
        files.remove_tree(folder)
        return False
    return True


def _ended(started: "process.Running", kind: type[BaseException] | None, *_: object) -> None:
    """End a rootlesskit where its start was interrupted: without its files it would hang."""
    if kind is not None:
        started.kill()
        started.wait()


def _kill_earlier() -> None:
    """Kill a rootlesskit that still ends, or whose starter was killed: it would hang without its files."""
    try:
        pid = int((paths.holder() / "pid").read_text())
    except (OSError, ValueError):
        return
    if any(STATE.encode() in word for word in kernel.words(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while kernel.start_time(pid):
            time.sleep(0.002)


def _ready(started: "process.Running", state: Path) -> Holder:
    home = paths.holder()
    end = time.monotonic() + READY_WITHIN
    # rootlesskit writes the pid and opens its socket last, when the payload may run already.
    while not ((home / "payload").exists() and (state / "api.sock").exists()):
        if started.poll() is not None or time.monotonic() > end:
            raise HolderFailed(_last_words(home / "log"))
        time.sleep(0.002)
    child = int((state / "child_pid").read_text())
    born = kernel.start_time(started.pid), kernel.start_time(child)
    payload = int((home / "payload").read_text())
    return Holder(parent=started.pid, child=child, payload=payload, born=born)


def _check_machine() -> None:
    from cntnr_compose.adapters import process

    for program in ("rootlesskit", "slirp4netns", "newuidmap", "newgidmap", "runc", "conmon"):
        process.find(program)
    if not (kernel.subordinate_ids("uid") and kernel.subordinate_ids("gid")):
        raise NoSubordinateIds(kernel.user_name())
    if not kernel.tun_is_open():
        raise TunClosed


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-2:]) or "rootlesskit ended without a word"


def _stop(holder: Holder) -> None:
    end = time.monotonic() + GONE_WITHIN
    force = False
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder.parent, signal.SIGTERM)
    while any(_born(holder)):
        if time.monotonic() > end and not force:
            force = True
            for pid, born in zip((holder.child, holder.parent), reversed(holder.born), strict=True):
                if kernel.start_time(pid) == born:
                    os.kill(pid, signal.SIGKILL)
        elif _born(holder) == (0, 0) or time.monotonic() > end + GONE_WITHIN:
            return
        time.sleep(0.002)


def _sweep() -> None:
    """Remove the files of a holder that is gone; what was in it went with it."""
    for place in (paths.holder(), paths.holder_state()):
        files.remove_tree(place)


def end_from_inside(payload: int) -> None:
    """Stop the holder that this process is inside of, where nobody else uses it; may not return.

    ``payload`` is what `Holder.payload` says.
    """
    with files.locked(_lock()):
        if not is_used(Path("/")):
            _sweep()
            with contextlib.suppress(ProcessLookupError):
                os.kill(payload, signal.SIGTERM)
                # Whoever wants another one waits until this one, and we with it, is gone.
                time.sleep(GONE_WITHIN)


def enter(holder: Holder) -> None:
    """Join the holder's user, mount and pid namespaces; children of ours are in the last.

    Only for a process of one thread (setns(2)). Raises `HolderFailed`.
    """
    import ctypes

    wanted = kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID
    try:
        target = os.pidfd_open(holder.child)
    except ProcessLookupError:
        raise HolderFailed(ENDED) from None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(target, wanted) != 0:
            code = ctypes.get_errno()
            if code == errno.ESRCH:
                raise HolderFailed(ENDED)
            raise OSError(code, f"setns: {os.strerror(code)}")
    finally:
        os.close(target)
    os.chdir("/")


def enter_argv(holder: Holder, argv: Sequence[str], *, network: bool) -> list[str]:
    """Make the command that runs ``argv`` inside the holder, from outside."""
    return [
        "nsenter", "-U", "--preserve-credentials", "-m", "-p",
        *(["-n"] if network else []),
        "--wdns=/",
        "-t", str(holder.child),
        *argv,
    ]  # fmt: skip


def in_network(argv: Sequence[str]) -> list[str]:
    """Make the command that runs ``argv`` on the holder's network, from inside."""
    return ["nsenter", "--net=/proc/1/ns/net", *argv]
