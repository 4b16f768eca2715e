"""Subordinate ids of this user (subuid(5), subgid(5)), and the ids that are mapped in this namespace."""

import os
import pwd
import stat
from pathlib import Path
from typing import Literal

from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.host import process

# Room for every id that images use: nobody and nogroup are 65534.
SUBORDINATE_ID_COUNT = 65536
FIRST_SUBORDINATE_ID = 100000
ID_MAPPERS = ("newuidmap", "newgidmap")
NO_NEW_PRIVILEGES = "this process and its children may not gain privileges (no_new_privs)"
# Stand in for getsubids, newuidmap and newgidmap where there is no range: rootlesskit then maps one id.
ONE_ID_PROGRAMS = Path(__file__).parent / "one_id"


def user_name() -> str:
    """Return the name of the user who runs this, or the number where there is no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def count_subordinate_ids(kind: Literal["uid", "gid"]) -> int:
    """Count the subordinate ids that this user may map; newuidmap looks for the name and the number."""
    owners = {user_name(), str(os.getuid())}
    ranges = [line.split(":") for line in _read_ranges(kind) if line.count(":") == 2]
    return sum(int(count) for owner, _, count in ranges if owner in owners and count.isdecimal())


def explain_one_id() -> str:
    """Say why containers have one id, root's: there is no range, or nothing that may map it; else empty."""
    has_range = count_subordinate_ids("uid") and count_subordinate_ids("gid")
    if not has_range and come_from_files():
        return f"{user_name()} has no range in /etc/subuid and /etc/subgid"
    for program in ID_MAPPERS:
        try:
            path = process.find_program(program)
        except ProgramMissing:
            return f"{program} is not installed"
        if os.getuid() != 0 and not may_map_ids(path):
            return f"{path} is not setuid root"
    return NO_NEW_PRIVILEGES if os.getuid() != 0 and has_no_new_privileges() else ""


def mapper_environment() -> dict[str, str]:
    """Build rootlesskit's environment, in which it finds `ONE_ID_PROGRAMS` first where one id is mapped."""
    env = process.base_env()
    if explain_one_id():
        env["PATH"] = f"{ONE_ID_PROGRAMS}:{env['PATH']}"
    return env


def may_map_ids(program: str) -> bool:
    """Check whether newuidmap or newgidmap has the privilege that it needs: setuid or a capability."""
    if Path(program).stat().st_mode & stat.S_ISUID:
        return True
    try:
        return bool(os.getxattr(program, "security.capability"))
    except OSError:
        return False


def has_no_new_privileges() -> bool:
    """Check whether setuid programs have no more privileges than we; sandboxes and docker set it."""
    try:
        return "\nNoNewPrivs:\t1\n" in Path("/proc/self/status").read_text()
    except OSError:
        return False


def list_own_ids(kind: Literal["uid", "gid"]) -> list[tuple[int, int, int]]:
    """List the ids that this user may map: rows of inside, outside, count; its own is 0 inside."""
    rows = [(0, os.getuid() if kind == "uid" else os.getgid(), 1)]
    owners = {user_name(), str(os.getuid())}
    for owner, first, count in (
        line.split(":") for line in _read_ranges(kind) if line.count(":") == 2
    ):
        if owner in owners and first.isdecimal() and count.isdecimal() and int(count):
            rows.append((sum(row[2] for row in rows), int(first), int(count)))
    return rows


def come_from_files() -> bool:
    """Check whether /etc/subuid and /etc/subgid are where subordinate ids come from (nsswitch.conf(5))."""
    try:
        lines = Path("/etc/nsswitch.conf").read_text().splitlines()
    except (OSError, ValueError):
        return True
    sources = [line.partition(":")[2].split() for line in lines if line.startswith("subid:")]
    return all(words[:1] == ["files"] for words in sources)


def is_subordinate(uid: int) -> bool:
    """Check whether an id is one of this user's subordinate ids."""
    owners = {user_name(), str(os.getuid())}
    for line in _read_ranges("uid"):
        owner, _, numbers = line.partition(":")
        first, _, count = numbers.partition(":")
        is_range = owner in owners and first.isdecimal() and count.isdecimal()
        if is_range and int(first) <= uid < int(first) + int(count):
            return True
    return False


def free_subordinate_range() -> str:
    """Return a range of subordinate ids that is not in use, as usermod(8) takes it: ``100000-165535``."""
    first = FIRST_SUBORDINATE_ID
    for line in (*_read_ranges("uid"), *_read_ranges("gid")):
        _, _, numbers = line.partition(":")
        start, _, count = numbers.partition(":")
        if start.isdecimal() and count.isdecimal():
            first = max(first, int(start) + int(count))
    return f"{first}-{first + SUBORDINATE_ID_COUNT - 1}"


def _read_ranges(kind: Literal["uid", "gid"]) -> list[str]:
    try:
        return Path(f"/etc/sub{kind}").read_text().splitlines()
    except OSError:
        return []


def count_mapped_ids() -> int:
    """Count the ids that exist in this user namespace."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    return sum(int(line.split()[2]) for line in lines)
