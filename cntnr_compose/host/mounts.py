"""Mount and unmount: mount(2), umount2(2), /proc/self/mountinfo."""

import contextlib
import ctypes
import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from cntnr_compose.core.values import Bytes

MNT_DETACH = 2
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
ESCAPED = re.compile(rb"\\([0-7]{3})")  # blanks and backslashes in /proc/self/mountinfo (proc(5))
MS_REC = 16384
_libc = ctypes.CDLL(None, use_errno=True)


def mount_overlay(lower: Sequence[Path], upper: Path, work: Path, target: Path) -> None:
    """Mount an overlay at ``target``; ``lower`` is top first. All folders exist.

    ``userxattr`` is what lets an ordinary user's namespace do it (Linux 5.11). Raises `OSError`.
    """
    with _short_paths((*lower, upper, work)) as (*below, above, workdir):
        options = f"lowerdir={':'.join(below)},upperdir={above},workdir={workdir},userxattr"
        _mount("overlay", target, "overlay", 0, options)


def mount_tmpfs(target: Path, options: str = "mode=0700") -> None:
    """Mount an empty tmpfs at ``target``, which only we may enter by default. Raises `OSError`."""
    _mount("tmpfs", target, "tmpfs", 0, options)


def mount_read_only_overlay(lower: Sequence[Path], target: Path) -> None:
    """Mount several folders as one read-only overlay; at least two, top first. Raises `OSError`."""
    with _short_paths(lower) as below:
        _mount("overlay", target, "overlay", MS_RDONLY, f"lowerdir={':'.join(below)},userxattr")


@contextlib.contextmanager
def _short_paths(folders: Sequence[Path]) -> Iterator[list[str]]:
    """Open folders, and yield short paths of them, without characters that mean something to overlay.

    The options of a mount have to fit one page: more than 200 folders do, wherever they are.
    """
    descriptors: list[int] = []
    try:
        flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
        descriptors.extend(os.open(folder, flags) for folder in folders)
        yield [f"/proc/self/fd/{descriptor}" for descriptor in descriptors]
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def mount_shm(target: Path, *, size: Bytes) -> None:
    """Mount a tmpfs that everybody may write to, as /dev/shm. Raises `OSError`."""
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    _mount("tmpfs", target, "tmpfs", flags, f"size={size},mode=1777")


def bind_mount(source: Path, target: Path, *, recursive: bool = False) -> None:
    """Bind-mount ``source`` at ``target``. Raises `OSError`."""
    _mount(str(source), target, "", MS_BIND | (MS_REC if recursive else 0), "")


def bind_mount_descriptor(descriptor: int, target: Path) -> None:
    """Bind-mount an open file or folder, with all mounts below it, at ``target``, which is created.

    Unlike a path, a descriptor cannot be replaced by something else meanwhile. Raises `OSError`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        target.mkdir()
    else:
        target.touch()
    _mount(f"/proc/self/fd/{descriptor}", target, "", MS_BIND | MS_REC, "")


def unmount(target: Path) -> None:
    """Unmount lazily: processes that use the mount keep it. No mount there is fine. Raises `OSError`."""
    if _libc.umount2(os.fsencode(target), MNT_DETACH) != 0:
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOENT):
            raise OSError(code, f"umount {target}: {os.strerror(code)}")


def mount_points_below(folder: Path) -> list[Path]:
    """List the mount points at and below a folder, deepest first."""
    real = Path(os.path.realpath(folder))  # the kernel lists mount points without symbolic links
    points = []
    for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
        point = Path(os.fsdecode(ESCAPED.sub(_decode_octal, line.split(b" ", 5)[4])))
        if point == real or real in point.parents:
            points.append(point)
    return sorted(points, key=lambda path: len(path.parts), reverse=True)


def _decode_octal(digits: re.Match[bytes]) -> bytes:
    return bytes([int(digits.group(1), 8)])


def unmount_all(folder: Path) -> None:
    """Unmount everything at and below a folder; go on after a failure."""
    for point in mount_points_below(folder):
        with contextlib.suppress(OSError):
            unmount(point)


def locked_mount_flags(path: Path) -> tuple[str, ...]:
    """List the flags of a file's mount that a user namespace may not take away (mount(2))."""
    flags = os.statvfs(path).f_flag
    names = {"nosuid": os.ST_NOSUID, "nodev": os.ST_NODEV, "noexec": os.ST_NOEXEC}
    return tuple(name for name, bit in names.items() if flags & bit)


def _mount(source: str, target: Path, kind: str, flags: int, options: str) -> None:
    result = _libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), flags, options.encode()
    )
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind or 'bind'} at {target}: {os.strerror(code)}")
