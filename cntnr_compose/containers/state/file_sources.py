"""Files that a container was created with: sources of its configs and secrets, and the directory of paths.

A later `up` may have none of them any more, be it of a file without the service or of another directory. Only
what the container uses is kept; text is for nobody but the user.
"""

from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.values import Value, field
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record
from cntnr_compose.model.project import FileSource, Project


class FileSources(Value, frozen=True, kw_only=True):
    """Configs and secrets by key, and what relative paths start from."""

    working_dir: str = "/"
    configs: dict[str, FileSource] = field(default_factory=dict)
    secrets: dict[str, FileSource] = field(default_factory=dict)


def write_sources(record: Record, project: Project) -> None:
    """Write what a container uses of a project's files, if anything."""
    service = record.definition
    if not (service.configs or service.secrets or service.security_opt):
        return
    sources = FileSources(
        working_dir=project.working_dir,
        configs=_select(project.configs, {use.source for use in service.configs}),
        secrets=_select(project.secrets, {use.source for use in service.secrets}),
    )
    files.write_value(_file(record), sources, mode=0o600)


def read_sources(record: Record, project: Project | None) -> FileSources:
    """Read what a container was created with; of an older version's container it is what the project has."""
    sources = files.read_value(_file(record), FileSources)
    if sources is None and project is not None:
        sources = FileSources(
            working_dir=project.working_dir, configs=project.configs, secrets=project.secrets
        )
    return sources or FileSources()


def _file(record: Record) -> Path:
    return paths.container(record.project, record.id) / "sources.json"


def _select(sources: dict[str, FileSource], keys: set[str]) -> dict[str, FileSource]:
    return {key: source for key, source in sources.items() if key in keys}
