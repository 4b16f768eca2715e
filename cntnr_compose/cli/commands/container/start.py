"""`cntnr start` and `cntnr container start`: start containers that exist."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser import options
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


class SeveralAttached(CntnrError):
    """More than one container is to be started and attached to."""

    hint = "without -a and -i all of them are started"

    def __init__(self) -> None:
        super().__init__("you cannot start and attach multiple containers at once")


NO_CHECKPOINT = "a running program can be saved and restored by root only"


@options.command("CONTAINER [CONTAINER...]", of_project=False)
@options.containers
@options.flag(
    "-a", "--attach", help="Show its output and pass signals on to it; the exit code is its own."
)
@options.unsupported("--checkpoint", hint=NO_CHECKPOINT, is_flag=False)
@options.unsupported("--checkpoint-dir", hint=NO_CHECKPOINT, is_flag=False)
@options.detach_keys
@options.flag("-i", "--interactive", help="As -a, and pass our input on to it.")
def start(containers: tuple[str, ...], detach_keys: str, *, attach: bool, interactive: bool) -> int:
    """Start containers that were created or have ended; those that run stay as they are."""
    if attach or interactive:
        return _start_attached(containers, detach_keys, interactive=interactive)
    from cntnr_compose.cli.flows.containers.changes import change_containers
    from cntnr_compose.model.plan import StartContainer

    def start_it(container: "Container") -> "list[Operation]":
        return [StartContainer(name=container.name)]

    return change_containers(containers, "start", start_it)


def _start_attached(containers: tuple[str, ...], detach_keys: str, *, interactive: bool) -> int:
    from cntnr_compose.cli.flows.containers import attached_start, attachment
    from cntnr_compose.cli.project.any_container import find_container

    if len(containers) > 1:
        raise SeveralAttached
    wish = attachment.AttachOptions(
        stdin=interactive, detach_keys=attachment.read_detach_keys(detach_keys)
    )
    return attached_start.start_attached(find_container(containers[0]), wish)
