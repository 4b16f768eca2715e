"""Apply the instructions that change the configuration of an image, and no files."""

import re
import signal

from cntnr_compose.builder.dockerfile.apply.healthcheck import parse_healthcheck
from cntnr_compose.builder.dockerfile.apply.pairs import parse_pairs
from cntnr_compose.builder.dockerfile.apply.stage_settings import StageSettings
from cntnr_compose.builder.dockerfile.parser import Instruction, parse_instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, parse_arg_words
from cntnr_compose.builder.dockerfile.values.ports import PortInvalid, parse_exposed_ports
from cntnr_compose.core.values import replace

NOT_IN_ONBUILD = ("FROM", "MAINTAINER")
SIGNAL_NAMES = frozenset(name.removeprefix("SIG") for name in signal.Signals.__members__)
REALTIME_SIGNAL = re.compile(r"RTMIN(\+[0-9]{1,2})?|RTMAX(-[0-9]{1,2})?")
MAX_SIGNAL = 64


def apply_metadata(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    """Apply an instruction that changes no files. Raises `DockerfileInvalid`."""
    return HANDLERS[instruction.keyword](settings, instruction, scope)


def _set_config(settings: StageSettings, **config: object) -> StageSettings:
    return replace(settings, config=replace(settings.config, **config))


def _apply_arg(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    args, variables = dict(settings.args), settings.variables
    declared = dict.fromkeys(settings.declared)
    for name, value in parse_arg_words(scope, instruction):
        declared[name] = None
        chosen = scope.args.get(name)
        if chosen is None and value is not None:
            chosen = scope.expand(value, variables, instruction.line)
        elif chosen is None:
            chosen = scope.globals.get(name)
        if chosen is not None:
            args[name] = variables[name] = chosen
    return replace(settings, args=args, declared=tuple(declared))


def _apply_env(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    pairs = parse_pairs(instruction, settings.variables, scope)
    env = {**settings.env, **pairs}
    args = {name: pairs.get(name, value) for name, value in settings.args.items()}
    settings = replace(settings, args=args)
    return _set_config(settings, env=tuple(f"{name}={value}" for name, value in env.items()))


def _apply_label(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    pairs = parse_pairs(instruction, settings.variables, scope)
    return _set_config(settings, labels={**(settings.config.labels or {}), **pairs})


def _apply_maintainer(
    settings: StageSettings, instruction: Instruction, _scope: DockerfileScope
) -> StageSettings:
    return replace(settings, author=instruction.text)


def _apply_cmd(
    settings: StageSettings, instruction: Instruction, _scope: DockerfileScope
) -> StageSettings:
    words = (*settings.shell, instruction.text) if instruction.words is None else instruction.words
    return _set_config(replace(settings, has_own_cmd=True), cmd=words)


def _apply_entrypoint(
    settings: StageSettings, instruction: Instruction, _scope: DockerfileScope
) -> StageSettings:
    words = (*settings.shell, instruction.text) if instruction.words is None else instruction.words
    # The command of the base was meant for the base's program.
    command = settings.config.cmd if settings.has_own_cmd else None
    return _set_config(settings, entrypoint=words or None, cmd=command)


def _apply_shell(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    if instruction.words is None:
        raise scope.error(instruction.line, "SHELL requires the arguments to be in JSON form")
    if not instruction.words:
        raise scope.error(instruction.line, "SHELL requires at least one argument")
    return _set_config(replace(settings, shell=instruction.words), shell=instruction.words)


def _apply_user(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    user = scope.expand(instruction.text, settings.variables, instruction.line)
    if not user:
        raise scope.error(instruction.line, f"USER {instruction.text} is blank")
    return _set_config(settings, user=user)


def _apply_stop_signal(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    word = scope.expand(instruction.text, settings.variables, instruction.line)
    name = word.upper().removeprefix("SIG")
    is_number = word.isascii() and word.isdecimal() and 0 < int(word[:9]) <= MAX_SIGNAL
    if not is_number and name not in SIGNAL_NAMES and not REALTIME_SIGNAL.fullmatch(name):
        raise scope.error(instruction.line, f"invalid signal: {word}")
    return _set_config(settings, stop_signal=word)


def _apply_expose(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    added = exposed_ports(settings, instruction, scope)
    ports = {**(settings.config.exposed_ports or {}), **{port: {} for port in added}}
    return _set_config(settings, exposed_ports=ports)


def exposed_ports(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> list[str]:
    """Return the ports that an EXPOSE adds. Raises `DockerfileInvalid`."""
    ports = []
    for word in sorted(instruction.text.split()):
        for port in scope.expand(word, settings.variables, instruction.line).split():
            try:
                ports += parse_exposed_ports(port)
            except PortInvalid as error:
                raise scope.error(instruction.line, str(error)) from error
    return ports


def _apply_volume(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    volumes = dict(settings.config.volumes or {})
    for path in added_volumes(settings, instruction, scope):
        volumes[path] = {}
    return _set_config(settings, volumes=volumes)


def added_volumes(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> list[str]:
    """Return the paths that a VOLUME adds. Raises `DockerfileInvalid`."""
    words = instruction.text.split() if instruction.words is None else instruction.words
    paths = [scope.expand(word.strip(), settings.variables, instruction.line) for word in words]
    if not all(paths):
        raise scope.error(instruction.line, "VOLUME specified can not be an empty string")
    return paths


def _apply_healthcheck(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    return _set_config(settings, healthcheck=parse_healthcheck(instruction, scope))


def _apply_onbuild(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> StageSettings:
    inner = instruction.text.split(maxsplit=1)[0].upper()
    if inner == "ONBUILD":
        why = "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
        raise scope.error(instruction.line, why)
    if inner in NOT_IN_ONBUILD:
        raise scope.error(instruction.line, f"{inner} isn't allowed as an ONBUILD trigger")
    parse_instruction(instruction.trigger, scope.file, instruction.line)
    triggers = (*(settings.config.on_build or ()), instruction.trigger)
    return _set_config(settings, on_build=triggers)


HANDLERS = {
    "ARG": _apply_arg,
    "CMD": _apply_cmd,
    "ENTRYPOINT": _apply_entrypoint,
    "ENV": _apply_env,
    "EXPOSE": _apply_expose,
    "HEALTHCHECK": _apply_healthcheck,
    "LABEL": _apply_label,
    "MAINTAINER": _apply_maintainer,
    "ONBUILD": _apply_onbuild,
    "SHELL": _apply_shell,
    "STOPSIGNAL": _apply_stop_signal,
    "USER": _apply_user,
    "VOLUME": _apply_volume,
}
