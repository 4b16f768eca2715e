"""`cntnr compose attach`: connect to the standard streams of a running container."""

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag, index, option
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Seconds

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.client.attach import TerminalRelay
    from cntnr_compose.model.observed import Container

# After that nobody is waited for who may know how a container ended.
EXIT_CODE_TIMEOUT: Seconds = 5
WHAT_TO_DO = {"paused": "unpause it first", "restarting": "wait until it is running"}


class NotAttachable(CntnrError):
    """A container does not run at the moment."""

    def __init__(self, state: str) -> None:
        super().__init__(f"You cannot attach to a {state} container, {WHAT_TO_DO[state]}")


class InputNotTerminal(CntnrError):
    """The container has a terminal, and our standard input is none."""

    hint = "`--no-stdin` only shows its output"

    def __init__(self) -> None:
        super().__init__("the input device is not a TTY")


@command("SERVICE")
@argument("service")
@option("--detach-keys", default="", metavar="KEYS", help="Keys that detach from a terminal.")
@index
@flag("--no-stdin", help="Only show output.")
@flag("--sig-proxy", default=True, help="Pass signals on to the process (the default).")
def attach(
    options: "ProjectOptions",
    service: str,
    index: int,
    detach_keys: str,
    *,
    no_stdin: bool,
    sig_proxy: bool,
) -> int:
    """Attach to a running container: show its output, and pass input and signals on to it."""
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.cli.project.session import NotInDryRun
    from cntnr_compose.client.attach import DETACH_KEYS, parse_detach_keys
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.core.docker_config import read_docker_setting

    if options.dry_run:
        error = NotInDryRun("run")
        error.hint = ""
        raise error
    text = detach_keys or read_docker_setting("detachKeys")
    keys = parse_detach_keys(text) if text else DETACH_KEYS
    containers = observe_project(options.resolve_name()).containers
    container = find_running(containers, service, index)
    if container.status.state in WHAT_TO_DO:
        raise NotAttachable(container.status.state)
    if container.record.definition.tty and not no_stdin and not sys.stdin.isatty():
        raise InputNotTerminal
    return _attach(container, keys, no_stdin=no_stdin, sig_proxy=sig_proxy)


def _attach(container: "Container", keys: bytes, *, no_stdin: bool, sig_proxy: bool) -> int:
    """Relay until the container ends, or the keys are typed; return the exit code."""
    from cntnr_compose.client.attach import AttachConnection, CannotAttach, TerminalRelay
    from cntnr_compose.core import paths
    from cntnr_compose.host.namespaces.holder import proc_root_path

    record, definition = container.record, container.record.definition
    bundle = proc_root_path(paths.bundle(record.id))
    if bundle is None:
        raise CannotAttach(record.name, "it has ended")
    start = time.time()
    with contextlib.closing(AttachConnection(bundle, record.name)) as connection:
        relay = TerminalRelay(
            connection,
            stdin=0 if definition.stdin_open and not no_stdin else None,
            tty=definition.tty and not no_stdin,
            detach_keys=keys,
            closes_stdin=record.oneoff,
            on_signal=(lambda name: _forward_signal(container, name))
            if sig_proxy and not definition.tty
            else None,
        )
        if definition.tty and sys.stdout.isatty():
            # Another size than it has makes a program draw its screen again.
            columns, rows = os.get_terminal_size()
            connection.resize(rows + 1, columns + 1)
            connection.resize(rows, columns)
        detached = _run(relay)
    if detached:
        sys.stderr.write("read escape sequence\n")
        return 1
    return _wait_for_exit_code(container, start)


def _run(relay: "TerminalRelay") -> bool:
    from cntnr_compose.cli.display.stdout import NotWritten

    try:
        return relay.run()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NotWritten(error) from error


def _forward_signal(container: "Container", name: str) -> None:
    from cntnr_compose.client.client import connect
    from cntnr_compose.model.plan import KillContainer, Plan, Step

    step = Step(number=1, operation=KillContainer(name=container.name, signal=name))
    with contextlib.suppress(CntnrError), connect(container.record.project) as client:
        client.execute(Plan(steps=(step,)))


def _wait_for_exit_code(container: "Container", start: Seconds) -> int:
    """Return the code that the container ended with: its event tells, also where it was started again."""
    from cntnr_compose.client.client import connect
    from cntnr_compose.model.protocol import Subscribe

    until = time.time() + EXIT_CODE_TIMEOUT
    with connect(container.record.project) as client:
        client.subscribe(Subscribe(since=start, until=until, keeps_supervisor=False))
        while event := client.next_event():
            if event.id == container.record.id and event.action == "die":
                return int(event.attributes.get("exitCode", 1))
    return _read_exit_code(container)


def _read_exit_code(container: "Container") -> int:
    from cntnr_compose.client.observe import read_containers

    for each in read_containers(container.record.project):
        if each.record.id == container.record.id:
            return each.status.exit_code
    return 1
