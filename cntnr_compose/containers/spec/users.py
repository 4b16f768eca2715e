"""Which ids a process runs as: the forms of ``user``, looked up in the image's own files."""

from collections.abc import Iterator, Sequence

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, Value

MAX_ID = 2**31 - 1


class UserUnknown(CntnrError):
    """A user or group is named that the image's files do not have."""

    hint = "use a number, or a name from the image's /etc/passwd and /etc/group"

    def __init__(self, kind: str, name: str) -> None:
        self.subject = f"{kind} {name}"
        self.file = "passwd" if kind == "user" else "group"
        super().__init__(f"unable to find {self.subject}: no matching entries in {self.file} file")


class IdNotMapped(CntnrError):
    """A number is no id in the holder's user namespace."""

    def __init__(self, kind: str, name: str, number: int, ids: int) -> None:
        called = name if name.isdecimal() else f"{name} ({number})"
        if number > MAX_ID:
            super().__init__(f"cannot use {kind} {name}: uids and gids must be in range 0-{MAX_ID}")
        elif ids == 1:
            super().__init__(
                f"cannot use {kind} {called}: only root exists without subordinate ids"
            )
            self.hint = "run `cntnr doctor` to see how to get subordinate ids"
        else:
            super().__init__(f"cannot use {kind} {called}: the highest id here is {ids - 1}")
            self.hint = "ids above that need a wider range in /etc/subuid and /etc/subgid"


class ProcessUser(Value, frozen=True, kw_only=True):
    """Who a process is."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()  # the primary one first

    def to_oci(self) -> Tree:
        """Give the ``user`` of a process in the runtime spec."""
        tree: Tree = {"uid": self.uid, "gid": self.gid}
        if self.groups:
            tree["additionalGids"] = list(self.groups)
        return tree


def resolve_user(
    user: str, *, passwd: str, group: str, id_count: int, group_add: Sequence[str] = ()
) -> ProcessUser:
    """Find who ``user`` is: a name, a number, or either of them with ``:group``; empty means root.

    Raises `UserUnknown`, `IdNotMapped`.
    """
    who, colon, of = user.partition(":")
    uid, gid, name = _find_user(who or "0", passwd)
    if uid is None:
        raise UserUnknown("user", who)
    groups = [gid]
    if of:
        gid = _find_group(of, group)
        groups = [gid]
    elif name and not colon:
        groups += [
            _parse_id(entry[2]) or 0 for entry in _entries(group, 4) if name in entry[3].split(",")
        ]
    _check_mapped("user", who or "root", uid, id_count)
    _check_mapped("group", of or f"of user {who}", gid, id_count)
    for word in group_add:
        added = _find_group(word, group)
        _check_mapped("group", word, added, id_count)
        groups.append(added)
    # What the image's file says beyond our range is left out: nobody asked for it by name.
    kept = tuple(dict.fromkeys(number for number in groups if number < id_count))
    return ProcessUser(uid=uid, gid=gid, groups=kept if id_count > 1 else ())


def _find_user(who: str, passwd: str) -> tuple[int | None, int, str]:
    """Give uid, gid and name; a number without an entry is an id all the same."""
    number = _parse_id(who)
    for entry in _entries(passwd, 4):
        uid = _parse_id(entry[2])
        if entry[0] == who or uid == number is not None:
            return uid, _parse_id(entry[3]) or 0, entry[0]
    return number, 0, ""


def _find_group(who: str, group: str) -> int:
    number = _parse_id(who)
    for entry in _entries(group, 3):
        gid = _parse_id(entry[2])
        if gid is not None and (entry[0] == who or gid == number):
            return gid
    if number is None:
        raise UserUnknown("group", who)
    return number


def _entries(text: str, fields: int) -> Iterator[list[str]]:
    """Split a file of accounts; lines that make no sense are passed over, as by libc."""
    for line in text.splitlines():
        entry = line.strip().split(":")
        if len(entry) >= fields and entry[0] and _parse_id(entry[2]) is not None:
            yield entry


def _parse_id(text: str) -> int | None:
    """Read an id; cut off far beyond the highest, for Python refuses to read numbers of any length."""
    return int(text[:20]) if text.isascii() and text.isdecimal() else None


def _check_mapped(kind: str, name: str, number: int, ids: int) -> None:
    if number >= ids:
        raise IdNotMapped(kind, name, number, ids)
