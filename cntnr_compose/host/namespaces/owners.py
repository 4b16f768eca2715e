"""Change the owners of files, and note those that cannot be had, as the extended attribute
``user.rootlesscontainers``: a protobuf message of uid and gid, which umoci and others write and read, too.

Where a user has one id, all files are root's in containers. The note gives them their owner back in layers.
"""

import contextlib
import errno
import os
from typing import TypeAlias

from cntnr_compose.host.namespaces import subids

OWNER_XATTR = "user.rootlesscontainers"
ROOT = (0, 0)
KEEP_ID = (1 << 32) - 1  # the owner as it is, as for chown(2)
MAX_NOTE_SIZE = 64  # two numbers of 32 bits take 12 bytes
_UID_KEY, _GID_KEY = 0x08, 0x10  # fields 1 and 2, both varint
Owner: TypeAlias = tuple[int, int]


def change_owner(target: int | str, uid: int, gid: int) -> None:
    """Change the owner of an open file, or of what a path leads to; note it where there is one id only.

    Raises `OSError`, with EINVAL where an id does not exist in a namespace of several.
    """
    try:
        os.chown(target, uid, gid)
    except OSError as error:
        if not _is_of_one_id(error):
            raise
        _note(target, (uid, gid), follow=True)


def change_owner_of_name(
    name: str | bytes | os.PathLike[str], uid: int, gid: int, *, folder: int | None = None
) -> None:
    """Change the owner of a name in an open folder, or of a path, as `change_owner`; follow no link.

    A symbolic link takes no note.
    """
    try:
        os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if not _is_of_one_id(error):
            raise
        path = os.fsdecode(name)
        _note(
            path if folder is None else f"/proc/self/fd/{folder}/{path}", (uid, gid), follow=False
        )


def _is_of_one_id(error: OSError) -> bool:
    return error.errno == errno.EINVAL and subids.count_mapped_ids() == 1


def _note(target: int | str, owner: Owner, *, follow: bool) -> None:
    """Note an owner, where the file system and the kind of file take notes."""
    follows = follow or isinstance(target, int)
    with contextlib.suppress(OSError):
        os.setxattr(target, OWNER_XATTR, write_note(owner), follow_symlinks=follows)


def forget_owner(path: str | os.PathLike[str]) -> None:
    """Remove the note of an owner; no link is followed."""
    with contextlib.suppress(OSError):
        os.removexattr(path, OWNER_XATTR, follow_symlinks=False)


def read_owner(target: int | str, uid: int, gid: int, *, follow: bool = False) -> Owner:
    """Return the owner of an open file or a path, which is ``uid``:``gid`` where nothing is noted.

    A note counts where the file is root's. The last link of a path is followed where that is asked for.
    """
    if (uid, gid) != ROOT:
        return uid, gid
    try:
        return read_note(
            os.getxattr(target, OWNER_XATTR, follow_symlinks=follow or isinstance(target, int))
        )
    except OSError:  # nothing is noted, as a rule
        return ROOT


def write_note(owner: Owner) -> bytes:
    """Encode an owner; a 0 is left out, as protobuf has it."""
    fields = zip((_UID_KEY, _GID_KEY), owner, strict=True)
    return b"".join(bytes([key]) + _write_varint(number) for key, number in fields if number)


def read_note(note: bytes) -> Owner:
    """Decode an owner; what is no such message is root's, and so is an id that is to stay as it is."""
    numbers = {_UID_KEY: 0, _GID_KEY: 0}
    position = 0
    while position < len(note) <= MAX_NOTE_SIZE:
        key = note[position]
        number, position = _read_varint(note, position + 1)
        if key not in numbers or not 0 <= number <= KEEP_ID:
            return ROOT
        numbers[key] = 0 if number == KEEP_ID else number
    return numbers[_UID_KEY], numbers[_GID_KEY]


def _write_varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _read_varint(note: bytes, position: int) -> tuple[int, int]:
    """Return a number and where it ends; -1 for one that does not end."""
    number = shift = 0
    for end in range(position, len(note)):
        number |= (note[end] & 0x7F) << shift
        shift += 7
        if note[end] < 0x80:
            return number, end + 1
    return -1, len(note)
