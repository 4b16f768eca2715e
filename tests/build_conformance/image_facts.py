"""Describe an image as facts that two builders can be compared by: configuration, history, file tree."""

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

CONFIG_KEYS = (
    "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild", "Shell",
    "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip
COMPOSE_LABELS = "com.docker.compose."
XATTR_HEADER = "SCHILY.xattr."
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
# What is older was given its time by the case; what is younger got the time of the build.
BUILD_YEAR = 1_600_000_000
SHORT_TEXT = 64
Facts = dict[str, Any]
OpenBlob = Callable[[str], IO[bytes]]  # a digest to its content


@dataclass
class Inode:
    """A file of an image, which may have several names."""

    kind: str
    mode: int
    owner: str
    mtime: int
    content: str = ""
    xattrs: dict[str, str] = field(default_factory=dict)

    def text(self, first_name: str, name: str) -> str:
        """Write it as one line."""
        words = [self.kind]
        if self.kind != "link":
            words.append(f"{self.mode:04o}")
        words += [self.owner, self.content]
        words += [f"{key}={value}" for key, value in sorted(self.xattrs.items())]
        if 0 < self.mtime < BUILD_YEAR:
            words.append(f"mtime={self.mtime}")
        if first_name != name:
            words.append(f"hard link to {first_name}")
        return " ".join(word for word in words if word)


def facts_of_layout(open_blob: OpenBlob, manifest_digest: str, base: "BaseFiles") -> Facts:
    """Describe an image of an OCI layout; of its files those that no base image has as they are."""
    manifest = _read(open_blob, manifest_digest)
    if "manifests" in manifest:  # an index of one image
        manifest = _read(open_blob, manifest["manifests"][0]["digest"])
    config = _read(open_blob, manifest["config"]["digest"])
    layers = [layer["digest"] for layer in manifest["layers"] or ()]
    tree = flatten(open_blob, layers)
    diffs = config["rootfs"]["diff_ids"] or []
    assert len(diffs) == len(layers), "a diff id for each layer"
    return {
        "config": _config(config.get("config") or {}),
        "author": config.get("author", ""),
        "history": [
            f"{entry.get('created_by', '')}{' (empty)' if entry.get('empty_layer') else ''}"
            for entry in config.get("history", [])
            if not entry.get("created_by", "").startswith("contrib/fixtures")
        ],
        "files": describe_tree(tree, base.find(diffs)),
    }


def _read(open_blob: OpenBlob, digest: str) -> Any:
    with open_blob(digest) as blob:
        return json.load(blob)


def _config(config: dict[str, Any]) -> dict[str, Any]:
    """Keep what is set; nothing, null and an empty value mean the same."""
    kept = {key: config[key] for key in CONFIG_KEYS if config.get(key)}
    if "Labels" in kept:
        labels = {k: v for k, v in kept["Labels"].items() if not k.startswith(COMPOSE_LABELS)}
        kept["Labels"] = labels
        if not labels:
            del kept["Labels"]
    return kept


class BaseFiles:
    """The files of the images that cases are based on, by the digests of their layers."""

    def __init__(self) -> None:
        self._images: list[tuple[list[str], dict[str, str]]] = []

    def add(self, diff_ids: list[str], files: dict[str, str]) -> None:
        """Add an image."""
        self._images.append((diff_ids, files))

    def find(self, diff_ids: list[str]) -> dict[str, str]:
        """Return the files of the image whose layers these begin with, of the one with most layers."""
        fitting = [(len(own), files) for own, files in self._images if diff_ids[: len(own)] == own]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else {}


def describe_tree(tree: dict[str, Inode], base: dict[str, str]) -> dict[str, str]:
    """Describe each file that is not in the base as it is, and what is there no more."""
    first_names: dict[int, str] = {}
    lines: dict[str, str] = {}
    for name in sorted(tree):
        first = first_names.setdefault(id(tree[name]), name)
        line = tree[name].text(first, name)
        is_same = base.get(name) == line
        # A folder's time changes with its content, which is compared anyway.
        if tree[name].kind == "dir" and name in base:
            is_same = base[name].partition(" mtime=")[0] == line.partition(" mtime=")[0]
        if not is_same:
            lines[name] = line
    gone = {name: "gone" for name in base if name not in tree}
    return {
        **lines,
        **{name: line for name, line in gone.items() if name.rpartition("/")[0] not in gone},
    }


def flatten(open_blob: OpenBlob, layers: list[str]) -> dict[str, Inode]:
    """Apply layers over each other."""
    tree: dict[str, Inode] = {}
    for digest in layers:
        below = set(tree)
        with open_blob(digest) as blob, tarfile.open(fileobj=blob, mode="r|*") as archive:
            for member in archive:
                _apply_member(archive, member, tree, below)
    return tree


def _apply_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, tree: dict[str, Inode], below: set[str]
) -> None:
    path = "/".join(part for part in member.name.split("/") if part not in ("", "."))
    if not path:
        return
    folder, _, name = path.rpartition("/")
    if name == OPAQUE:
        for lower in [each for each in _inside(tree, folder) if each in below]:
            del tree[lower]
    elif name.startswith(WHITEOUT):
        hidden = f"{folder}/{name.removeprefix(WHITEOUT)}".strip("/")
        for lower in [hidden, *_inside(tree, hidden)]:
            if lower in below:
                tree.pop(lower, None)
    elif member.islnk():
        target = "/".join(part for part in member.linkname.split("/") if part not in ("", "."))
        tree[path] = tree[target]
        below.discard(path)
    else:
        if not member.isdir():
            for lower in list(_inside(tree, path)):
                del tree[lower]
        tree[path] = _inode(archive, member)
        below.discard(path)


