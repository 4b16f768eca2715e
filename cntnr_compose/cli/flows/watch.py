"""Watch files of services: the flow of `watch`, and what an attached `up` needs of it."""

import contextlib
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.progress import ProgressDisplay, choose_static_display
from cntnr_compose.cli.flows.up import bring_up
from cntnr_compose.cli.flows.up_arguments import UpArguments
from cntnr_compose.cli.project.options import ProjectOptions

if TYPE_CHECKING:
    from cntnr_compose.model.project import Project


class LineReporter:
    """Print what watching does: messages and output of builds to standard output, warnings as such."""

    def __init__(self, display: ProgressDisplay) -> None:
        self._display = display

    def message(self, text: str) -> None:
        """Print what is done."""
        stdout.print_line(text)
        stdout.flush()

    def output(self, text: str) -> None:
        """Print a line of a build's output."""
        self.message(text)

    def warning(self, text: str) -> None:
        """Print a warning; the same may be printed again."""
        self._display.show_warning(text)


def watch_services(
    options: ProjectOptions,
    services: tuple[str, ...],
    *,
    up: bool = True,
    quiet: bool = False,
    prune: bool = True,
) -> int:
    """Bring services up, unless they are not to be, and watch their files until it is interrupted.

    Raises `CntnrError`.
    """
    if up:
        options.prestart_supervisor()
    from cntnr_compose.watch.lock import WatchLock
    from cntnr_compose.watch.rules import check_rules

    with options.display() as display:
        loaded = options.load(display, services)
        project = loaded.project
        selected = project.select(services)
        check_rules(selected)
    with contextlib.closing(WatchLock(project.name)):
        if up:
            arguments = UpArguments(services=services, detach=True, quiet_build=quiet)
            bring_up(options, "watch", arguments, loaded=loaded)
        if not options.dry_run:
            display = choose_static_display(options.progress, options.ansi)
            _watch(options, project, selected, LineReporter(display), quiet=quiet, prune=prune)
    return 0


def _watch(
    options: ProjectOptions,
    project: "Project",
    selected: "Project",
    reporter: LineReporter,
    *,
    quiet: bool,
    prune: bool,
) -> None:
    from cntnr_compose.watch.actions import WatchActions
    from cntnr_compose.watch.session import WatchSession

    separator = options.name_separator(project)
    actions = WatchActions(project, reporter, quiet=quiet, prune=prune, separator=separator)
    WatchSession(selected, actions, reporter).run()
