"""Make an image of a container: a layer of its changes on top of its image. Runs inside the holder."""

import asyncio
import errno
import os
import stat
import threading
import time
from collections.abc import Callable

from cntnr_compose.containers.managed import ManagedContainer
from cntnr_compose.containers.rootfs.changes import ChangesUnreadable, has_changes, locate_changes
from cntnr_compose.containers.rootfs.mount_points import list_mount_points
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress
from cntnr_compose.core.values import Tree
from cntnr_compose.host import process
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.images.assemble import timestamp, write_image
from cntnr_compose.images.layers.pack import pack_folder
from cntnr_compose.images.naming.names import descriptor_of
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.observed import Record
from cntnr_compose.model.plan import COMMITTED, CommitContainer


class CommitFailed(CntnrError):
    """No image can be made of a container."""

    def __init__(self, container: str, why: str, hint: str = "") -> None:
        super().__init__(f"cannot commit container {container}: {why}")
        self.hint = hint


class _Cancelled(Exception):
    """The command is gone."""


async def commit_container(container: ManagedContainer, op: CommitContainer, emit: Emit) -> None:
    """Make an image of a container, whose processes pause meanwhile where asked; report the image's id.

    Raises `CommitFailed`, `StoreDamaged`, `PauseRefused`, `FreezeFailed`.
    """

    def report(status: str, state: str = "working") -> None:
        title = f"Commit {op.name}"
        emit(Progress(kind="", name=op.name, detail=title, status=status, state=state))

    report("Committing")
    async with container.hold(paused=op.pause):
        image_id = await _run_in_thread(lambda check: _commit(container.record, op, check), op.name)
    report(f"{COMMITTED}{image_id}", "done")


async def _run_in_thread(work: Callable[[Callable[[], None]], str], name: str) -> str:
    """Run what takes long in a thread; on cancellation end it first. Raises `CommitFailed`."""
    cancelled = threading.Event()

    def check() -> None:
        if cancelled.is_set():
            raise _Cancelled

    job = asyncio.ensure_future(asyncio.to_thread(work, check))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        cancelled.set()
        await process.clean_up(_wait_for_end(job))
        raise
    except ChangesUnreadable as error:
        raise CommitFailed(name, error.why) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            why = "no space is left on the disk"
            raise CommitFailed(name, why, paths.DiskFull.hint) from error
        raise CommitFailed(name, f"{error.strerror or error}: {error.filename or ''}") from error


async def _wait_for_end(job: "asyncio.Future[str]") -> None:
    await asyncio.wait({job})
    job.exception()  # it is of no interest any more


def _commit(record: Record, op: CommitContainer, check: Callable[[], None]) -> str:
    """Pack the changes of a container, and write the image; return its id."""
    store = ImageStore(for_containers=True)
    base = store.find_by_id(record.image_id)
    if base is None:
        why = f"its image {record.image} is gone"
        raise CommitFailed(record.name, why, "get it again with `cntnr compose pull`")
    if op.keeps_unchanged and not has_changes(record):
        if op.reference:
            with store.protect_blobs():
                store.add(op.reference, descriptor_of(store, base))
        return base.id
    mount_points = list_mount_points(record)

    def is_mount_point(path: str, status: os.stat_result) -> bool:
        """Tell whether runc created a file to mount another one over it."""
        return path in mount_points and stat.S_ISREG(status.st_mode) and not status.st_size

    with store.protect_blobs():
        with locate_changes(record, check) as (folder, walk):
            layer = pack_folder(folder, store, skip=is_mount_point, check=check, walk=walk)
        now = float(int(time.time()))
        entry: Tree = {"created": timestamp(now), "created_by": " ".join(record.command)}
        entry |= {"author": op.author} if op.author else {}
        entry |= {"comment": op.comment} if op.comment else {}
        manifest, image_id = write_image(
            store, base, [layer], op.config, [entry],
            created=now, platform=host_platform(), extra={"author": op.author} if op.author else None,
        )  # fmt: skip
        check()
        if op.reference:
            store.add(op.reference, manifest)
        else:
            store.add_untagged(manifest)
    return image_id
