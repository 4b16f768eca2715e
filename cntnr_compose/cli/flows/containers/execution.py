"""Run a command in a running container, as `exec` does."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.flows.containers.attachment import InputNotTerminal, read_detach_keys
from cntnr_compose.cli.project.any_container import find_container
from cntnr_compose.model.protocol import PrepareExec

WITHOUT_TERMINAL = "without -t a command reads from pipes and files"


def run_in_container(reference: str, command: Sequence[str], values: dict[str, Any]) -> int:
    """Run a command with the options of `exec`, and return its exit code.

    Raises `NoSuchContainer`, `NotRunning`, `InputNotTerminal`, `CannotExec`, and the errors of env files.
    """
    has_terminal = values["tty"] and not values["detach"]
    if has_terminal and values["interactive"] and not sys.stdin.isatty():
        raise InputNotTerminal(WITHOUT_TERMINAL)
    container = find_container(reference)
    request = PrepareExec(
        container=container.name,
        command=tuple(command),
        user=values["user"],
        working_dir=values["workdir"],
        environment=_read_environment(values),
        privileged=values["privileged"],
        tty=has_terminal,
        detach=values["detach"],
    )
    from cntnr_compose.client.exec.run import run_process

    with stdout.explained():
        return run_process(
            container.record.project,
            request,
            interactive=values["interactive"],
            detach_keys=read_detach_keys(values["detach_keys"]) if has_terminal else None,
        )


def _read_environment(values: dict[str, Any]) -> dict[str, str]:
    if not values["env_file"] and not values["env"]:
        return {}
    from cntnr_compose.cli.flows.containers.flags.values import parse_environment

    return parse_environment(values["env_file"], values["env"], os.environ)
