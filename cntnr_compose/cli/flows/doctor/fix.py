"""Run the commands that `doctor` names: each once, after a question, by sudo where root is needed."""

import os
import re
import shutil
import sys
from collections.abc import Iterable

from cntnr_compose.cli.display.prompt import confirm
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.doctor.check import Check
from cntnr_compose.host import process

# What `mend` begins with where it is a command; other advice is for people.
COMMANDS = ("sudo ", "loginctl ")
SUDO = re.compile(r"\bsudo ")
# Package managers that ask, and what answers for the user.
ANSWERS = {
    "apt-get install ": "apt-get install -y ",
    "dnf install ": "dnf install -y ",
    "pacman -S ": "pacman -S --noconfirm ",
}


class SudoMissing(CntnrError):
    """Root is needed, and there is no sudo."""

    def __init__(self, commands: Iterable[str]) -> None:
        super().__init__("cannot mend this machine: it takes root, and sudo is not installed")
        lines = "; ".join(SUDO.sub("", command) for command in commands)
        self.hint = f"an administrator must run: {lines}"


def list_commands(checks: Iterable[Check], *, is_root: bool, yes: bool) -> list[str]:
    """List the commands that mend what checks found, each once."""
    commands = {
        check.mend: None
        for check in checks
        if check.state != "ok" and check.mend.startswith(COMMANDS)
    }
    return [_adapt(command, is_root=is_root, yes=yes) for command in commands]


def _adapt(command: str, *, is_root: bool, yes: bool) -> str:
    for question, answered in ANSWERS.items():
        command = command.replace(question, answered) if yes else command
    return SUDO.sub("", command) if is_root else command


def run_commands(checks: Iterable[Check], *, yes: bool) -> int:
    """Run them, each after a question unless ``yes``; return how many were run and failed.

    Raises `SudoMissing`, and `KeyboardInterrupt` where nobody answers.
    """
    commands = list_commands(checks, is_root=os.getuid() == 0, yes=yes)
    by_sudo = [command for command in commands if SUDO.search(command)]
    if by_sudo and not shutil.which("sudo", path=process.search_path()):
        raise SudoMissing(by_sudo)
    if not commands:
        sys.stderr.write("There is nothing that a command would mend.\n")
    return sum(_run(command) != 0 for command in commands if yes or confirm(f"Run {command}"))


def _run(command: str) -> int:
    sys.stderr.write(f"+ {command}\n")
    sys.stderr.flush()
    status = process.popen(["sh", "-c", command], env=os.environ).wait()
    if status != 0:
        sys.stderr.write(f"ended with status {status}: {command}\n")
    return status
