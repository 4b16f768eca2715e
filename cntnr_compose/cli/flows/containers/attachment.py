"""Connect to the standard streams of a container until it ends, or the keys that detach are typed."""

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen, Seconds

if TYPE_CHECKING:
    from cntnr_compose.client.attach import AttachConnection
    from cntnr_compose.model.observed import Container

# After that nobody is waited for who may know how a container ended.
EXIT_CODE_TIMEOUT: Seconds = 5
WHAT_TO_DO = {
    "paused": "unpause it first",
    "restarting": "wait until it is running",
    "stopped": "start it first",
}


class NotAttachable(CntnrError):
    """A container does not run at the moment."""

    def __init__(self, state: str) -> None:
        super().__init__(f"You cannot attach to a {state} container, {WHAT_TO_DO[state]}")


class InputNotTerminal(CntnrError):
    """The container has a terminal, and our standard input is none."""

    def __init__(self, hint: str = "") -> None:
        super().__init__("the input device is not a TTY")
        self.hint = hint


class AttachOptions(Frozen):
    """How we are connected to a container."""

    stdin: bool = True
    signals: bool = True  # pass them on to the process
    detach_keys: bytes


def read_detach_keys(text: str) -> bytes:
    """Return the keys of an option, else those of docker's configuration, else docker's own.

    Raises `DetachKeysInvalid`.
    """
    from cntnr_compose.client.attach import DETACH_KEYS, parse_detach_keys
    from cntnr_compose.core.docker_config import read_docker_setting

    text = text or read_docker_setting("detachKeys")
    return parse_detach_keys(text) if text else DETACH_KEYS


def check_attachable(container: "Container", options: AttachOptions) -> None:
    """Raise `NotAttachable` or `InputNotTerminal` where we cannot be connected to a container."""
    if container.status.state in WHAT_TO_DO:
        raise NotAttachable(container.status.state)
    if not container.is_running:
        raise NotAttachable("stopped")
    check_terminal(container, options, "`--no-stdin` only shows its output")


def check_terminal(container: "Container", options: AttachOptions, hint: str = "") -> None:
    """Raise `InputNotTerminal` where a container has a terminal, and our standard input is none."""
    if container.record.definition.tty and options.stdin and not sys.stdin.isatty():
        raise InputNotTerminal(hint)


def attach(container: "Container", options: AttachOptions) -> int:
    """Relay until the container ends, or the keys are typed; return the exit code."""
    start = time.time()
    with contextlib.closing(open_connection(container)) as connection:
        if relay_streams(container, connection, options):
            sys.stderr.write("read escape sequence\n")
            return 1
    return wait_for_exit_code(container, start)


def open_connection(container: "Container") -> "AttachConnection":
    """Connect to the streams of a container that is set up. Raises `CannotAttach`."""
    from cntnr_compose.client.attach import AttachConnection, CannotAttach
    from cntnr_compose.core import paths
    from cntnr_compose.host.namespaces.holder import proc_root_path

    record = container.record
    bundle = proc_root_path(paths.bundle(record.id))
    if bundle is None:
        raise CannotAttach(record.name, "it has ended")
    return AttachConnection(bundle, record.name)


def relay_streams(
    container: "Container", connection: "AttachConnection", options: AttachOptions
) -> bool:
    """Relay until one side ends; True where the keys that detach were typed."""
    from cntnr_compose.client.attach import TerminalRelay

    record, definition = container.record, container.record.definition
    relay = TerminalRelay(
        connection,
        stdin=0 if definition.stdin_open and options.stdin else None,
        tty=definition.tty and options.stdin,
        detach_keys=options.detach_keys,
        closes_stdin=record.oneoff and not record.keeps_stdin,
        on_signal=(lambda name: _forward_signal(container, name))
        if options.signals and not definition.tty
        else None,
    )
    if definition.tty and sys.stdout.isatty():
        # Another size than it has makes a program draw its screen again.
        columns, rows = os.get_terminal_size()
        connection.resize(rows + 1, columns + 1)
        connection.resize(rows, columns)
    with stdout.explained():
        return relay.run()


def _forward_signal(container: "Container", name: str) -> None:
    from cntnr_compose.client.client import connect
    from cntnr_compose.model.plan import KillContainer, Plan, Step

    step = Step(number=1, operation=KillContainer(name=container.name, signal=name))
    with contextlib.suppress(CntnrError), connect(container.record.project) as client:
        client.execute(Plan(steps=(step,)))


def wait_for_exit_code(container: "Container", start: Seconds) -> int:
    """Return the code that a container ended with since ``start``.

    The event of its end tells, also where it was started again or removed.
    """
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
