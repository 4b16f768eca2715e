"""`cntnr compose kill`."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, option, services
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


class NoSuchSignal(CntnrError):
    """A signal is named that the kernel does not have."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid signal: {text}")


@command("[SERVICE...]")
@services
@flag("--remove-orphans", text="Also containers of services that the file has not.")
@option("-s", "--signal", default="SIGKILL", metavar="SIGNAL", help="Signal to send.")
def kill(
    scope: "ProjectOptions", services: tuple[str, ...], *, remove_orphans: bool, signal: str
) -> None:
    """Send a signal to containers, SIGKILL unless another is named."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile import teardown

    signal = signal_name(signal)
    with scope.display() as console:
        name, project = scope.resolve_name_and_project(console)
        with locked_project(scope, name, "kill", console, makes=False) as mine:
            mine.execute(
                teardown.plan_kill(
                    project, mine.observed, services, signal=signal, orphans=remove_orphans
                )
            )


def signal_name(text: str) -> str:
    """Give a signal's whole name for ``HUP``, ``sighup`` or ``1``. Raises `NoSuchSignal`."""
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
