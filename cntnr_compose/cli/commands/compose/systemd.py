"""`cntnr compose systemd`: print a unit that runs a project as a service of the user's systemd."""

import os
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.project import Project


class FileNotKept(CntnrError):
    """A project is read from standard input, which a unit cannot."""

    hint = "write it to a file, and name that with -f"

    def __init__(self) -> None:
        super().__init__("cannot print a unit for a project that is read from standard input")


@command()
def systemd(options: "ProjectOptions") -> None:
    """Print a unit of the user's systemd that runs the project.

    It counts as started when the containers run. Variables of the shell are not kept: an env file has them.

        cntnr compose systemd > ~/.config/systemd/user/shop.service
        systemctl --user enable --now shop
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.client.boot import systemd_unit
    from cntnr_compose.containers.stop import grace_period

    with options.display() as display:
        project = options.load(display).project
    words = _project_words(project)
    unit = systemd_unit.ServiceUnit(
        name=project.name,
        description=f"Containers of the project {project.name}",
        made_by=[*words, "systemd"],
        start=[*words, "up", "--no-color"],
        stop=[*words, "stop"],
        graces=[grace_period(service) for service in project.services.values()],
        variables=systemd_unit.kept_variables(),
    )
    stdout.write(systemd_unit.render_unit(unit))


def _project_words(project: "Project") -> list[str]:
    """Return the words that name a project, wherever they are said. Raises `FileNotKept`."""
    if "-" in project.files:
        raise FileNotKept
    words = ["compose", "-p", project.name, "--project-directory", project.working_dir]
    for name, values in (
        ("-f", project.files),
        ("--env-file", [os.path.abspath(file) for file in project.env_files]),  # noqa: PTH100
        ("--profile", project.profiles),
    ):
        for value in values:
            words += [name, value]
    return words
