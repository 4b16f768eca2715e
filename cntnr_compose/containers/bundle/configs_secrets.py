"""Prepare configs and secrets of a container: files of the host, or text that we write.

Text is written to the holder's tmpfs; on disk it is in the project's intent and in the container's
sources only, which nobody but the user may read. Runs inside the holder.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cntnr_compose.containers.spec.inputs import ResolvedMount
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes
from cntnr_compose.host import files
from cntnr_compose.host.namespaces import holder, owners
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.observed import Record
from cntnr_compose.model.project import FileSource
from cntnr_compose.model.service import FileMount

DEFAULT_MODE = 0o444
MAX_FILE_SIZE: Bytes = 64 << 20  # of a file that is copied, into memory


class ConfigSourceMissing(CntnrError):
    """The file of a config or secret does not exist, or cannot be read."""

    def __init__(self, kind: str, key: str, path: str, why: str) -> None:
        what = "does not exist" if why == os.strerror(errno.ENOENT) else f"cannot be read: {why}"
        super().__init__(f"cannot give {kind} {key} to a container: {path} {what}")


class SourceUnset(CntnrError):
    """The variable of a config or secret is not set."""

    def __init__(self, kind: str, key: str, variable: str) -> None:
        super().__init__(f'environment variable "{variable}" required by {kind} "{key}" is not set')


def _folder(record: Record) -> Path:
    return paths.holder_tmpfs() / "files" / record.id


def create_file_mounts(
    record: Record, configs: Mapping[str, FileSource], secrets: Mapping[str, FileSource]
) -> tuple[ResolvedMount, ...]:
    """Build the mounts of a container's configs and secrets, and write files where they need it.

    ``configs`` and ``secrets`` are those of the project. Raises `ConfigSourceMissing`, `SourceUnset`.
    """
    file_mounts = []
    for kind, number, use, source in _iter_file_mounts(record, configs, secrets):
        path = _prepare_file(record, kind, number, use, source)
        file_mounts.append(
            ResolvedMount(target=container_path(kind, use), source=str(path), read_only=True)
        )
    return tuple(file_mounts)


def list_host_files(
    record: Record, configs: Mapping[str, FileSource], secrets: Mapping[str, FileSource]
) -> list[FileSource]:
    """List the configs and secrets of a container that are files of the host."""
    file_mounts = _iter_file_mounts(record, configs, secrets)
    return [source for _, _, _, source in file_mounts if source.file]


def _iter_file_mounts(
    record: Record, configs: Mapping[str, FileSource], secrets: Mapping[str, FileSource]
) -> Iterator[tuple[str, int, FileMount, FileSource]]:
    for kind, uses, sources in (
        ("config", record.definition.configs, configs),
        ("secret", record.definition.secrets, secrets),
    ):
        for number, use in enumerate(uses):
            yield kind, number, use, sources.get(use.source) or FileSource(key=use.source)


def container_path(kind: str, use: FileMount) -> str:
    """Return the path in the container."""
    base = "/run/secrets/" if kind == "secret" else "/"
    path = use.target or use.source
    return path if path.startswith("/") else base + path


def _prepare_file(
    record: Record, kind: str, number: int, use: FileMount, source: FileSource
) -> Path:
    original = _find_source(kind, source) if source.file else None
    if original is not None and not (use.is_copy and original.is_file()):
        return original
    if original is None and source.content is None:
        raise SourceUnset(kind, source.key, source.environment or "?")
    copy = _folder(record) / f"{kind}-{number}"
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if original is not None:
        _copy(kind, source, original, copy)
    else:
        copy.write_text(source.content or "")
    owners.change_owner(str(copy), int(use.uid or 0), int(use.gid or 0))
    copy.chmod(DEFAULT_MODE if use.mode is None else use.mode)
    return copy


def _find_source(kind: str, source: FileSource) -> Path:
    original = holder.host_path(Path(source.file))
    try:
        original.stat()
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigSourceMissing(kind, source.key, source.file, why) from error
    return original


def _copy(kind: str, source: FileSource, original: Path, copy: Path) -> None:
    """Copy a file; containers may have replaced it by something else just now."""
    try:
        with Root(Path("/")) as host:
            copy.write_bytes(host.read(str(original), MAX_FILE_SIZE))
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigSourceMissing(kind, source.key, source.file, why) from error


def remove_files(record: Record) -> None:
    """Remove the files of a container."""
    files.remove_tree(_folder(record))
