"""Put processes into the scope below which the user's containers have groups with limits: cntnr.scope.

Only systemd can move a process there from a session, whose group belongs to root. One scope of the user's
systemd serves all projects: the groups of containers lie in it beside a leaf with everything else, and it
goes with the last process. Where that systemd stays after a logout the holder is moved there as well. Else
it stays where it was started: as long as it runs in a session, logind keeps the session, and with it the
user's systemd and the scope, unless it kills what is in the session (KillUserProcesses=yes).
"""

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cntnr_compose.core.frozen import Seconds
from cntnr_compose.host import cgroups
from cntnr_compose.host.cgroups import DelegatedCgroup

if TYPE_CHECKING:
    from cntnr_compose.host.systemd.manager import Manager

NAME = "cntnr.scope"
PATIENCE: Seconds = 10  # until the scope is given up: a machine that is busy takes half a second
PAUSE: Seconds = 0.002
ATTEMPTS, ATTEMPT_PAUSE = 50, 0.02  # while another process makes the scope, or it goes
EXISTS = "UnitExists"
PROPERTIES = [
    ("Description", ("s", "Containers of cntnr")),
    ("Delegate", ("b", True)),
    ("CollectMode", ("s", "inactive-or-failed")),
]


class ScopeEntry:
    """An entry under way: systemd was asked, and does it beside what else we do.

    Without such a systemd the group that this process is in serves, where it was given to the user.
    """

    def __init__(self, manager: "Manager | None" = None, *, has_leaf: bool = True) -> None:
        self._manager = manager
        self._has_leaf = has_leaf
        self._deadline = time.monotonic() + PATIENCE

    def finish(self) -> bool:
        """Wait until this process is in the leaf; return whether there may be groups beside that.

        Call it in the pid namespace of the machine: from another one processes cannot be named.
        """
        if self._manager is None:
            return self._has_leaf and _go_into_leaf()
        with contextlib.closing(self._manager):
            for _ in range(ATTEMPTS):
                if self._manager.receive() or self._is_let_in(self._manager):
                    return self._settle()
                if time.monotonic() > self._deadline or EXISTS not in self._manager.error:
                    break
                time.sleep(ATTEMPT_PAUSE)
                _send_start(self._manager)
        return False

    @property
    def error(self) -> str:
        """What systemd said last, where it refused."""
        return self._manager.error if self._manager else ""

    def _is_let_in(self, manager: "Manager") -> bool:
        """Tell whether we were let into the scope there is; not where it is just being made, or removed."""
        error = manager.error
        if EXISTS in error and _attach(manager, [os.getpid()]):
            return True
        manager.error = error
        return False

    def _settle(self) -> bool:
        """Wait for systemd to have moved us, and go on into the leaf."""
        while time.monotonic() < self._deadline:
            group = cgroups.read_group("self")
            if f"/{NAME}" in group:
                return _go_into_leaf()
            time.sleep(PAUSE)
        return False


def _go_into_leaf() -> bool:
    group = cgroups.find_delegated()
    return group is not None and cgroups.enable_controllers(group)


def begin_entry(pinned_by: int) -> ScopeEntry:
    """Ask systemd to put this process into the scope, where that does not shorten its life.

    ``pinned_by`` is the pid of the holder's parent: as long as it lives containers have to.
    """
    if not cgroups.is_unified():
        return ScopeEntry(has_leaf=False)  # groups of v1 need none
    manager = _connect() if is_offered(pinned_by) else None
    if manager is not None:
        _send_start(manager)
    return ScopeEntry(manager)


def _connect() -> "Manager | None":
    from cntnr_compose.host.systemd.manager import Manager

    return Manager.connect(_socket_path())


def _socket_path() -> Path:
    """Return the socket of the systemd of this user: the machine's for root."""
    uid = os.getuid()
    return Path(f"/run/user/{uid}" if uid else "/run", "systemd/private")


