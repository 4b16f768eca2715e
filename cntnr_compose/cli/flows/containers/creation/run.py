"""The flow of `cntnr run` and `cntnr create`: a container that belongs to no compose project."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.flows.containers.creation.random_name import random_name
from cntnr_compose.cli.flows.run_arguments import NoTerminal
from cntnr_compose.cli.flows.shared_arguments import Incompatible
from cntnr_compose.core.errors import CntnrError, did_you_mean
from cntnr_compose.core.names import STANDALONE

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.flows.containers.readiness import Readiness
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.model.service import Service
    from cntnr_compose.reconcile.one_off import OneOffPlan

NOT_CREATED = 125  # exit code, as docker's, of a container that could not be created or started
PULL_POLICIES = ("always", "missing", "never")
MAX_ATTEMPTS = 5  # to find a random name that is free


class RunPullPolicyUnknown(CntnrError):
    """The value of ``--pull`` is not known."""

    def __init__(self, value: str) -> None:
        known = ", ".join(PULL_POLICIES)
        super().__init__(f'invalid pull option: "{value}": must be one of {known}')
        self.hint = did_you_mean(value, PULL_POLICIES)


def run_container(flags: Mapping[str, Any]) -> int:
    """Run a container; return its exit code, or 0 where it is detached."""
    with _exit_code_of_docker():
        _check(flags)
        detach, rm = flags["detach"], flags["rm"]
        with _created(flags, attached=not detach) as (session, plan):
            from cntnr_compose.cli.flows import attached_run

            with _readiness(session, plan) as readiness:
                if detach:
                    stdout.print_line(attached_run.start_detached(session, plan, rm=rm))
                    if readiness:
                        readiness.wait_detached()
                    return 0
                note_start = readiness.note_start if readiness else None
                attachment = _attachment(flags, note_start)
                return attached_run.run_attached(session, plan, attachment)


def create_container(flags: Mapping[str, Any]) -> None:
    """Create a container, and print its id."""
    _check(flags)
    with _created(flags, attached=False) as (_, plan):
        stdout.print_line(plan.id)


@contextlib.contextmanager
def _exit_code_of_docker() -> Iterator[None]:
    try:
        yield
    except CntnrError as error:
        if error.exit_code == 1 and not isinstance(error, NoTerminal):
            error.exit_code = NOT_CREATED
        raise


def _check(flags: Mapping[str, Any]) -> None:
    """Raise `RunPullPolicyUnknown`, `Incompatible`, `NoTerminal`."""
    if flags["pull"] not in PULL_POLICIES:
        raise RunPullPolicyUnknown(flags["pull"])
    if flags["rm"] and flags["restart"] not in (None, "no"):
        raise Incompatible("--restart", "--rm")
    needs_terminal = flags["tty"] and flags["interactive"] and not flags.get("detach", True)
    if needs_terminal and not sys.stdin.isatty():
        raise NoTerminal


@contextlib.contextmanager
def _created(
    flags: Mapping[str, Any], *, attached: bool
) -> Iterator["tuple[ProjectSession, OneOffPlan]"]:
    """Create the container; yield the connection to its supervisor, and the plan of what follows."""
    from cntnr_compose.client import prestart

    prestart.start_for(STANDALONE)
    from cntnr_compose.cli.display.progress import choose_display
    from cntnr_compose.cli.flows.containers.creation.bundle import prepare_bundle
    from cntnr_compose.cli.flows.containers.creation.images import prepare_image
    from cntnr_compose.cli.flows.containers.creation.networks import (
        find_namespace_owners,
        find_networks,
    )
    from cntnr_compose.cli.flows.containers.flags.service import make_service

    with choose_display("auto", "auto") as display:
        name = flags["name"] or random_name()
        service = make_service(name, flags, display.emit)
        service = find_namespace_owners(find_networks(service))
        image = prepare_image(service, flags["pull"], display.emit, quiet=flags["quiet"])
        bundle = prepare_bundle(service, image, flags)
        with _standalone_session(display) as session:
            plan = _create(session, service, image.id, flags, attached=attached, bundle=bundle)
            display.finish()
            yield session, plan


@contextlib.contextmanager
def _standalone_session(display: "ProgressDisplay") -> Iterator["ProjectSession"]:
    """Connect to the supervisor of standalone containers; nothing is locked, since they are independent."""
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.client.client import connect
    from cntnr_compose.model.observed import Observed

    with connect(STANDALONE, emit=display.emit) as client:
        yield ProjectSession(Observed(project=STANDALONE), client, display)


def _create(
    session: "ProjectSession",
    service: "Service",
    image_id: str,
    flags: Mapping[str, Any],
    *,
    attached: bool,
    bundle: str,
) -> "OneOffPlan":
    """Create the container; one without a name of its own gets another one where the first is taken."""
    from cntnr_compose.cli.flows import attached_run
    from cntnr_compose.core.values import replace
    from cntnr_compose.reconcile.one_off import StandaloneOptions, plan_standalone
    from cntnr_compose.volumes.store import observe_volumes

    options = StandaloneOptions(
        id=os.urandom(32).hex(),
        image_id=image_id,
        platform=service.platform,
        auto_remove=flags["rm"],
        keeps_stdin=flags.get("detach", False),
        attached=attached,
        bundle=bundle,
        existing_volumes=frozenset(observe_volumes()) if service.volumes else frozenset(),
    )
    attempts = 1 if flags["name"] else MAX_ATTEMPTS
    while True:
        plan, attempts = plan_standalone(service, options), attempts - 1
        try:
            attached_run.create_container(session, plan, rm=flags["rm"])
        except CntnrError as error:
            if error.kind != "NameTaken" or not attempts:
                raise
            service = replace(service, name=random_name(digit=True))
        else:
            return plan


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


def _attachment(flags: Mapping[str, Any], note_start: Callable[[], None] | None) -> Any:
    from cntnr_compose.cli.flows.attached_run import Attachment
    from cntnr_compose.client.attach import DETACH_KEYS, parse_detach_keys

    keys = flags["detach_keys"]
    return Attachment(
        rm=flags["rm"],
        stdin=flags["interactive"],
        tty=flags["tty"],
        detach_keys=parse_detach_keys(keys) if keys else DETACH_KEYS,
        forwards_signals=flags["sig_proxy"],
        note_start=note_start,
    )
