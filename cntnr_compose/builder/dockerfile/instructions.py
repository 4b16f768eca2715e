"""Apply instructions to a stage: each changes its settings, and may need a step that changes files."""

import posixpath
from collections.abc import Callable, Mapping
from typing import TypeAlias

from cntnr_compose.builder.dockerfile.copy import parse_copy
from cntnr_compose.builder.dockerfile.healthcheck import parse_healthcheck
from cntnr_compose.builder.dockerfile.parser import Instruction, parse_instruction
from cntnr_compose.builder.dockerfile.run import parse_run
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage, parse_arg_words
from cntnr_compose.builder.dockerfile.steps import BuildStep, FolderStep
from cntnr_compose.containers.spec.process import DEFAULT_PATH, DEFAULT_SHELL
from cntnr_compose.core.units import parse_port_range
from cntnr_compose.core.values import Value, field, replace
from cntnr_compose.model.image import ImageConfig

NOT_IN_ONBUILD = ("FROM", "MAINTAINER", "ONBUILD")
ALLOWED_FLAGS: dict[str, tuple[str, ...]] = {
    "ADD": ("chown", "chmod", "link", "checksum", "exclude"),
    "COPY": ("from", "chown", "chmod", "link", "exclude"),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
    "RUN": ("mount", "network", "security"),
}


