"""What a project was last brought up as: the intent, one file a project."""

from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.model.project import Project


def read_intent(project: str) -> Project | None:
    """Read what a project was last brought up as; None where it is not up."""
    return files.read_value(paths.intent(project), Project)


def write_intent(project: Project) -> None:
    """Write what a project is brought up as."""
    paths.make_data_folder(paths.projects())
    files.write_value(paths.intent(project.name), project, mode=0o600)


def remove_intent(project: str) -> None:
    """Remove what a project was brought up as."""
    paths.intent(project).unlink(missing_ok=True)
    for draft in paths.projects().glob(f".{project}.json.*"):  # of writers that were killed
        draft.unlink(missing_ok=True)
