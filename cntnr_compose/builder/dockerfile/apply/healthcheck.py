"""Read HEALTHCHECK into the form of an image configuration."""

from cntnr_compose.builder.dockerfile.parser import Instruction, parse_exec_form
from cntnr_compose.builder.dockerfile.stages import DockerfileScope
from cntnr_compose.core import units
from cntnr_compose.model.image import ImageHealthcheck

MIN_DURATION = 10**6  # nanoseconds


def parse_healthcheck(instruction: Instruction, scope: DockerfileScope) -> ImageHealthcheck:
    """Read a HEALTHCHECK. Raises `DockerfileInvalid`."""
    kind, *others = instruction.text.split(maxsplit=1)
    rest = others[0] if others else ""
    if kind.upper() == "NONE":
        if rest or instruction.flags:
            raise scope.error(instruction.line, "HEALTHCHECK NONE takes no arguments")
        return ImageHealthcheck(test=("NONE",))
    if kind.upper() != "CMD":
        raise scope.error(instruction.line, f'unknown type "{kind}" in HEALTHCHECK (try CMD)')
    if not rest:
        raise scope.error(instruction.line, "missing command after HEALTHCHECK CMD")
    try:
        words = parse_exec_form(rest)
    except TypeError as error:
        raise scope.error(instruction.line, str(error)) from error
    flags = dict(instruction.flags)
    retries = flags.get("retries", "0")
    if not (retries.isascii() and retries.isdecimal() and len(retries) < 10):
        raise scope.error(instruction.line, f"--retries must be a number, not {retries}")
    return ImageHealthcheck(
        test=("CMD-SHELL", rest) if words is None else ("CMD", *words),
        interval=_duration(flags, "interval", instruction, scope),
        timeout=_duration(flags, "timeout", instruction, scope),
        start_period=_duration(flags, "start-period", instruction, scope),
        start_interval=_duration(flags, "start-interval", instruction, scope),
        retries=int(retries),
    )


def _duration(
    flags: dict[str, str], name: str, instruction: Instruction, scope: DockerfileScope
) -> int:
    try:
        text = flags.get(name) or "0"
        if set(text) & set("dw"):  # days and weeks are compose's
            raise units.InvalidDuration(text)
        duration = units.parse_nanoseconds(text)
    except units.InvalidDuration as error:
        raise scope.error(instruction.line, f"--{name}: {error}") from error
    if duration and duration < MIN_DURATION:
        raise scope.error(instruction.line, f"--{name} cannot be less than 1ms")
    return duration
