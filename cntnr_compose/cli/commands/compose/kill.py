"""`cntnr compose kill`: send a signal to containers."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, option, services
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


class NoSuchSignal(CntnrError):
    """A signal does not exist."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid signal: {text}")


@command("[SERVICE...]")
@services
@flag("--remove-orphans", help="Also containers of services that the file has not.")
@option("-s", "--signal", default="SIGKILL", metavar="SIGNAL", help="Signal to send.")
def kill(
    options: "ProjectOptions", services: tuple[str, ...], *, remove_orphans: bool, signal: str
) -> None:
    """Send a signal to containers: SIGKILL, unless `-s` names another."""
    from cntnr_compose.cli.project.origin import with_elsewhere
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile.teardown import plan_kill

    signal = signal_name(signal)
    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        with locked_project(options, name, "kill", display, always_connect=False) as session:
            observed = with_elsewhere(session.observed, project, options)
            plan = plan_kill(project, observed, services, signal=signal, orphans=remove_orphans)
            if not plan.steps:
                display.print_line("no container to kill")
            session.execute(plan)


def signal_name(text: str) -> str:
    """Return the full name of a signal given as ``HUP``, ``sighup`` or ``1``. Raises `NoSuchSignal`."""
    import signal

    if text.isdecimal():
        try:
            return signal.Signals(int(text)).name
        except ValueError:
            raise NoSuchSignal(text) from None
    name = f"SIG{text.upper().removeprefix('SIG')}"
    if name not in signal.Signals.__members__:
        raise NoSuchSignal(text)
    return name
