"""Measure layers, cache mounts, containers and volumes, inside the holder, where they can be read."""

import os
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Seconds, Value, field, from_json, to_json
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.images.storage.detached import measure

MEASURE_CODE = "from cntnr_compose.images.storage.sizes import main; main()"


class MeasurementFailed(CntnrError):
    """The process that measures ended without an answer."""

    def __init__(self, stderr: str) -> None:
        last = stderr.strip().rpartition("\n")[2] or "the process was killed"
        super().__init__(f"cannot measure what is stored: {last}")


class LayerBlob(Value, frozen=True, kw_only=True):
    """The layer that a step's folder became."""

    size: Bytes = 0
    digest: str = ""


class LayerSize(Value, frozen=True, kw_only=True):
    """`layers/ID/layer.json`, as far as it matters here; its content is about as large as the files."""

    size: Bytes = 0
    layer: LayerBlob = field(default_factory=LayerBlob)


class MountSizes(Value, frozen=True, kw_only=True):
    """`builds/mount-sizes.json`: sizes of cache mounts, each valid while its time of use is the same."""

    sizes: dict[str, tuple[Seconds, Bytes]] = field(default_factory=dict)


def recorded_sizes(names: Iterable[str]) -> dict[str, Bytes]:
    """Return the sizes of those layers that have a record of it, by name."""
    sizes = {}
    for name in names:
        record = files.read_value(paths.layers() / name / "layer.json", LayerSize)
        if record is not None:
            sizes[name] = record.size or record.layer.size
    return sizes


def measure_folders(folders: Iterable[Path]) -> dict[Path, Bytes]:
    """Measure folders from outside; those that hold files of others inside the holder.

    Raises `MeasurementFailed`.
    """
    sizes, others = {}, []
    for folder in folders:
        size, is_own = measure(folder)
        if is_own or not folder.exists():
            sizes[folder] = size
        else:
            others.append(folder)
    if not others:
        return sizes
    with rootlesskit.temporary_holder("image-du") as running:
        argv = [sys.executable, "-P", "-c", MEASURE_CODE]
        argv = running.nsenter_argv(argv)
        env = {**os.environ, "PATH": process.search_path()}
        names = to_json([str(folder) for folder in others]) + b"\n"
        done = process.run(argv, env=env, stdin=names, ok=range(-64, 256))
    if done.returncode != 0:
        raise MeasurementFailed(done.stderr)
    return sizes | dict(zip(others, from_json(done.stdout, list[int]), strict=True))


def main() -> None:
    """Read a list of folders from standard input, and write the list of their sizes."""
    names = from_json(sys.stdin.buffer.readline(), list[str])
    sys.stdout.write(to_json([measure(Path(name))[0] for name in names]).decode() + "\n")
    sys.stdout.flush()


def measure_mounts(*, inside: bool) -> Mapping[str, Bytes]:
    """Measure the cache mounts of builds by their names, those anew that were used since the last time."""
    folder = paths.builds() / "mounts"
    known = files.read_value(paths.builds() / "mount-sizes.json", MountSizes) or MountSizes()
    statuses = files.find_statuses(folder, "[!.]*")
    times = {
        path.name: status.st_mtime
        for path, status in statuses.items()
        if stat.S_ISDIR(status.st_mode)
    }
    stale = [
        folder / name for name, used in times.items() if known.sizes.get(name, (0,))[0] != used
    ]
    measured = {path: measure(path)[0] for path in stale} if inside else measure_folders(stale)
    sizes = {name: known.sizes[name] for name in times if folder / name not in measured}
    sizes |= {path.name: (times[path.name], size) for path, size in measured.items()}
    if stale:
        files.write_value(paths.builds() / "mount-sizes.json", MountSizes(sizes=sizes))
    return {name: size for name, (_, size) in sizes.items()}
