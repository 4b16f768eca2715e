"""The flow of `cntnr run` and `cntnr create`: containers that belong to no compose project."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.flows.containers.flags import checks
from cntnr_compose.cli.flows.run_arguments import NoTerminal
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import STANDALONE

if TYPE_CHECKING:
    from cntnr_compose.cli.flows.attached_run import Attachment
    from cntnr_compose.cli.flows.containers.readiness import Readiness
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.core.events import Emit
    from cntnr_compose.reconcile.one_off import OneOffPlan

NOT_CREATED = 125  # exit code, as docker's, of a container that could not be created or started
STREAMS = {"stdout": 1, "stderr": 2}


def run_containers(groups: Sequence[Mapping[str, Any]]) -> int:
    """Run a container, or several as one group in the foreground; return the exit code, 0 where detached.

    Each is described by its flags. Of a group it is the first exit code that is not 0, in their order.
    """
    with _exit_code_of_docker():
        checks.check_flags(groups)
        attached = not groups[0]["detach"]
        with _create_containers(groups, attached=attached) as (session, plans):
            if len(plans) == 1:
                with _readiness(session, plans[0]) as readiness:
                    return _run_alone(session, plans[0], groups[0], readiness)
            from cntnr_compose.cli.flows.containers.creation.group import run_group

            return run_group(session, plans, groups)


def _run_alone(
    session: "ProjectSession",
    plan: "OneOffPlan",
    flags: Mapping[str, Any],
    readiness: "Readiness | None",
) -> int:
    from cntnr_compose.cli.flows import attached_run
    from cntnr_compose.cli.flows.containers.creation.files import write_pid

    def note_start() -> None:
        write_pid(flags["pidfile"], plan.id)
        if readiness is not None:
            readiness.note_start()

    if flags["detach"]:
        stdout.print_line(attached_run.start_detached(session, plan, rm=flags["rm"]))
        write_pid(flags["pidfile"], plan.id)
        if readiness is not None:
            readiness.wait_detached()
        return 0
    if flags["attach"] == ("stdin",):  # so that somebody can follow its output
        stdout.print_line(plan.id)
        stdout.flush()
    attachment = _read_attachment(flags).replace(note_start=note_start)
    return attached_run.run_attached(session, plan, attachment)


def create_container(flags: Mapping[str, Any]) -> None:
    """Create a container, and print its id."""
    checks.check_flags([flags])
    with _create_containers([flags], attached=False, starts=False) as (_, plans):
        stdout.print_line(plans[0].id)


@contextlib.contextmanager
def _exit_code_of_docker() -> Iterator[None]:
    try:
        yield
    except CntnrError as error:
        if error.exit_code == 1 and not isinstance(error, NoTerminal):
            error.exit_code = NOT_CREATED
        raise


@contextlib.contextmanager
def _create_containers(
    groups: Sequence[Mapping[str, Any]], *, attached: bool, starts: bool = True
) -> Iterator["tuple[ProjectSession, list[OneOffPlan]]"]:
    """Create the containers; yield the connection to their supervisor, and the plans of what follows."""
    from cntnr_compose.cli.display.progress import choose_display
    from cntnr_compose.cli.flows.containers.creation.container import NewContainer
    from cntnr_compose.cli.flows.containers.creation.standalone_session import StandaloneSession
    from cntnr_compose.client.client import connect
    from cntnr_compose.model.observed import Observed

    with choose_display("auto", "auto") as display, contextlib.ExitStack() as undo:
        containers = [NewContainer(flags, undo, display.emit) for flags in groups]
        with connect(STANDALONE, emit=display.emit) as client:
            session = StandaloneSession(Observed(project=STANDALONE), client, display)
            plans = [
                container.create(session, attached=attached, starts=starts)
                for container in containers
            ]
            undo.pop_all()
            _arrange_boot(plans, display.emit, stay=starts and not attached)
            display.finish()
            yield session, plans


def _arrange_boot(plans: "Sequence[OneOffPlan]", emit: "Emit", *, stay: bool) -> None:
    """Have containers come back after a reboot, as policies ask, and outlast logouts if they ``stay``."""
    from cntnr_compose.cli.flows import boot

    boot.arrange_boot(STANDALONE, {plan.service.restart.condition for plan in plans}, emit)
    if stay:
        boot.outlast_logout(emit)


def _readiness(
    session: "ProjectSession", plan: "OneOffPlan"
) -> "contextlib.AbstractContextManager[Readiness | None]":
    """Return what tells the service manager of the container, where there is one."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return contextlib.nullcontext()
    from cntnr_compose.cli.flows.attached_run import Vanished
    from cntnr_compose.cli.flows.containers.readiness import Readiness
    from cntnr_compose.containers.state.records import read_record

    record = read_record(STANDALONE, plan.id)
    if record is None:
        raise Vanished(plan.name)
    return Readiness(record, session.display.emit)


def _read_attachment(flags: Mapping[str, Any]) -> "Attachment":
    from cntnr_compose.cli.flows.attached_run import Attachment
    from cntnr_compose.cli.flows.containers.attachment import read_detach_keys

    names = flags["attach"]
    return Attachment(
        rm=flags["rm"],
        stdin=flags["interactive"],
        tty=flags["tty"],
        detach_keys=read_detach_keys(flags["detach_keys"] or ""),
        streams=tuple(number for name, number in STREAMS.items() if not names or name in names),
        forwards_signals=flags["sig_proxy"],
    )
