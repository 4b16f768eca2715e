"""Turn steps that were given as options of a command line into instructions, in their order.

Nothing in them is a variable or has to be quoted for a Dockerfile: each value is taken as it is.
"""

import json
import re
import shlex
from collections.abc import Callable, Sequence

from cntnr_compose.builder.dockerfile.parser import Instruction, parse_exec_form
from cntnr_compose.compose.decode.shell_words import InvalidCommandLine, split_command
from cntnr_compose.core.errors import CntnrError

SOURCE_NAME = "step"  # of the instructions, for messages: "step:2: …"
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*=", re.ASCII)
PLAIN = re.compile(r"[^\s$\"'\\]+")
MAX_OWNER_PARTS = 2


class StepInvalid(CntnrError):
    """A step of a command line makes no sense."""

    def __init__(self, option: str, text: str, why: str, hint: str = "") -> None:
        super().__init__(f'invalid argument "{text}" for --{option}: {why}')
        self.hint = hint


def to_instructions(steps: Sequence[tuple[str, str]]) -> tuple[Instruction, ...]:
    """Turn pairs of an option's name and its text into instructions. Raises `StepInvalid`."""
    return tuple(
        READERS[option](option, text, number) for number, (option, text) in enumerate(steps, 1)
    )


def _read_from(option: str, text: str, line: int) -> Instruction:
    if not PLAIN.fullmatch(text):
        raise StepInvalid(option, text, "it is no name of an image")
    return Instruction(keyword="FROM", line=line, text=text)


def _read_run(option: str, text: str, line: int) -> Instruction:
    """Read a command for the shell; a JSON list runs without one."""
    if not text.strip():
        raise StepInvalid(option, text, "there is no command")
    words = parse_exec_form(text.strip())
    return Instruction(keyword="RUN", line=line, text=text.strip(), words=words)


def _read_shell_run(option: str, text: str, line: int) -> Instruction:
    if not text.strip():
        raise StepInvalid(option, text, "there is no command")
    return Instruction(keyword="RUN", line=line, text=text.strip())


def _split(option: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(split_command(text))
    except InvalidCommandLine as error:
        raise StepInvalid(option, text, str(error)) from None


def _read_program(option: str, text: str, line: int) -> Instruction:
    """Read CMD or ENTRYPOINT: words, split as a shell does, or a JSON list."""
    words = parse_exec_form(text.strip())
    if words is None:
        words = _split(option, text)
    return Instruction(keyword=option.upper(), line=line, text=json.dumps(words), words=words)


def _read_env(option: str, text: str, line: int) -> Instruction:
    """Read ``NAME=VALUE``, or several of them with quotes as in a shell."""
    try:
        words = tuple(split_command(text))
    except InvalidCommandLine:  # a quote in the value of one
        words = ()
    if not words or not all(ASSIGNMENT.match(word) for word in words):
        words = (text,)
    pairs = [word.split("=", 1) for word in words if ASSIGNMENT.match(word)]
    if not pairs:
        raise StepInvalid(option, text, "it should be NAME=VALUE")
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in pairs)
    return Instruction(keyword="ENV", line=line, text=assignments)


def _read_author(option: str, text: str, line: int) -> Instruction:
    if not text.strip():
        raise StepInvalid(option, text, "it is empty")
    return Instruction(keyword="MAINTAINER", line=line, text=text)


def _read_setting(option: str, text: str, line: int) -> Instruction:
    """Read USER or WORKDIR."""
    if not text.strip():
        raise StepInvalid(option, text, "it is empty")
    return Instruction(keyword=option.upper(), line=line, text=shlex.quote(text))


def _read_copy(option: str, text: str, line: int) -> Instruction:
    """Read ``SRC… [DEST[:USER[:GROUP]]]``; without DEST, files go to the working directory."""
    words = _split(option, text)
    if not words:
        raise StepInvalid(option, text, "it should be SRC... [DEST[:USER[:GROUP]]]")
    *sources, target = words if len(words) > 1 else (*words, "./")
    target, *owner = target.split(":")
    if len(owner) > MAX_OWNER_PARTS or not all(owner) or not target:
        raise StepInvalid(option, text, "the destination should be DEST[:USER[:GROUP]]")
    if len(sources) > 1 and not target.endswith("/"):
        target += "/"
    flags = (("chown", shlex.quote(":".join(owner))),) if owner else ()
    paths = tuple(shlex.quote(word) for word in (*sources, target))
    return Instruction(
        keyword=option.upper(), line=line, text=" ".join(paths), flags=flags, words=paths
    )


READERS: dict[str, Callable[[str, str, int], Instruction]] = {
    "from": _read_from,
    "run": _read_run,
    "run-sh": _read_shell_run,
    "add": _read_copy,
    "copy": _read_copy,
    "env": _read_env,
    "cmd": _read_program,
    "entrypoint": _read_program,
    "author": _read_author,
    "workdir": _read_setting,
    "user": _read_setting,
}
