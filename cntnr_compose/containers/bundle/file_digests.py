"""Compute the digests of configs and secrets that containers get copies of, to notice changed files."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.project import Project


def with_file_digests(observed: "Observed", project: "Project") -> "Observed":
    """Add the digests of files that services want with an owner or mode, by path, to what was observed.

    Others are mounted, so that containers see changes at once. A file that cannot be read has none: who
    starts the container tells why.
    """
    paths = set(_list_copied_files(project))
    if not paths:
        return observed
    from cntnr_compose.core.values import replace

    digests = {path: digest for path in paths if (digest := _digest_file(path))}
    return replace(observed, file_digests=digests)


def _list_copied_files(project: "Project") -> "Iterator[str]":
    for service in project.services.values():
        for uses, sources in (
            (service.configs, project.configs),
            (service.secrets, project.secrets),
        ):
            for use in uses:
                source = sources.get(use.source)
                if use.is_copy and source is not None and source.file:
                    yield source.file


def _digest_file(path: str) -> str:
    import hashlib
    from pathlib import Path

    from cntnr_compose.containers.bundle.configs_secrets import MAX_FILE_SIZE
    from cntnr_compose.host.openat2 import Root

    try:
        with Root(Path("/")) as root:
            return hashlib.sha256(root.read(path, MAX_FILE_SIZE)).hexdigest()
    except OSError:
        return ""
