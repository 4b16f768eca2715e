"""Checks of `doctor` about user namespaces and the ids in them."""

import os
import shutil
from collections.abc import Iterator
from typing import Literal

from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.user_config import read_user_config
from cntnr_compose.core.values import Seconds
from cntnr_compose.doctor.check import Check, CheckState
from cntnr_compose.doctor.programs import install_command
from cntnr_compose.host import process
from cntnr_compose.host.namespaces import restrictions, subids, trial
from cntnr_compose.host.namespaces.holder import find_holder

GETSUBIDS_TIMEOUT: Seconds = 30  # it may ask a directory server
ONE_ID = "containers have one id, root's: other users, chown and packages that need them take PRoot"


def check_namespaces() -> list[Check]:
    """Run the checks."""
    return [
        _check_user_namespaces(),
        _check_subordinate_ids(),
        _check_id_mappers(),
        *_check_proot(),
    ]


def _check_user_namespaces() -> Check:
    name = "user namespaces"
    reason, way = trial.try_user_namespace()
    if not reason:
        return Check(name=name, state="ok", found=f"tried one{way}")
    forbidding = restrictions.find_restrictions()
    return Check(
        name=name,
        state=state_without_namespaces(),
        found=restrictions.describe_reasons(reason, forbidding),
        loses="no container can run without root, once those that run have ended"
        if find_holder()
        else "no container can run without root",
        mend=restrictions.join_commands(forbidding)
        or "ask who runs the machine; in a container see docs/nested.md",
    )


def state_without_namespaces() -> CheckState:
    """Tell how bad it is that none can be made: containers go on to start in a holder from before."""
    return "reduced" if find_holder() else "missing"


def _check_subordinate_ids() -> Check:
    uids, gids = _count_ids("uid"), _count_ids("gid")
    needed = subids.SUBORDINATE_ID_COUNT
    counts = f"{uids} uids, {gids} gids"
    if min(uids, gids) >= needed:
        return Check(name="subordinate ids", state="ok", found=counts)
    user, free_range = subids.user_name(), subids.free_subordinate_range()
    has_none = not (uids and gids)
    return Check(
        name="subordinate ids",
        state="reduced",
        found=f"{counts} of {user}; {needed} wanted",
        loses=ONE_ID if has_none else "images that use higher ids (nobody is 65534) fail",
        mend=f"sudo usermod --add-subuids {free_range} --add-subgids {free_range} {user}"
        if subids.come_from_files()
        else f"give {user} a range where `subid` of /etc/nsswitch.conf says",
    )


def _count_ids(kind: Literal["uid", "gid"]) -> int:
    """Count the subordinate ids of this user, wherever they come from (nsswitch.conf(5))."""
    if subids.come_from_files():
        return subids.count_subordinate_ids(kind)
    options = ["-g"] if kind == "gid" else []
    try:
        listed = process.run(["getsubids", *options, subids.user_name()], timeout=GETSUBIDS_TIMEOUT)
    except (CommandFailed, ProgramMissing, TimeoutError):
        return 0
    counts = (line.rpartition(" ")[2] for line in listed.stdout.splitlines())
    return sum(int(count) for count in counts if count.isdecimal())


def _check_id_mappers() -> Check:
    names = ("newuidmap", "newgidmap")
    programs = {name: shutil.which(name, path=process.search_path()) for name in names}
    weak = [name for name, path in programs.items() if not path or not subids.may_map_ids(path)]
    installed = [path for path in programs.values() if path]
    if not weak and not (os.getuid() != 0 and subids.has_no_new_privileges()):
        return Check(name="newuidmap", state="ok", found=" and ".join(installed))
    if not weak:
        return Check(
            name="newuidmap",
            state="reduced",
            found=subids.NO_NEW_PRIVILEGES,
            loses=ONE_ID,
            mend="start it outside of what sets that; systemd's setting is NoNewPrivileges=no",
        )
    return Check(
        name="newuidmap",
        state="reduced",
        found=f"{' and '.join(weak)} not there, or not setuid root",
        loses=ONE_ID,
        mend=f"sudo chmod u+s {' '.join(installed)}"
        if len(installed) == len(names)
        else install_command("uidmap", "shadow-utils", "shadow"),
    )


def _check_proot() -> Iterator[Check]:
    """Check for PRoot, where there is one id: others have no need of it."""
    if not subids.explain_one_id():
        return
    try:
        path = read_user_config().proot.path or process.find_program("proot")
        yield Check(name="proot", state="ok", found=path)
    except ProgramMissing:
        yield Check(
            name="proot",
            state="reduced",
            found="not installed",
            loses="`x-cntnr: {proot: true}` cannot fake other users and owners",
            mend=install_command("proot", "proot", "proot"),
        )
