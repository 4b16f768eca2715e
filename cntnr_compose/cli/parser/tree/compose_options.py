"""The options of `cntnr compose`, which its commands take, too."""

from collections.abc import Iterator

from cntnr_compose.cli.parser.options import Command, Option, shared_option
from cntnr_compose.cli.project.options import ANSI_MODES, PROGRESS_MODES

DRY_RUN = shared_option(
    "dry_run", "--dry-run", is_flag=True, help="Show what would be done, and do nothing."
)
COMPOSE_OPTIONS = (
    shared_option(
        "files",
        "-f",
        "--file",
        multiple=True,
        metavar="FILE",
        help="Compose file; several are merged in their order.",
    ),
    shared_option(
        "project_name",
        "-p",
        "--project-name",
        metavar="PROJECT",
        help="Name of the project, instead of that of the file or its directory.",
    ),
    shared_option(
        "profiles",
        "--profile",
        multiple=True,
        metavar="PROFILE",
        help="Enable the services of this profile.",
    ),
    shared_option(
        "env_files",
        "--env-file",
        multiple=True,
        metavar="FILE",
        help="File of variables, instead of `.env`.",
    ),
    shared_option(
        "directory",
        "--project-directory",
        metavar="DIRECTORY",
        help="Working directory, instead of the first file's.",
    ),
    shared_option(
        "progress",
        "--progress",
        metavar="MODE",
        values=PROGRESS_MODES,
        help=f"Progress: {', '.join(PROGRESS_MODES)}.",
    ),
    shared_option(
        "ansi",
        "--ansi",
        metavar="WHEN",
        values=ANSI_MODES,
        help=f"Colours: {', '.join(ANSI_MODES)}.",
    ),
    shared_option(
        "parallel", "--parallel", kind=int, metavar="N", help="Do at most so many things at once."
    ),
    shared_option(
        "compatibility",
        "--compatibility",
        is_flag=True,
        help="Join the parts of names with `_` instead of `-`.",
    ),
    DRY_RUN,
    shared_option(
        "all_resources",
        "--all-resources",
        is_flag=True,
        help="Make networks and volumes too that no service uses.",
    ),
    shared_option("no_ansi", "--no-ansi", is_flag=True),  # docker's older name of `--ansi never`
    shared_option("workdir", "--workdir"),  # that of `--project-directory`
    shared_option(
        "verbose",
        "-D",
        "--verbose",
        "--debug",
        is_flag=True,
        help="Show the programs that are run.",
    ),
    shared_option(
        "insecure_registries",
        "--insecure-registry",
        multiple=True,
        metavar="HOST",
        help="Registry to reach by HTTP, or with a certificate that is not checked.",
    ),
)


def list_shared_options(command: Command) -> Iterator[Option]:
    """Yield the options of `cntnr compose` that a command takes, without words that it has itself."""
    own = {word for row in command.options for word in row.words}
    for row in COMPOSE_OPTIONS if command.of_project else ():
        left = row.without_words(own) if own.intersection(row.words) else row
        if left.words:
            yield left


def list_shown_options(command: Command) -> list[Option]:
    """Return the options that the help text shows: a command's own, and ``--dry-run``, as docker's do."""
    return [*command.options, DRY_RUN] if command.of_project else command.options
