"""`cntnr compose watch`: bring changes of files into containers as they happen."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--no-up", help="Do not build and start services first.")
@flag("--prune", default=True, help="Remove images of earlier builds after a rebuild (it does).")
@flag("--quiet", help="Do not show the output of builds.")
def watch(
    options: "ProjectOptions", services: tuple[str, ...], *, no_up: bool, prune: bool, quiet: bool
) -> int:
    """Bring changes of files into containers as they happen, by the rules of `develop.watch`."""
    from cntnr_compose.cli.flows.watch import watch_services

    return watch_services(options, services, up=not no_up, quiet=quiet, prune=prune)
