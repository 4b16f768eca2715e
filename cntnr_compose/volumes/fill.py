"""Fill an empty volume from the image, when it is first mounted. Runs inside the holder."""

import os
import stat
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files, process
from cntnr_compose.volumes.copy_tree import FOLDER_FLAGS, copy_tree
from cntnr_compose.volumes.store import mount_volume


class FillFailed(CntnrError):
    """The image's files cannot be copied into a volume in memory, or into a folder of the host."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot fill volume {name} from the image: {why}")


def fill_from_image(name: str, image_folder: Path) -> None:
    """Copy the image's files at the mount point into a volume that is still empty.

    Copy owner and mode of the folder itself too, so that a service's own user can write to it.
    Raises `CommandFailed`, `FillFailed`, and what `mount_volume` raises.
    """
    target = mount_volume(name)
    if not image_folder.is_dir() or any(target.iterdir()):
        return
    status = image_folder.stat()
    if any(image_folder.iterdir()):
        _copy(name, image_folder, target)
    os.chown(target, status.st_uid, status.st_gid)
    target.chmod(stat.S_IMODE(status.st_mode))


def _copy(name: str, source: Path, target: Path) -> None:
    temporary = paths.volume(name) / "_filling"
    files.remove_tree(temporary)
    if target.parent != temporary.parent or target.is_mount():
        _copy_in_place(name, source, target)
        return
    # An incomplete copy, of a process that was killed, would count as filled next time. So copy to a folder
    # beside the target, and move the entries: other containers may have the target mounted already.
    temporary.mkdir()
    temporary.chmod(0o700)  # without the setgid bit, by which the copies would inherit its group
    process.run(["cp", "-a", "--reflink=auto", f"{source}/.", str(temporary)])
    for entry in temporary.iterdir():
        entry.rename(target / entry.name)
    temporary.rmdir()


def _copy_in_place(name: str, source: Path, target: Path) -> None:
    """Copy to a folder where running containers may create links meanwhile."""
    original, copy = (os.open(path, FOLDER_FLAGS) for path in (source, target))
    try:
        os.fchmod(copy, 0o700)  # without the setgid bit, as in `_copy`
        copy_tree(original, copy)
    except OSError as error:
        for entry in target.iterdir():
            files.remove_tree(entry)
        raise FillFailed(name, error.strerror or str(error)) from error
    finally:
        os.close(original)
        os.close(copy)
