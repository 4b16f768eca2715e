"""What a container has changed: its upper folder beside the layers below."""

import os
from pathlib import Path

import pytest

from cntnr_compose.containers.rootfs.changes import list_changes
from cntnr_compose.containers.rootfs.mount_points import list_mount_points
from cntnr_compose.containers.spec.inputs import ResolvedMount, SpecInputs
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers.complete import LowerLayers
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.service import FileMount, Service
from tests.unit.containers.conftest import white_out


def changes(upper: Path, layers: list[Path], *mount_points: str) -> list[str]:
    with Root(upper) as root:
        listed = list_changes(root, LowerLayers(layers), mount_points)
        return [f"{change.kind} {change.path}" for change in listed]


def test_files_are_added_changed_and_deleted(tmp_path: Path, layers: list[Path]) -> None:
    upper = tmp_path / "upper"
    assert changes(upper, layers) == []
    for folder in ("bin", "etc", "deep/er", "new/er"):
        (upper / folder).mkdir(parents=True)
    white_out(upper / "bin/yes")
    white_out(upper / "etc/never")  # it hides nothing
    (upper / "etc/passwd").write_text("y")
    (upper / "etc/gone").write_text("back")
    (upper / "deep/er/file").write_text("y")
    (upper / "new/er/file").symlink_to("/bin/sh")
    assert changes(upper, layers) == [
        "C bin", "D bin/yes",
        "C deep/er/file",  # as in docker, the folder of a changed file is not a change
        "C etc", "A etc/gone", "C etc/passwd",
        "A new", "A new/er", "A new/er/file",
    ]  # fmt: skip


def test_a_folder_changes_by_its_attributes_and_by_becoming_a_file(
    tmp_path: Path, layers: list[Path]
) -> None:
    upper = tmp_path / "upper"
    (upper / "bin").mkdir(mode=0o700)
    (upper / "etc").mkdir()  # copied up, and nothing else
    (upper / "deep").write_text("")
    (upper / "empty").mkdir()
    (upper / "empty/x").mkdir()
    (upper / "empty/x/y").write_text("")
    (upper / "bin").chmod(0o700)
    assert changes(upper, layers) == ["C bin", "C deep", "C empty/x", "A empty/x/y"]


def test_a_folder_that_was_made_again_hides_what_it_had(tmp_path: Path, layers: list[Path]) -> None:
    upper = tmp_path / "upper"
    (upper / "etc").mkdir()
    (upper / "etc/new").write_text("")
    try:
        os.setxattr(upper / "etc", "user.overlay.opaque", b"y")
    except OSError:
        pytest.fail("the file system of TMPDIR has no extended attributes of users")
    assert changes(upper, layers) == ["C etc", "D etc/passwd", "A etc/new"]


def test_what_was_created_to_mount_something_there_is_no_change(
    tmp_path: Path, layers: list[Path]
) -> None:
    upper = tmp_path / "upper"
    for folder in ("etc", "data", "run/secrets", "full"):
        (upper / folder).mkdir(parents=True)
    for file in ("etc/hosts", "run/secrets/key"):
        (upper / file).write_text("")
    (upper / "full/file").write_text("")
    (upper / "etc/resolv.conf").write_text("it has content")
    points = ("etc/hosts", "etc/resolv.conf", "data", "run/secrets/key", "full")
    assert changes(upper, layers, *points) == [
        "C etc", "A etc/resolv.conf", "A full", "A full/file",
    ]  # fmt: skip


def test_all_mount_points_of_a_container_are_known(tmp_path: Path) -> None:
    service = Service(
        name="web",
        init=True,
        command=("x",),
        tmpfs=("/run:size=1m",),
        configs=(FileMount(source="settings"),),
        secrets=(FileMount(source="key"), FileMount(source="other", target="/x/other")),
    )
    mounts = [("volume", "/data/"), ("bind", "/a/../b"), ("tmpfs", "/t")]
    record = Record(
        id="1" * 64, name="web", project="shop", service="web", definition=service,
        mounts=tuple(MountPoint(type=kind, target=target, source="s") for kind, target in mounts),
    )  # fmt: skip
    targets = [*(target for _, target in mounts), "/settings", "/run/secrets/key", "/x/other"]
    etc = {f"/etc/{name}": "s" for name in ("hosts", "hostname", "resolv.conf")}
    inputs = SpecInputs(
        id=record.id,
        rootfs="/r",
        etc_files=etc,
        mounts=tuple(ResolvedMount(target=target, source="s") for target in targets),
    )
    facts = HostFacts(
        controllers=("memory",),
        init_path="/usr/bin/tini",
        seccomp_profile={"defaultAction": "SCMP_ACT_ALLOW"},
    )
    spec = build_runtime_spec(service, ImageConfig(), inputs, facts).spec
    mounted = {str(mount["destination"]).strip("/") for mount in spec["mounts"]}
    assert mounted <= list_mount_points(record)