class StageSettings(Value, frozen=True, kw_only=True):
    """A stage up to some instruction: its image configuration and its variables."""

    config: ImageConfig = field(default_factory=ImageConfig)
    args: dict[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = DEFAULT_SHELL
    author: str = ""
    has_own_cmd: bool = False  # CMD was given in this stage

    @property
    def env(self) -> dict[str, str]:
        """Return the environment that the image has so far."""
        return dict(word.split("=", 1) for word in self.config.env if "=" in word)

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that can be expanded: ENV wins over ARG."""
        return {**self.args, **self.env}


InstructionResult: TypeAlias = tuple[StageSettings, BuildStep | None]


def initial_settings(
    base: ImageConfig | None, before: StageSettings | None = None
) -> StageSettings:
    """Begin a stage from an image, from the end of an earlier stage, or from nothing."""
    if before is not None:
        return replace(before, has_own_cmd=False)  # ARG values are inherited, too
    if base is None:
        return StageSettings(config=ImageConfig(env=(f"PATH={DEFAULT_PATH}",)))
    return StageSettings(config=replace(base, on_build=None), shell=base.shell or DEFAULT_SHELL)


def onbuild_instructions(
    base: ImageConfig, scope: DockerfileScope, line: int
) -> tuple[Instruction, ...]:
    """Read the ONBUILD instructions of a base image. Raises `DockerfileInvalid`."""
    return tuple(parse_instruction(text, scope.file, line) for text in base.on_build or () if text)


def apply_instruction(
    settings: StageSettings, instruction: Instruction, stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    """Apply an instruction; return the new settings, and the step that has to run.

    Raises `DockerfileInvalid`.
    """
    allowed = ALLOWED_FLAGS.get(instruction.keyword, ())
    for name, _ in instruction.flags:
        if name not in allowed:
            raise scope.error(instruction.line, f"unknown flag: {name}")
    return HANDLERS[instruction.keyword](settings, instruction, stage, scope)


def apply_all(scope: DockerfileScope, bases: Mapping[str, ImageConfig | None]) -> None:
    """Apply all instructions, for their mistakes alone; not in stages on a base that is not known (None).

    Raises `DockerfileInvalid`.
    """
    ends: dict[int, StageSettings | None] = {}
    for stage in scope.stages:
        before = ends[stage.base_stage] if stage.base_stage >= 0 else None
        base = bases.get(stage.base)
        is_known = stage.base == "scratch" or base is not None or before is not None
        settings = initial_settings(base, before)
        for instruction in stage.instructions if is_known else ():
            settings, _ = apply_instruction(settings, instruction, stage, scope)
        ends[stage.index] = settings if is_known else None


def _set_config(settings: StageSettings, **config: object) -> InstructionResult:
    return replace(settings, config=replace(settings.config, **config)), None


def _parse_pairs(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> dict[str, str]:
    """Read ``NAME=value …`` or ``NAME the rest``; values are expanded with the variables before it."""
    words = scope.split_words(instruction.text, instruction.line)
    if "=" not in words[0]:
        name, _, rest = instruction.text.partition(" ")
        if not rest.strip():
            raise scope.error(instruction.line, f"{instruction.keyword} must have two arguments")
        return {name: scope.expand(rest.strip(), settings.variables, instruction.line)}
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise scope.error(
                instruction.line, f'can\'t find = in "{word}": must be of the form: name=value'
            )
        name, value = (
            scope.expand(part, settings.variables, instruction.line) for part in (name, value)
        )
        if not name:
            raise scope.error(instruction.line, f"{instruction.keyword} names can not be blank")
        pairs[name] = value
    return pairs


def _apply_arg(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    args = dict(settings.args)
    for name, value in parse_arg_words(scope, instruction):
        default = scope.globals.get(name)
        if value is not None:
            default = scope.expand(value, {**args, **settings.env}, instruction.line)
        chosen = scope.args.get(name, default)
        if chosen is not None:
            args[name] = chosen
    return replace(settings, args=args), None


def _apply_env(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    env = {**settings.env, **_parse_pairs(settings, instruction, scope)}
    return _set_config(settings, env=tuple(f"{name}={value}" for name, value in env.items()))


def _apply_label(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    return _set_config(
        settings,
        labels={**(settings.config.labels or {}), **_parse_pairs(settings, instruction, scope)},
    )


def _apply_maintainer(
    settings: StageSettings, instruction: Instruction, _stage: Stage, _scope: DockerfileScope
) -> InstructionResult:
    return replace(settings, author=instruction.text), None


def _apply_cmd(
    settings: StageSettings, instruction: Instruction, _stage: Stage, _scope: DockerfileScope
) -> InstructionResult:
    words = (*settings.shell, instruction.text) if instruction.words is None else instruction.words
    return _set_config(replace(settings, has_own_cmd=True), cmd=words)


def _apply_entrypoint(
    settings: StageSettings, instruction: Instruction, _stage: Stage, _scope: DockerfileScope
) -> InstructionResult:
    words = (*settings.shell, instruction.text) if instruction.words is None else instruction.words
    # The command of the base was meant for the base's program.
    command = settings.config.cmd if settings.has_own_cmd else None
    return _set_config(settings, entrypoint=words, cmd=command)


def _apply_shell(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    if not instruction.words:
        raise scope.error(instruction.line, "SHELL requires the arguments to be in JSON form")
    return _set_config(replace(settings, shell=instruction.words), shell=instruction.words)


def _apply_user(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    user = scope.expand(instruction.text, settings.variables, instruction.line)
    if not user:
        raise scope.error(instruction.line, f"USER {instruction.text} is blank")
    return _set_config(settings, user=user)


def _apply_stop_signal(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    return _set_config(
        settings, stop_signal=scope.expand(instruction.text, settings.variables, instruction.line)
    )


def _apply_workdir(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    path = scope.expand(instruction.text, settings.variables, instruction.line)
    path = posixpath.normpath(posixpath.join("/", settings.config.working_dir, path))
    path = f"/{path.lstrip('/')}"
    settings, _ = _set_config(settings, working_dir=path)
    return settings, FolderStep(path=path, user=settings.config.user) if path != "/" else None


def _apply_expose(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    ports = dict(settings.config.exposed_ports or {})
    for word in instruction.text.split():
        for port in scope.expand(word, settings.variables, instruction.line).split():
            number, _, protocol = port.partition("/")
            protocol = (protocol or "tcp").lower()
            low, high = parse_port_range(number) or (0, 0)
            if not low or protocol not in ("tcp", "udp", "sctp"):
                raise scope.error(instruction.line, f"invalid containerPort: {port}")
            for exposed in range(low, high + 1):
                ports[f"{exposed}/{protocol}"] = {}
    return _set_config(settings, exposed_ports=ports)


def _apply_volume(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    words = instruction.text.split() if instruction.words is None else instruction.words
    volumes = dict(settings.config.volumes or {})
    for word in words:
        path = scope.expand(word, settings.variables, instruction.line)
        if not path:
            raise scope.error(instruction.line, "VOLUME specified can not be an empty string")
        volumes[path] = {}
    return _set_config(settings, volumes=volumes)


def _apply_healthcheck(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    return _set_config(settings, healthcheck=parse_healthcheck(instruction, scope))


def _apply_onbuild(
    settings: StageSettings, instruction: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    inner = parse_instruction(instruction.text, scope.file, instruction.line)
    if inner.keyword in NOT_IN_ONBUILD:
        raise scope.error(instruction.line, f"{inner.keyword} isn't allowed as an ONBUILD trigger")
    return _set_config(settings, on_build=(*(settings.config.on_build or ()), instruction.text))


def _apply_run(
    settings: StageSettings, instruction: Instruction, stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    return settings, parse_run(
        instruction, stage, scope, settings.config, settings.args, settings.shell
    )


def _apply_copy(
    settings: StageSettings, instruction: Instruction, stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    working_dir = settings.config.working_dir
    return settings, parse_copy(instruction, stage, scope, settings.variables, working_dir)


HANDLERS: dict[
    str, Callable[[StageSettings, Instruction, Stage, DockerfileScope], InstructionResult]
] = {
    "ADD": _apply_copy,
    "ARG": _apply_arg,
    "CMD": _apply_cmd,
    "COPY": _apply_copy,
    "ENTRYPOINT": _apply_entrypoint,
    "ENV": _apply_env,
    "EXPOSE": _apply_expose,
    "HEALTHCHECK": _apply_healthcheck,
    "LABEL": _apply_label,
    "MAINTAINER": _apply_maintainer,
    "ONBUILD": _apply_onbuild,
    "RUN": _apply_run,
    "SHELL": _apply_shell,
    "STOPSIGNAL": _apply_stop_signal,
    "USER": _apply_user,
    "VOLUME": _apply_volume,
    "WORKDIR": _apply_workdir,
}
