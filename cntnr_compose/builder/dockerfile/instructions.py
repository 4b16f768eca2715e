"""What each instruction means: a state and an instruction give the next state and what is to be done."""

import posixpath
from collections.abc import Callable
from typing import TypeAlias

from cntnr_compose.builder.dockerfile import run as buildrun
from cntnr_compose.builder.dockerfile.healthcheck import healthcheck
from cntnr_compose.builder.dockerfile.parser import Instruction, parse_line
from cntnr_compose.builder.dockerfile.stages import Scope, Stage, assigned
from cntnr_compose.builder.dockerfile.steps import Copy, MakeFolder, Text, Work
from cntnr_compose.containers.spec.process import DEFAULT_PATH, DEFAULT_SHELL
from cntnr_compose.core.values import Value, field, replace
from cntnr_compose.model.image import ImageConfig

WEB = ("http://", "https://")
MANY = "the destination must be a directory and end with a /"
NOT_IN_TRIGGERS = ("FROM", "MAINTAINER", "ONBUILD")
FLAGS: dict[str, tuple[str, ...]] = {
    "ADD": ("chown", "chmod", "link", "checksum", "exclude"),
    "COPY": ("from", "chown", "chmod", "link", "exclude"),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
    "RUN": ("mount", "network", "security"),
}


