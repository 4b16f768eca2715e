"""Resolve ``user`` and ``group_add`` to ids, by the image's own /etc/passwd and /etc/group."""

from collections.abc import Iterator, Sequence

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, Value
from cntnr_compose.model.host import ONE_ID_HINT

MAX_ID = 2**31 - 1


class UserUnknown(CntnrError):
    """A user or group is not in the image's files."""

    hint = "use a number, or a name from the image's /etc/passwd and /etc/group"

    def __init__(self, kind: str, name: str) -> None:
        self.subject = f"{kind} {name}"
        self.file = "passwd" if kind == "user" else "group"
        super().__init__(f"unable to find {self.subject}: no matching entries in {self.file} file")


class IdNotMapped(CntnrError):
    """A number is not an id in the holder's user namespace."""

    def __init__(self, kind: str, name: str, number: int, ids: int) -> None:
        shown = name if name.isdecimal() else f"{name} ({number})"
        if number > MAX_ID:
            super().__init__(f"cannot use {kind} {name}: uids and gids must be in range 0-{MAX_ID}")
        elif ids == 1:
            super().__init__(f"cannot use {kind} {shown}: only root exists without subordinate ids")
            self.hint = ONE_ID_HINT
        else:
            super().__init__(f"cannot use {kind} {shown}: the highest id here is {ids - 1}")
            self.hint = "ids above that need a wider range in /etc/subuid and /etc/subgid"


class ProcessUser(Value, frozen=True, kw_only=True):
    """User, group and additional groups of a process."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()  # the primary one first

    def to_oci(self) -> Tree:
        """Build the ``user`` of a process in the runtime spec."""
        tree: Tree = {"uid": self.uid, "gid": self.gid}
        if self.groups:
            tree["additionalGids"] = list(self.groups)
        return tree


def resolve_user(
    user: str, *, passwd: str, group: str, id_count: int, group_add: Sequence[str] = ()
) -> ProcessUser:
    """Resolve ``user``: a name, a number, or either of them with ``:group``; empty means root.

    Raises `UserUnknown`, `IdNotMapped`.
    """
    user_part, colon, group_part = user.partition(":")
    uid, gid, name = _find_user(user_part or "0", passwd)
    if uid is None:
        raise UserUnknown("user", user_part)
    groups = [gid]
    if group_part:
        gid = _find_group(group_part, group)
        groups = [gid]
    elif name and not colon:
        groups += [
            _parse_id(entry[2]) or 0 for entry in _entries(group, 4) if name in entry[3].split(",")
        ]
    _check_mapped("user", user_part or "root", uid, id_count)
    _check_mapped("group", group_part or f"of user {user_part}", gid, id_count)
    for word in group_add:
        extra_gid = _find_group(word, group)
        _check_mapped("group", word, extra_gid, id_count)
        groups.append(extra_gid)
    # Groups of the image's file beyond our range are left out: nobody asked for them by name.
    kept = tuple(dict.fromkeys(number for number in groups if number < id_count))
    return ProcessUser(uid=uid, gid=gid, groups=kept if id_count > 1 else ())


def _find_user(user: str, passwd: str) -> tuple[int | None, int, str]:
    """Find uid, gid and name; a number without an entry is valid, too."""
    number = _parse_id(user)
    for entry in _entries(passwd, 4):
        uid = _parse_id(entry[2])
        if entry[0] == user or uid == number is not None:
            return uid, _parse_id(entry[3]) or 0, entry[0]
    return number, 0, ""


def find_home(uid: int, passwd: str) -> str:
    """Return the home folder of a user; / where there is none, as runtimes have it."""
    for entry in _entries(passwd, 6):
        if _parse_id(entry[2]) == uid:
            return entry[5] or "/"
    return "/"


def _find_group(name: str, group: str) -> int:
    number = _parse_id(name)
    for entry in _entries(group, 3):
        gid = _parse_id(entry[2])
        if gid is not None and (entry[0] == name or gid == number):
            return gid
    if number is None:
        raise UserUnknown("group", name)
    return number


def _entries(text: str, fields: int) -> Iterator[list[str]]:
    """Split passwd or group into entries; malformed lines are ignored, as by libc."""
    for line in text.splitlines():
        entry = line.strip().split(":")
        if len(entry) >= fields and entry[0] and _parse_id(entry[2]) is not None:
            yield entry


def _parse_id(text: str) -> int | None:
    """Parse an id; the text is cut far beyond the highest id, since Python refuses very long numbers."""
    return int(text[:20]) if text.isascii() and text.isdecimal() else None


def _check_mapped(kind: str, name: str, number: int, ids: int) -> None:
    if number >= ids:
        raise IdNotMapped(kind, name, number, ids)
