"""What each instruction means: a state and an instruction give the next state and what is to be done."""

import posixpath
from collections.abc import Callable
from typing import TypeAlias

from cntnr_compose.builder.dockerfile import run as buildrun
from cntnr_compose.builder.dockerfile.healthcheck import parse_healthcheck
from cntnr_compose.builder.dockerfile.parser import Instruction, parse_instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage, parse_arg_words
from cntnr_compose.builder.dockerfile.steps import BuildStep, CopyStep, FolderStep, InlineFile
from cntnr_compose.containers.spec.process import DEFAULT_PATH, DEFAULT_SHELL
from cntnr_compose.core.units import parse_port_range
from cntnr_compose.core.values import Value, field, replace
from cntnr_compose.model.image import ImageConfig

URL_PREFIXES = ("http://", "https://")
FOLDER_NEEDED = "the destination must be a directory and end with a /"
NOT_IN_ONBUILD = ("FROM", "MAINTAINER", "ONBUILD")
ALLOWED_FLAGS: dict[str, tuple[str, ...]] = {
    "ADD": ("chown", "chmod", "link", "checksum", "exclude"),
    "COPY": ("from", "chown", "chmod", "link", "exclude"),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
    "RUN": ("mount", "network", "security"),
}


class StageSettings(Value, frozen=True, kw_only=True):
    """A stage up to some instruction: its configuration, and the variables that are in scope."""

    config: ImageConfig = field(default_factory=ImageConfig)
    args: dict[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = DEFAULT_SHELL
    author: str = ""
    has_own_cmd: bool = False  # CMD was given in this stage

    @property
    def env(self) -> dict[str, str]:
        """Give the environment that the image has so far."""
        return dict(word.split("=", 1) for word in self.config.env if "=" in word)

    @property
    def variables(self) -> dict[str, str]:
        """Give what can be filled in: ENV wins over ARG."""
        return {**self.args, **self.env}


InstructionResult: TypeAlias = tuple[StageSettings, BuildStep | None]


def initial_settings(
    base: ImageConfig | None, before: StageSettings | None = None
) -> StageSettings:
    """Start a stage from an image, from an earlier stage's end, or from nothing."""
    if before is not None:
        return replace(before, has_own_cmd=False)  # arguments are handed on, too
    if base is None:
        return StageSettings(config=ImageConfig(env=(f"PATH={DEFAULT_PATH}",)))
    return StageSettings(config=replace(base, on_build=None), shell=base.shell or DEFAULT_SHELL)


def onbuild_instructions(
    base: ImageConfig, scope: DockerfileScope, line: int
) -> tuple[Instruction, ...]:
    """Read what an image wants done in builds upon it (ONBUILD). Raises `DockerfileInvalid`."""
    return tuple(parse_instruction(text, scope.file, line) for text in base.on_build or () if text)


def apply_instruction(
    state: StageSettings, instruction: Instruction, stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    """Carry an instruction out on the state; what has to be done to files comes beside it.

    Raises `DockerfileInvalid`.
    """
    allowed = ALLOWED_FLAGS.get(instruction.keyword, ())
    for name, _ in instruction.flags:
        if name not in allowed:
            raise scope.error(instruction.line, f"unknown flag: {name}")
    return HANDLERS[instruction.keyword](state, instruction, stage, scope)


def _set_config(state: StageSettings, **config: object) -> InstructionResult:
    return replace(state, config=replace(state.config, **config)), None


def _parse_pairs(state: StageSettings, one: Instruction, scope: DockerfileScope) -> dict[str, str]:
    """Read ``NAME=value …`` or ``NAME the rest``; values see the variables as they were before."""
    words = scope.split_words(one.text, one.line)
    if "=" not in words[0]:
        name, _, rest = one.text.partition(" ")
        if not rest.strip():
            raise scope.error(one.line, f"{one.keyword} must have two arguments")
        return {name: scope.expand(rest.strip(), state.variables, one.line)}
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise scope.error(
                one.line, f'can\'t find = in "{word}": must be of the form: name=value'
            )
        name, value = (scope.expand(part, state.variables, one.line) for part in (name, value))
        if not name:
            raise scope.error(one.line, f"{one.keyword} names can not be blank")
        found[name] = value
    return found


def _arg(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    args = dict(state.args)
    for name, value in parse_arg_words(scope, one):
        default = scope.globals.get(name)
        if value is not None:
            default = scope.expand(value, {**args, **state.env}, one.line)
        chosen = scope.args.get(name, default)
        if chosen is not None:
            args[name] = chosen
    return replace(state, args=args), None


def _env(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    env = {**state.env, **_parse_pairs(state, one, scope)}
    return _set_config(state, env=tuple(f"{name}={value}" for name, value in env.items()))


def _label(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    return _set_config(
        state, labels={**(state.config.labels or {}), **_parse_pairs(state, one, scope)}
    )


def _maintainer(
    state: StageSettings, one: Instruction, _stage: Stage, _scope: DockerfileScope
) -> InstructionResult:
    return replace(state, author=one.text), None


def _cmd(
    state: StageSettings, one: Instruction, _stage: Stage, _scope: DockerfileScope
) -> InstructionResult:
    words = (*state.shell, one.text) if one.words is None else one.words
    return _set_config(replace(state, has_own_cmd=True), cmd=words)


def _entrypoint(
    state: StageSettings, one: Instruction, _stage: Stage, _scope: DockerfileScope
) -> InstructionResult:
    words = (*state.shell, one.text) if one.words is None else one.words
    # The command of the base was meant for the base's program.
    command = state.config.cmd if state.has_own_cmd else None
    return _set_config(state, entrypoint=words, cmd=command)


def _shell(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    if not one.words:
        raise scope.error(one.line, "SHELL requires the arguments to be in JSON form")
    return _set_config(replace(state, shell=one.words), shell=one.words)


def _user(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    user = scope.expand(one.text, state.variables, one.line)
    if not user:
        raise scope.error(one.line, f"USER {one.text} is blank")
    return _set_config(state, user=user)


def _stop_signal(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    return _set_config(state, stop_signal=scope.expand(one.text, state.variables, one.line))


def _workdir(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    path = scope.expand(one.text, state.variables, one.line)
    path = posixpath.normpath(posixpath.join("/", state.config.working_dir, path))
    path = f"/{path.lstrip('/')}"
    state, _ = _set_config(state, working_dir=path)
    return state, FolderStep(path=path, user=state.config.user) if path != "/" else None


def _expose(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    ports = dict(state.config.exposed_ports or {})
    for word in one.text.split():
        for port in scope.expand(word, state.variables, one.line).split():
            number, _, protocol = port.partition("/")
            protocol = (protocol or "tcp").lower()
            low, high = parse_port_range(number) or (0, 0)
            if not low or protocol not in ("tcp", "udp", "sctp"):
                raise scope.error(one.line, f"invalid containerPort: {port}")
            for each in range(low, high + 1):
                ports[f"{each}/{protocol}"] = {}
    return _set_config(state, exposed_ports=ports)


def _volume(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    words = one.text.split() if one.words is None else one.words
    volumes = dict(state.config.volumes or {})
    for word in words:
        path = scope.expand(word, state.variables, one.line)
        if not path:
            raise scope.error(one.line, "VOLUME specified can not be an empty string")
        volumes[path] = {}
    return _set_config(state, volumes=volumes)


def _healthcheck(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    return _set_config(state, healthcheck=parse_healthcheck(one, scope))


def _onbuild(
    state: StageSettings, one: Instruction, _stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    inner = parse_instruction(one.text, scope.file, one.line)
    if inner.keyword in NOT_IN_ONBUILD:
        raise scope.error(one.line, f"{inner.keyword} isn't allowed as an ONBUILD trigger")
    return _set_config(state, on_build=(*(state.config.on_build or ()), one.text))


def _run(
    state: StageSettings, one: Instruction, stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    return state, buildrun.parse_run(one, stage, scope, state.config, state.args, state.shell)


def _copy(
    state: StageSettings, one: Instruction, stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    flags = dict(one.flags)
    words = [scope.expand(word, state.variables, one.line) for word in _path_words(one)]
    texts = tuple(
        InlineFile(
            name=each.name,
            content=each.content
            if each.literal
            else _expand_text(each.content, state, scope, one.line),
        )
        for each in one.heredocs
    )
    if len(words) + len(texts) < 2 or not words:
        raise scope.error(one.line, f"{one.keyword} requires at least two arguments")
    *sources, target = words
    if len(sources) + len(texts) > 1 and not target.endswith(("/", ".")):
        raise scope.error(
            one.line, f"When using {one.keyword} with more than one source file, {FOLDER_NEEDED}"
        )
    urls = _urls(sources, one, scope)
    mode = scope.expand(flags.get("chmod", ""), state.variables, one.line)
    return state, CopyStep(
        sources=tuple(_relative_to_root(word) for word in sources if word not in urls),
        target=_target(target, state.config.working_dir),
        origin=scope.resolve_from(flags["from"], stage.index) if flags.get("from") else "",
        chown=scope.expand(flags.get("chown", ""), state.variables, one.line),
        chmod=_mode(mode, one, scope),
        exclude=tuple(value for name, value in one.flags if name == "exclude"),
        texts=texts,
        urls=urls,
        checksum=flags.get("checksum", ""),
        extract=one.keyword == "ADD",
    )


def _path_words(one: Instruction) -> tuple[str, ...]:
    """Give sources and target as they are written, without the beginnings of texts."""
    if one.words is not None:
        return one.words
    words = one.text.split()
    return tuple(word for word in words if not (one.heredocs and word.startswith("<<")))


def _urls(sources: list[str], one: Instruction, scope: DockerfileScope) -> tuple[str, ...]:
    if one.keyword != "ADD":
        return ()
    for word in sources:
        if word.startswith("git@") or ("://" in word and not word.startswith(URL_PREFIXES)):
            raise scope.error(one.line, f"cannot add {word}: only http and https are supported")
    return tuple(word for word in sources if word.startswith(URL_PREFIXES))


def _expand_text(content: str, state: StageSettings, scope: DockerfileScope, line: int) -> str:
    """Fill variables into a text, where quotes are only quotes."""
    quoted = content.replace('"', f'{scope.escape}"')
    return scope.expand(f'"{quoted}"', state.variables, line)


def _relative_to_root(source: str) -> str:
    """Make a source relative to the root that it is taken from, which it cannot leave."""
    return posixpath.normpath(f"/{source}").lstrip("/") or "."


def _target(word: str, working_dir: str) -> str:
    path = posixpath.normpath(posixpath.join("/", working_dir, word))
    path = f"/{path.lstrip('/')}"
    is_folder = word.endswith(("/", "/.")) or word in (".", "..")
    return f"{path.rstrip('/')}/" if is_folder else path


def _mode(text: str, one: Instruction, scope: DockerfileScope) -> str:
    if text and (
        not text.isdecimal() or int(text, 8 if set(text) <= set("01234567") else 10) > 0o7777
    ):
        raise scope.error(
            one.line, f"invalid chmod parameter: '{text}', it should be an octal number"
        )
    return text


HANDLERS: dict[
    str, Callable[[StageSettings, Instruction, Stage, DockerfileScope], InstructionResult]
] = {
    "ADD": _copy,
    "ARG": _arg,
    "CMD": _cmd,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
