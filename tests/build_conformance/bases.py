"""Make the images that cases are based on, all of one layout."""

import functools
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from contrib.fixtures.image import Layout, archive, entry
from tests.build_conformance.image_facts import BaseFiles, describe_tree, flatten, open_layout

ROOT = Path(__file__).resolve().parents[2]
USERS = b"root:x:0:0:root:/root:/bin/sh\nalice:x:1001:2002::/home/alice:/bin/sh\n"
GROUPS = b"root:x:0:\nalice:x:2002:\nstaff:x:50:\n"
# An image of which each setting is inherited.
FULL: dict[str, Any] = {
    "Env": ["PATH=/bin:/usr/bin", "BASE=from-base", "BOTH=base"],
    "Entrypoint": ["/bin/sh", "-c"],
    "Cmd": ["echo base"],
    "WorkingDir": "/base/work",
    "User": "alice",
    "Labels": {"kept": "base", "changed": "base"},
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/base/data": {}},
    "StopSignal": "SIGINT",
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 7_000_000_000},
    "Shell": ["/bin/sh", "-ec"],
}
TRIGGERS = ["ENV TRIGGERED=yes", "COPY a.txt /triggered/", "RUN echo run >/triggered/run"]


def _of_owner(made: tuple[tarfile.TarInfo, bytes], uid: int, gid: int) -> tuple[Any, bytes]:
    made[0].uid, made[0].gid = uid, gid
    return made


def _hard_link(name: str, target: str, mode: int) -> tuple[tarfile.TarInfo, bytes]:
    made = entry(name, content=b"", mode=mode)
    made[0].type, made[0].linkname = tarfile.LNKTYPE, target
    return made


def _layers() -> list[bytes]:
    """Pack two layers with users and files of all kinds."""
    first = [
        entry("etc/passwd", content=USERS, mode=0o644),
        entry("etc/group", content=GROUPS, mode=0o644),
        _of_owner(entry("home/alice", mode=0o750), 1001, 2002),
        entry("base"), entry("base/work"), entry("base/data"),
        entry("base/dir", mode=0o2775), entry("base/dir/a", content=b"a\n", mode=0o644),
        entry("base/dir/b", content=b"b\n", mode=0o600), entry("base/dir/sub"),
        entry("base/dir/sub/c", content=b"c\n", mode=0o644),
        entry("base/file", content=b"file\n", mode=0o640),
        _hard_link("base/hard", "base/file", 0o640),
        entry("base/setuid", content=b"setuid\n", mode=0o4755),
        entry("base/link", link="dir"), entry("base/broken", link="nowhere"),
        entry("base/absolute", link="/base/dir"), entry("base/out", link="../../../base/dir"),
        entry("base/hidden", content=b"hidden\n"), entry("base/covered"),
        entry("base/covered/old", content=b"old\n"),
    ]  # fmt: skip
    second = [
        entry("base"), entry("base/.wh.hidden", content=b"", mode=0o644),
        entry("base/covered"), entry("base/covered/.wh..wh..opq", content=b"", mode=0o644),
        entry("base/covered/new", content=b"new\n", mode=0o644),
    ]  # fmt: skip
    return [archive(first), archive(second)]


def make_bases(folder: Path) -> dict[str, str]:
    """Write a layout with the images; return the tag in the layout of each name in a Dockerfile."""
    made = subprocess.run(
        [sys.executable, ROOT / "contrib/fixtures/make.py", "busybox"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    busybox = Path(made.stdout.strip())
    manifest = _read_by_tag(busybox, "busybox")
    config = _read_blob(busybox, manifest["config"]["digest"])
    layout = Layout(folder)
    below = []
    for layer, diff in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        name = layer["digest"].removeprefix("sha256:")
        shutil.copyfile(busybox / "blobs/sha256" / name, folder / "blobs/sha256" / name)
        below.append((layer, diff))
    layers = [*below, *(layout.add_layer(tar) for tar in _layers())]
    small = config["config"]
    layout.add_image("busybox", below, small)
    layout.add_image("files", layers, small)
    layout.add_image("full", layers, FULL)
    layout.add_image("onbuild", below, {**small, "OnBuild": TRIGGERS})
    layout.add_image("onbuild-from", below, {**small, "OnBuild": ["FROM busybox"]})
    return {"busybox": "busybox", **{name: name for name in _TAGS}}


_TAGS = ("files", "full", "onbuild", "onbuild-from")


def _read_by_tag(layout: Path, tag: str) -> Any:
    index = json.loads((layout / "index.json").read_text())
    for each in index["manifests"]:
        if each["annotations"]["org.opencontainers.image.ref.name"] == tag:
            return _read_blob(layout, each["digest"])
    raise KeyError(tag)


def _read_blob(layout: Path, digest: str) -> Any:
    with open_layout(layout)(digest) as blob:
        return json.load(blob)


@functools.cache
def base_files(layout: Path) -> BaseFiles:
    """Read the files of the images of a layout."""
    known = BaseFiles()
    for tag in ("busybox", "full"):
        manifest = _read_by_tag(layout, tag)
        config = _read_blob(layout, manifest["config"]["digest"])
        digests = [layer["digest"] for layer in manifest["layers"]]
        lines = describe_tree(flatten(open_layout(layout), digests), {})
        known.add(config["rootfs"]["diff_ids"], lines)
    return known
