"""Write and remove root file systems: a process inside the holder, where the owners of their files exist.

It reads one `RootfsRequest` as a line from standard input, and writes a `RootfsResult`.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.values import Value, from_json, to_json
from cntnr_compose.host import files, mounts, process
from cntnr_compose.host.namespaces import holder, isolation
from cntnr_compose.images import leases
from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.layers import unpack
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image

CODE = "from cntnr_compose.bundles.worker import main; main()"


class WorkerGone(CntnrError):
    """The process that writes or removes a root file system ended without an answer."""

    def __init__(self, stderr: str) -> None:
        last = stderr.strip().rpartition("\n")[2] or "the process was killed"
        super().__init__(f"cannot change the files of the bundle: {last}")


class RootfsRequest(Value, frozen=True, kw_only=True):
    """What is to be done: remove paths, then write an image's files into a folder that is not there yet."""

    remove: tuple[str, ...] = ()
    image_id: str = ""
    target: str = ""


class RootfsResult(Value, frozen=True, kw_only=True):
    """How it went."""

    error: str = ""
    hint: str = ""
    kind: str = ""


def run_worker(request: RootfsRequest, running: holder.NamespaceHolder) -> None:
    """Have a process inside the holder carry a request out. Raises what it raised, `WorkerGone`."""
    argv = running.nsenter_argv([sys.executable, "-P", "-c", CODE])
    env = {**os.environ, "PATH": process.search_path()}
    done = process.run(argv, env=env, stdin=to_json(request) + b"\n", ok=range(-64, 256))
    if done.returncode != 0 or not done.stdout:
        raise WorkerGone(done.stderr)
    result = from_json(done.stdout.splitlines()[0], RootfsResult)
    if result.error:
        raise RemoteError(result.kind, result.error, result.hint)


def main() -> None:
    """Carry the request out."""
    request = from_json(sys.stdin.buffer.readline(), RootfsRequest)
    process.use_pidfd_child_watcher()
    result = RootfsResult()
    try:
        for path in request.remove:
            files.remove_tree(holder.host_path(Path(path)))
        if request.image_id:
            _write_rootfs(request.image_id, holder.host_path(Path(request.target)))
    except CntnrError as error:
        result = RootfsResult(error=str(error), hint=error.hint, kind=error.kind)
    except OSError as error:
        user_error = paths.explain_os_error(error)
        result = RootfsResult(error=str(user_error or error), kind="OSError")
    sys.stdout.write(to_json(result).decode() + "\n")
    sys.stdout.flush()


def _write_rootfs(image_id: str, target: Path) -> None:
    """Copy the files of an image as a container sees them. Raises `NoSuchImage`, `CommandFailed`."""
    images = ImageStore(for_containers=True)
    with leases.hold_lease(images.root):
        image = images.find_by_id(image_id)
        if image is None:
            raise NoSuchImage(image_id)
        images.mark_used(image.id)
        lower = asyncio.run(_unpack(image))
        isolation.unshare_mounts()  # what is mounted goes with this process
        with tempfile.TemporaryDirectory(dir=paths.holder_tmpfs()) as folder:
            mounts.mount_read_only_overlay(lower, Path(folder))
            try:
                os.umask(0)
                target.mkdir()
                process.run(["cp", "-a", "--reflink=auto", f"{folder}/.", target])
            finally:
                mounts.unmount(Path(folder))


async def _unpack(image: Image) -> tuple[Path, ...]:
    """Return the layers of an image, two at least: a single one has marks of overlay."""
    lower = await unpack.ensure_unpacked(image)
    if len(lower) > 1:
        return lower
    unpack.create_empty_layer()
    return (*lower, paths.layers() / unpack.EMPTY_LAYER)
