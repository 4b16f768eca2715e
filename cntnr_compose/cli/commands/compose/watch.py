"""`cntnr compose watch`: bring changes of files into containers as they happen."""

import contextlib
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--no-up", help="Do not build and start services first.")
@flag("--prune", default=True, help="Remove images of earlier builds after a rebuild (it does).")
@flag("--quiet", help="Do not show the output of builds.")
def watch(
    options: "ProjectOptions", services: tuple[str, ...], *, no_up: bool, prune: bool, quiet: bool
) -> None:
    """Bring changes of files into containers as they happen, by the rules of `develop.watch`."""
    if not no_up:
        options.prestart_supervisor()
    from cntnr_compose.cli.display.progress import choose_static_display
    from cntnr_compose.cli.flows.up import bring_up
    from cntnr_compose.cli.flows.up_arguments import UpArguments
    from cntnr_compose.watch.lock import WatchLock
    from cntnr_compose.watch.rules import check_rules

    with options.display() as display:
        loaded = options.load(display, services)
        project = loaded.project
        selected = project.select(services)
        check_rules(selected)
    with contextlib.closing(WatchLock(project.name)):
        if not no_up:
            arguments = UpArguments(services=services, detach=True, quiet_build=quiet)
            bring_up(options, "watch", arguments, loaded=loaded)
        if options.dry_run:
            return
        from cntnr_compose.watch.actions import WatchActions
        from cntnr_compose.watch.session import WatchSession

        reporter = LineReporter(choose_static_display(options.progress, options.ansi))
        separator = options.name_separator(project)
        actions = WatchActions(project, reporter, quiet=quiet, prune=prune, separator=separator)
        WatchSession(selected, actions, reporter).run()


class LineReporter:
    """Print what watching does: messages and output of builds to standard output, warnings as such."""

    def __init__(self, display: "ProgressDisplay") -> None:
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