class State(Value, frozen=True, kw_only=True):
    """A stage up to some instruction: its configuration, and the variables that are in scope."""

    config: ImageConfig = field(default_factory=ImageConfig)
    args: dict[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = DEFAULT_SHELL
    author: str = ""
    own_command: bool = False  # CMD was given in this stage

    @property
    def env(self) -> dict[str, str]:
        """Give the environment that the image has so far."""
        return dict(word.split("=", 1) for word in self.config.env if "=" in word)

    @property
    def variables(self) -> dict[str, str]:
        """Give what can be filled in: ENV wins over ARG."""
        return {**self.args, **self.env}


Step: TypeAlias = tuple[State, Work | None]


def begin(base: ImageConfig | None, before: State | None = None) -> State:
    """Start a stage from an image, from an earlier stage's end, or from nothing."""
    if before is not None:
        return replace(before, own_command=False)  # arguments are handed on, too
    if base is None:
        return State(config=ImageConfig(env=(f"PATH={DEFAULT_PATH}",)))
    return State(config=replace(base, on_build=None), shell=base.shell or DEFAULT_SHELL)


def triggers(base: ImageConfig, scope: Scope, line: int) -> tuple[Instruction, ...]:
    """Read what an image wants done in builds upon it (ONBUILD). Raises `DockerfileInvalid`."""
    return tuple(parse_line(text, scope.file, line) for text in base.on_build or () if text)


def apply(state: State, instruction: Instruction, stage: Stage, scope: Scope) -> Step:
    """Carry an instruction out on the state; what has to be done to files comes beside it.

    Raises `DockerfileInvalid`.
    """
    allowed = FLAGS.get(instruction.keyword, ())
    for name, _ in instruction.flags:
        if name not in allowed:
            raise scope.fail(instruction.line, f"unknown flag: {name}")
    return APPLY[instruction.keyword](state, instruction, stage, scope)


def _changed(state: State, **config: object) -> Step:
    return replace(state, config=replace(state.config, **config)), None


def _pairs(state: State, one: Instruction, scope: Scope) -> dict[str, str]:
    """Read ``NAME=value …`` or ``NAME the rest``; values see the variables as they were before."""
    words = scope.words(one.text, one.line)
    if "=" not in words[0]:
        name, _, rest = one.text.partition(" ")
        if not rest.strip():
            raise scope.fail(one.line, f"{one.keyword} must have two arguments")
        return {name: scope.expand(rest.strip(), state.variables, one.line)}
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise scope.fail(
                one.line, f'can\'t find = in "{word}": must be of the form: name=value'
            )
        name, value = (scope.expand(part, state.variables, one.line) for part in (name, value))
        if not name:
            raise scope.fail(one.line, f"{one.keyword} names can not be blank")
        found[name] = value
    return found


def _arg(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    args = dict(state.args)
    for name, value in assigned(scope, one):
        default = scope.globals.get(name)
        if value is not None:
            default = scope.expand(value, {**args, **state.env}, one.line)
        chosen = scope.args.get(name, default)
        if chosen is not None:
            args[name] = chosen
    return replace(state, args=args), None


def _env(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    env = {**state.env, **_pairs(state, one, scope)}
    return _changed(state, env=tuple(f"{name}={value}" for name, value in env.items()))


def _label(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    return _changed(state, labels={**(state.config.labels or {}), **_pairs(state, one, scope)})


def _maintainer(state: State, one: Instruction, _stage: Stage, _scope: Scope) -> Step:
    return replace(state, author=one.text), None


def _cmd(state: State, one: Instruction, _stage: Stage, _scope: Scope) -> Step:
    words = (*state.shell, one.text) if one.words is None else one.words
    return _changed(replace(state, own_command=True), cmd=words)


def _entrypoint(state: State, one: Instruction, _stage: Stage, _scope: Scope) -> Step:
    words = (*state.shell, one.text) if one.words is None else one.words
    # The command of the base was meant for the base's program.
    command = state.config.cmd if state.own_command else None
    return _changed(state, entrypoint=words, cmd=command)


def _shell(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    if not one.words:
        raise scope.fail(one.line, "SHELL requires the arguments to be in JSON form")
    return _changed(replace(state, shell=one.words), shell=one.words)


def _user(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    user = scope.expand(one.text, state.variables, one.line)
    if not user:
        raise scope.fail(one.line, f"USER {one.text} is blank")
    return _changed(state, user=user)


def _stop_signal(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    return _changed(state, stop_signal=scope.expand(one.text, state.variables, one.line))


def _workdir(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    path = scope.expand(one.text, state.variables, one.line)
    path = posixpath.normpath(posixpath.join("/", state.config.working_dir, path))
    path = f"/{path.lstrip('/')}"
    state, _ = _changed(state, working_dir=path)
    return state, MakeFolder(path=path, user=state.config.user) if path != "/" else None


def _expose(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    ports = dict(state.config.exposed_ports or {})
    for word in one.text.split():
        for port in scope.expand(word, state.variables, one.line).split():
            number, _, protocol = port.partition("/")
            first, _, last = number.partition("-")
            low, high = (int(part) if part.isdecimal() else 0 for part in (first, last or first))
            if not 0 < low <= high <= 65535 or (protocol or "tcp").lower() not in (
                "tcp",
                "udp",
                "sctp",
            ):
                raise scope.fail(one.line, f"invalid containerPort: {port}")
            for each in range(low, high + 1):
                ports[f"{each}/{(protocol or 'tcp').lower()}"] = {}
    return _changed(state, exposed_ports=ports)


def _volume(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    words = one.text.split() if one.words is None else one.words
    volumes = dict(state.config.volumes or {})
    for word in words:
        path = scope.expand(word, state.variables, one.line)
        if not path:
            raise scope.fail(one.line, "VOLUME specified can not be an empty string")
        volumes[path] = {}
    return _changed(state, volumes=volumes)


def _healthcheck(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    return _changed(state, healthcheck=healthcheck(one, scope))


def _onbuild(state: State, one: Instruction, _stage: Stage, scope: Scope) -> Step:
    inner = parse_line(one.text, scope.file, one.line)
    if inner.keyword in NOT_IN_TRIGGERS:
        raise scope.fail(one.line, f"{inner.keyword} isn't allowed as an ONBUILD trigger")
    return _changed(state, on_build=(*(state.config.on_build or ()), one.text))


def _run(state: State, one: Instruction, stage: Stage, scope: Scope) -> Step:
    return state, buildrun.run(one, stage, scope, state.config, state.args, state.shell)


def _copy(state: State, one: Instruction, stage: Stage, scope: Scope) -> Step:
    flags = dict(one.flags)
    words = [scope.expand(word, state.variables, one.line) for word in _paths(one)]
    texts = tuple(
        Text(
            name=each.name,
            content=each.content if each.literal else _filled(each.content, state, scope, one.line),
        )
        for each in one.heredocs
    )
    if len(words) + len(texts) < 2 or not words:
        raise scope.fail(one.line, f"{one.keyword} requires at least two arguments")
    *sources, target = words
    if len(sources) + len(texts) > 1 and not target.endswith(("/", ".")):
        raise scope.fail(
            one.line, f"When using {one.keyword} with more than one source file, {MANY}"
        )
    urls = _urls(sources, one, scope)
    mode = scope.expand(flags.get("chmod", ""), state.variables, one.line)
    return state, Copy(
        sources=tuple(_rooted(word) for word in sources if word not in urls),
        target=_target(target, state.config.working_dir),
        origin=scope.origin(flags["from"], stage.index) if flags.get("from") else "",
        chown=scope.expand(flags.get("chown", ""), state.variables, one.line),
        chmod=_mode(mode, one, scope),
        exclude=tuple(value for name, value in one.flags if name == "exclude"),
        texts=texts,
        urls=urls,
        checksum=flags.get("checksum", ""),
        extract=one.keyword == "ADD",
    )


def _paths(one: Instruction) -> tuple[str, ...]:
    """Give sources and target as they are written, without the beginnings of texts."""
    if one.words is not None:
        return one.words
    words = one.text.split()
    return tuple(word for word in words if not (one.heredocs and word.startswith("<<")))


def _urls(sources: list[str], one: Instruction, scope: Scope) -> tuple[str, ...]:
    if one.keyword != "ADD":
        return ()
    for word in sources:
        if word.startswith("git@") or ("://" in word and not word.startswith(WEB)):
            raise scope.fail(one.line, f"cannot add {word}: only http and https are supported")
    return tuple(word for word in sources if word.startswith(WEB))


def _filled(content: str, state: State, scope: Scope, line: int) -> str:
    """Fill variables into a text, where quotes are only quotes."""
    quoted = content.replace('"', f'{scope.escape}"')
    return scope.expand(f'"{quoted}"', state.variables, line)


def _rooted(source: str) -> str:
    """Make a source relative to the root that it is taken from, which it cannot leave."""
    return posixpath.normpath(f"/{source}").lstrip("/") or "."


def _target(word: str, working_dir: str) -> str:
    path = posixpath.normpath(posixpath.join("/", working_dir, word))
    path = f"/{path.lstrip('/')}"
    is_folder = word.endswith(("/", "/.")) or word in (".", "..")
    return f"{path.rstrip('/')}/" if is_folder else path


def _mode(text: str, one: Instruction, scope: Scope) -> str:
    if text and (
        not text.isdecimal() or int(text, 8 if set(text) <= set("01234567") else 10) > 0o7777
    ):
        raise scope.fail(
            one.line, f"invalid chmod parameter: '{text}', it should be an octal number"
        )
    return text


APPLY: dict[str, Callable[[State, Instruction, Stage, Scope], Step]] = {
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
