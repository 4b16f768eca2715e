"""HEALTHCHECK of a Dockerfile to the form that images keep."""

from cntnr_compose.builder.dockerfile.parser import Instruction, parse_exec_form
from cntnr_compose.builder.dockerfile.stages import DockerfileScope
from cntnr_compose.core import units
from cntnr_compose.model.image import ImageHealthcheck

MIN_DURATION = 10**6  # nanoseconds


def parse_healthcheck(one: Instruction, scope: DockerfileScope) -> ImageHealthcheck:
    """Read a HEALTHCHECK. Raises `DockerfileInvalid`."""
    kind, _, rest = one.text.partition(" ")
    rest = rest.strip()
    if kind.upper() == "NONE":
        if rest or one.flags:
            raise scope.error(one.line, "HEALTHCHECK NONE takes no arguments")
        return ImageHealthcheck(test=("NONE",))
    if kind.upper() != "CMD":
        raise scope.error(one.line, f'unknown type "{kind}" in HEALTHCHECK (try CMD)')
    if not rest:
        raise scope.error(one.line, "missing command after HEALTHCHECK CMD")
    words = parse_exec_form(rest)
    flags = dict(one.flags)
    retries = flags.get("retries", "0")
    if not retries.isdecimal():
        raise scope.error(one.line, f"--retries must be a number, not {retries}")
    return ImageHealthcheck(
        test=("CMD-SHELL", rest) if words is None else ("CMD", *words),
        interval=_duration(flags, "interval", one, scope),
        timeout=_duration(flags, "timeout", one, scope),
        start_period=_duration(flags, "start-period", one, scope),
        start_interval=_duration(flags, "start-interval", one, scope),
        retries=int(retries),
    )


def _duration(flags: dict[str, str], name: str, one: Instruction, scope: DockerfileScope) -> int:
    try:
        found = units.parse_nanoseconds(flags.get(name) or "0")
    except units.InvalidDuration as error:
        raise scope.error(one.line, f"--{name}: {error}") from error
    if found and found < MIN_DURATION:
        raise scope.error(one.line, f"--{name} cannot be less than 1ms")
    return found