def _inside(tree: dict[str, Inode], folder: str) -> Iterator[str]:
    return iter([name for name in tree if name.startswith(f"{folder}/" if folder else "")])


def _inode(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Inode:
    content = ""
    if member.isdir():
        kind = "dir"
    elif member.issym():
        kind, content = "link", f"-> {member.linkname}"
    elif member.isreg():
        reader = archive.extractfile(member)
        assert reader is not None
        kind, content = "file", _content_text(reader.read())
    elif member.isfifo():
        kind = "fifo"
    else:
        kind, content = "device", f"{member.devmajor}:{member.devminor}"
    xattrs = {
        key.removeprefix(XATTR_HEADER): value.encode("utf-8", "surrogateescape").hex()
        for key, value in member.pax_headers.items()
        if key.startswith(XATTR_HEADER)
    }
    owner = f"{member.uid}:{member.gid}"
    return Inode(kind, member.mode & 0o7777, owner, int(member.mtime), content, xattrs)


def _content_text(content: bytes) -> str:
    """Show a short text as it is, all else as size and digest."""
    if len(content) <= SHORT_TEXT:
        try:
            return json.dumps(content.decode())
        except UnicodeDecodeError:
            pass
    return f"{len(content)} bytes {hashlib.sha256(content).hexdigest()[:16]}"


def open_layout(folder: Path) -> OpenBlob:
    """Open the blobs of an OCI layout."""
    return lambda digest: (folder / "blobs" / digest.replace(":", "/", 1)).open("rb")


def open_archive(archive: tarfile.TarFile) -> OpenBlob:
    """Open the files of an OCI archive: blobs by their digests, others by their names."""

    def open_member(name: str) -> IO[bytes]:
        path = f"blobs/{name.replace(':', '/', 1)}" if ":" in name else name
        reader = archive.extractfile(path)
        assert reader is not None
        return reader

    return open_member


def differences(expected: Facts, actual: Facts) -> dict[str, str]:
    """Compare two descriptions: each place where they differ, and how."""
    places: dict[str, str] = {}
    for part in sorted({*expected, *actual}):
        left, right = expected.get(part), actual.get(part)
        if isinstance(left, dict) and isinstance(right, dict):
            for key in sorted({*left, *right}):
                if left.get(key) != right.get(key):
                    places[f"{part}.{key}"] = f"should be {left.get(key)}, is {right.get(key)}"
        elif left != right:
            places[part] = f"should be {left}, is {right}"
    return places
