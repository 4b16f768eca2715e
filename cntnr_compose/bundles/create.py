"""Create bundles and update them: the root file system stays unless the image is another one."""

import os
import time
from pathlib import Path

from cntnr_compose.bundles import config, record, worker
from cntnr_compose.bundles.config import refuse
from cntnr_compose.bundles.place import BundlePlace
from cntnr_compose.bundles.record import BundleRecord
from cntnr_compose.bundles.worker import RootfsRequest
from cntnr_compose.containers.bundle import stored_rootfs
from cntnr_compose.containers.spec.process import build_command_line
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, to_json
from cntnr_compose.host import files, proc
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.host.namespaces.holder import NamespaceHolder
from cntnr_compose.model.image import Image, ImageConfig
from cntnr_compose.model.service import Service

NEW, OLD = ".rootfs-", ".gone-"  # beginnings of names of folders that are on their way


class BundleExists(CntnrError):
    """A bundle is there already, and is not to be updated."""

    hint = "add --update to have its configuration made anew, or choose another name"

    def __init__(self, name: str) -> None:
        super().__init__(f"bundle {name} exists already")


class BundleRequest(Value, frozen=True, kw_only=True):
    """A bundle as it is to be."""

    place: BundlePlace
    service: Service
    image: Image | None = None  # None: the files are somebody else's, and there
    image_name: str = ""
    publish: tuple[str, ...] = ()
    update: bool = False
    strict: bool = (
        True  # refuse what only a container of cntnr can have; else config.json is without it
    )


class BundleOutcome(Value, frozen=True, kw_only=True):
    """A bundle that was written, and a warning for what has no effect in it."""

    record: BundleRecord
    warnings: tuple[str, ...] = ()


def create_bundle(request: BundleRequest) -> BundleOutcome:
    """Create or update a bundle, which is locked meanwhile; a failure leaves it as it was.

    Raises `BundleExists`, `BundleLocked`, `BundleRefused`, and what unpacking and the spec raise.
    """
    place = request.place
    is_new_folder = not place.path.exists()
    _check_place(request)
    if place.is_custom:
        paths.make_data_folder(place.path)
    else:
        paths.secure_data()
        paths.make_data_folder(place.path)
    with record.lock(place), rootlesskit.temporary_holder("bundle") as running:
        is_new = not place.config.exists()
        try:
            return _write(request, running)
        except BaseException:
            _remove_drafts(place, running)
            if is_new:
                _remove_parts(
                    place, running, with_folder=is_new_folder, keeps_rootfs=not request.image
                )
            raise


def _check_place(request: BundleRequest) -> None:
    """Raise `BundleExists`, `BundleRefused` where a bundle cannot be written."""
    place = request.place
    if place.config.exists() and not request.update:
        raise BundleExists(place.name)
    for path in (place.path, place.rootfs, place.path / "etc", place.config):
        if path.is_symlink() and not (path == place.path and place.is_custom):
            refuse(f"cannot use {path}: it is a link", "remove it, or choose another folder")
    if place.path.exists() and not place.path.is_dir():
        refuse(f"cannot use {place.path}: it is no folder")
    if request.image is None:
        if not place.rootfs.is_dir():
            hint = "put the root file system there, or name an image"
            refuse(f"cannot make a bundle of {place.path}: it has no folder rootfs", hint)
        return
    if place.is_custom and not place.config.exists() and place.path.is_dir():
        others = [name for name in os.listdir(place.path) if not name.startswith(".")]  # noqa: PTH208
        if others:
            hint = "choose an empty folder, or a new one"
            refuse(f"cannot make a bundle in {place.path}: it has {others[0]}", hint)


def _write(request: BundleRequest, running: NamespaceHolder) -> BundleOutcome:
    place, image = request.place, request.image
    _remove_drafts(place, running)
    earlier = record.read_record(place)
    is_kept = place.rootfs.is_dir() and (
        image is None or (earlier is not None and earlier.image_id == image.id)
    )
    rootfs = place.rootfs
    if not is_kept:
        assert image is not None
        rootfs = place.path / f"{NEW}{os.urandom(4).hex()}"
        worker.run_worker(RootfsRequest(image_id=image.id, target=str(rootfs)), running)
    rows = {kind: proc.read_id_map(running.child, kind) for kind in ("uid", "gid")}
    image_config = image.config if image else ImageConfig()
    result = config.build_config(
        place,
        request.service,
        image_config,
        rows,
        rootfs=rootfs,
        publish=request.publish,
        strict=request.strict,
    )
    if not is_kept:
        _replace_rootfs(place, rootfs, running)
    config.write_etc_files(place, request.service)
    files.write_atomic(place.config, to_json(result.spec) + b"\n", durable=True)
    now = time.time()
    written = BundleRecord(
        image=request.image_name,
        image_id=image.id if image else "",
        created=earlier.created if earlier else now,
        updated=now,
        command=build_command_line(request.service, image_config),
    )
    record.write_record(place, written)
    return BundleOutcome(record=written, warnings=result.warnings)


def _replace_rootfs(place: BundlePlace, new: Path, running: NamespaceHolder) -> None:
    old = place.path / f"{OLD}{os.urandom(4).hex()}"
    if place.rootfs.exists():
        place.rootfs.rename(old)
    new.rename(place.rootfs)
    if old.exists():
        worker.run_worker(RootfsRequest(remove=(str(old),)), running)


def _remove_drafts(place: BundlePlace, running: NamespaceHolder) -> None:
    """Remove what a creation that was killed has left."""
    drafts = [path for begin in (NEW, OLD) for path in files.find_paths(place.path, f"{begin}*")]
    if drafts:
        worker.run_worker(RootfsRequest(remove=tuple(map(str, drafts))), running)


def _remove_parts(
    place: BundlePlace, running: NamespaceHolder, *, with_folder: bool, keeps_rootfs: bool
) -> None:
    """Remove what a creation that failed has written."""
    if with_folder:
        worker.run_worker(RootfsRequest(remove=(str(place.path),)), running)
        return
    parts = [place.path / name for name in ("etc", "cni", stored_rootfs.FACTS, ".lock")]
    parts += [] if keeps_rootfs else [place.rootfs]
    worker.run_worker(RootfsRequest(remove=tuple(map(str, parts))), running)


def remove_bundles(places: list[BundlePlace]) -> dict[str, CntnrError]:
    """Remove bundles, each also where another one fails; return the errors by name."""
    failures: dict[str, CntnrError] = {}
    if not places:
        return failures
    with rootlesskit.temporary_holder("bundle-rm") as running:
        for place in places:
            try:
                with record.lock(place):
                    worker.run_worker(RootfsRequest(remove=(str(place.path),)), running)
            except CntnrError as error:
                failures[place.name] = error
    return failures