def is_offered(pinned_by: int) -> bool:
    """Tell whether there is a systemd that can make the scope, and lives as long as a process."""
    if not cgroups.is_unified() or not _socket_path().exists():
        return False
    slice_name = f"/user-{os.getuid()}.slice/"
    return slice_name in cgroups.read_group(str(pinned_by)) or _has_lasting_systemd()


def _has_lasting_systemd() -> bool:
    """Tell whether the systemd that makes the scope stays when the user logs out."""
    from cntnr_compose.host.systemd import logind

    return os.getuid() == 0 or logind.lingers()


def keep_holder() -> None:
    """Move the holder out of the session that it was started in, where its systemd outlasts the session.

    Call it in the pid namespace of the machine, when a supervisor runs: that has made the scope.
    """
    if not cgroups.is_unified() or not _socket_path().exists() or not _has_lasting_systemd():
        return
    from cntnr_compose.host import proc
    from cntnr_compose.host.namespaces.holder import find_holder

    running = find_holder()
    group = cgroups.read_group(str(running.parent)) if running else ""
    if not running or f"/{NAME}/" in group:
        return
    manager = _connect()
    if manager is not None:
        children = proc.find_descendants([running.parent], cgroups.list_members(group))
        with contextlib.closing(manager):
            _attach(manager, [running.parent, *children])


def ends_at_logout(*, kills: bool) -> bool:
    """Tell whether the holder ends when the user logs out, and with it all containers.

    ``kills`` tells whether logind kills what is in a session that ends.
    """
    from cntnr_compose.host.namespaces.holder import find_holder

    running = find_holder()
    if running is None:
        return kills and not (is_offered(os.getpid()) and _has_lasting_systemd())
    group = cgroups.read_group(str(running.parent))
    if any(f"/{unit}/" in group for unit in (NAME, f"user@{os.getuid()}.service")):
        return not _has_lasting_systemd()
    return kills and (f"/user-{os.getuid()}.slice/" in group or not cgroups.is_unified())


def find_group() -> DelegatedCgroup | None:
    """Find the group below which containers have theirs, as it is from outside of the holder."""
    if not is_offered(_find_pin()):
        return cgroups.find_delegated()
    uid = os.getuid()
    path = f"/user.slice/user-{uid}.slice/user@{uid}.service" if uid else "/system.slice"
    return cgroups.describe_group(path)


def try_group() -> str:
    """Enter the scope and make a group with a limit there; return the reason of a failure, else nothing.

    For a process that ends afterwards.
    """
    entry = begin_entry(_find_pin())
    if not entry.finish() and entry.error:
        return f"systemd says: {entry.error}"
    return cgroups.try_limits(f"cntnr-try-{os.getpid()}")


def _find_pin() -> int:
    """Return the pid of the holder's parent, which will be where we are if there is none yet."""
    if not cgroups.is_unified():
        return os.getpid()
    from cntnr_compose.host.namespaces.holder import find_holder

    running = find_holder()
    return running.parent if running else os.getpid()


def join() -> bool:
    """Put this process into the scope, where there is one; return whether it is in it."""
    if f"/{NAME}/" in cgroups.read_group("self"):
        return True
    manager = _connect()
    if manager is None:
        return False
    with contextlib.closing(manager):
        return _attach(manager, [os.getpid()])


def _send_start(manager: "Manager") -> None:
    """Ask for a new scope of this process; where there is one already, that fails."""
    properties = [*PROPERTIES, ("PIDs", ("au", [os.getpid()]))]
    manager.send("StartTransientUnit", "ssa(sv)a(sa(sv))", NAME, "fail", properties, [])


def _attach(manager: "Manager", pids: list[int]) -> bool:
    """Have processes moved into the leaf of the scope there is; return whether they were."""
    manager.send("AttachProcessesToUnit", "ssau", NAME, f"/{cgroups.LEAF}", pids)
    return manager.receive()
