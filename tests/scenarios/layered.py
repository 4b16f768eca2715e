"""OCI layouts with images that are made for a test, layer by layer, on top of busybox."""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Sequence
from typing import Any

import zstandard

from tests.scenarios.lib import Project
from tests.scenarios.registry import make_image

KINDS = {
    "link": tarfile.LNKTYPE,
    "symlink": tarfile.SYMTYPE,
    "pipe": tarfile.FIFOTYPE,
    "folder": tarfile.DIRTYPE,
}


def entry(
    name: str, content: bytes = b"", kind: str = "", **other: Any
) -> tuple[tarfile.TarInfo, bytes]:
    """Describe an entry of a layer."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = KINDS.get(kind, tarfile.REGTYPE), len(content), 1_600_000_000
    info.mode = 0o755 if kind == "folder" else 0o644
    for key, value in other.items():
        setattr(info, key, value)
    return info, content


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Make the archive of a layer."""
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape"
    ) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


class LayeredImages:
    """An OCI layout in a project's folder with images on top of busybox."""

    def __init__(self, project: Project) -> None:
        self.path = project.folder / "layout"
        busybox = make_image("busybox")
        subprocess.run(["cp", "-r", busybox, self.path], check=True)
        self._index = json.loads((self.path / "index.json").read_text())
        self._manifest = self._read(self._index["manifests"][0])
        self._config = self._read(self._manifest["config"])
        self._project = project

    def _read(self, descriptor: dict[str, Any]) -> dict[str, Any]:
        path = self.path / "blobs" / descriptor["digest"].replace(":", "/")
        return dict(json.loads(path.read_text()))

    def _write(self, content: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        (self.path / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    def add(self, tag: str, layers: Sequence[bytes], *, zstd: bool = False) -> None:
        """Add an image with layers on top of busybox's; the last one by zstd, if so, the others by gzip."""
        prefix = "application/vnd.oci.image."
        manifest, config = json.loads(json.dumps([self._manifest, self._config]))
        for number, content in enumerate(layers):
            is_last = zstd and number == len(layers) - 1
            kind = f"{prefix}layer.v1.tar+{'zstd' if is_last else 'gzip'}"
            blob = zstandard.compress(content) if is_last else gzip.compress(content, 1, mtime=0)
            manifest["layers"].append(self._write(blob, kind))
            config["rootfs"]["diff_ids"].append(f"sha256:{hashlib.sha256(content).hexdigest()}")
        manifest["config"] = self._write(json.dumps(config).encode(), f"{prefix}config.v1+json")
        image = self._write(json.dumps(manifest).encode(), f"{prefix}manifest.v1+json")
        image["annotations"] = {"org.opencontainers.image.ref.name": tag}
        self._index["manifests"].append(image)
        (self.path / "index.json").write_text(json.dumps(self._index))
        self._project.user.own(self._project.folder)
