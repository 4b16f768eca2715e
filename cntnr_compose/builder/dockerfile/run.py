"""Read RUN: the command, its network and its mounts."""

import posixpath

from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.steps import RunMount, RunStep
from cntnr_compose.compose.basics.go_parse import CannotCast, parse_bool
from cntnr_compose.core.values import Bytes
from cntnr_compose.model.image import ImageConfig

NETWORK_MODES = ("default", "none", "host")
# Known without an ARG, and no part of the cache key: a proxy does not change the result.
PROXY_VARIABLES = frozenset(
    spelled
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
    for spelled in (name, name.upper())
)
SIZE_SUFFIXES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
MOUNT_KEYS: dict[str, tuple[str, ...]] = {
    "bind": ("source", "from", "readwrite"),
    "cache": ("id", "sharing", "mode", "uid", "gid"),
    "secret": ("id", "required", "mode", "uid", "gid", "env"),
    "ssh": ("id", "required", "mode", "uid", "gid"),
    "tmpfs": ("size",),
}
MOUNT_KEY_ALIASES = {
    "src": "source",
    "dst": "target",
    "destination": "target",
    "ro": "readonly",
    "rw": "readwrite",
}


def parse_run(
    instruction: Instruction,
    stage: Stage,
    scope: DockerfileScope,
    config: ImageConfig,
    args: dict[str, str],
    shell: tuple[str, ...],
) -> RunStep:
    """Read a RUN. Raises `DockerfileInvalid`."""
    network, mounts = _read_flags(instruction, stage, scope, args)
    env = dict(word.split("=", 1) for word in config.env if "=" in word)
    env = {**{name: value for name, value in args.items() if name not in PROXY_VARIABLES}, **env}
    argv, script = _command(instruction, shell)
    return RunStep(
        argv=argv,
        script=script,
        env=tuple(f"{name}={value}" for name, value in env.items()),
        user=config.user,
        working_dir=config.working_dir or "/",
        mounts=tuple(mounts),
        network=network,
    )


def _read_flags(
    instruction: Instruction, stage: Stage, scope: DockerfileScope, args: dict[str, str]
) -> tuple[str, list[RunMount]]:
    """Read ``--network`` and ``--mount``."""
    line, network, mounts = instruction.line, "default", []
    for name, value in instruction.flags:
        if name == "network":
            network = value
        elif name == "mount":
            mounts.append(_mount(scope.expand(value, args, line), instruction, stage, scope))
        elif value != "sandbox":
            raise scope.error(line, f"--security={value} is not supported")
    if network not in NETWORK_MODES:
        raise scope.error(line, f'unsupported network mode "{network}"')
    return network, mounts


def _command(instruction: Instruction, shell: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the command and, where a heredoc begins with ``#!``, the script."""
    if instruction.words is not None:
        return instruction.words, ""
    if not instruction.heredocs:
        return (*shell, instruction.text), ""
    first = instruction.heredocs[0]
    if len(instruction.heredocs) == 1 and len(instruction.text.split()) == 1:
        return (
            ((), first.content) if first.content.startswith("#!") else ((*shell, first.content), "")
        )
    # The shell reads the heredocs itself: they follow the command as they do in the file.
    bodies = "".join(f"{heredoc.content}{heredoc.name}\n" for heredoc in instruction.heredocs)
    return (*shell, f"{instruction.text}\n{bodies}"), ""


def _mount(text: str, instruction: Instruction, stage: Stage, scope: DockerfileScope) -> RunMount:
    """Read one ``--mount``."""
    values = _values(text, instruction, scope)
    kind = values["type"]
    is_writable = _is_true(values, "readwrite", instruction, scope)
    is_read_only = _is_true(values, "readonly", instruction, scope)
    target, identity = _target(values, instruction, scope)
    return RunMount(
        type=kind,
        target=posixpath.normpath(posixpath.join("/", target)) if target else "",
        source=posixpath.normpath(f"/{values.get('source', '')}").lstrip("/"),
        origin=scope.resolve_from(values["from"], stage.index) if values.get("from") else "",
        read_only=not is_writable if kind == "bind" else is_read_only,
        id=identity,
        env=values.get("env", ""),
        required=_is_true(values, "required", instruction, scope),
        sharing=values.get("sharing", "shared"),
        mode=_number(values, "mode", -1, 8, instruction, scope),
        uid=_number(values, "uid", 0, 10, instruction, scope),
        gid=_number(values, "gid", 0, 10, instruction, scope),
        size=_size(values.get("size", "0"), instruction, scope),
    )


def _is_true(
    values: dict[str, str], name: str, instruction: Instruction, scope: DockerfileScope
) -> bool:
    """Read a boolean as Go does; a name alone is true."""
    word = values.get(name, "false") or "true"
    try:
        return parse_bool(word)
    except CannotCast:
        raise scope.error(instruction.line, f'"{word}" is not a valid {name} of a mount') from None


def _values(text: str, instruction: Instruction, scope: DockerfileScope) -> dict[str, str]:
    """Read ``name=value,…``: resolve aliases, refuse unknown names."""
    values = {"type": "bind"}
    for word in text.split(","):
        name, _, value = word.partition("=")
        values[MOUNT_KEY_ALIASES.get(name.strip().lower(), name.strip().lower())] = value
    kind = values["type"]
    if kind not in MOUNT_KEYS:
        raise scope.error(instruction.line, f'mount type "{kind}" is not supported')
    for name in values:
        if name not in (*MOUNT_KEYS[kind], "type", "target", "readonly"):
            raise scope.error(
                instruction.line, f'unexpected key "{name}" in --mount of type {kind}'
            )
    if values.get("sharing", "shared") not in ("shared", "private", "locked"):
        raise scope.error(instruction.line, f'unsupported sharing value "{values["sharing"]}"')
    return values


def _target(
    values: dict[str, str], instruction: Instruction, scope: DockerfileScope
) -> tuple[str, str]:
    """Return where a mount goes, and its id."""
    target, identity = values.get("target", ""), values.get("id", "")
    if values["type"] == "secret":
        identity = identity or posixpath.basename(target)
        if not identity:
            raise scope.error(instruction.line, "a secret mount needs an id")
        target = target or ("" if values.get("env") else f"/run/secrets/{identity}")
    elif values["type"] == "ssh":
        identity = identity or "default"
    elif not target:
        raise scope.error(instruction.line, f"--mount of type {values['type']} needs a target")
    return target, identity


def _number(
    values: dict[str, str],
    name: str,
    default: int,
    base: int,
    instruction: Instruction,
    scope: DockerfileScope,
) -> int:
    try:
        return int(values[name], base) if name in values else default
    except ValueError:
        raise scope.error(
            instruction.line, f'"{values[name]}" is not a valid {name} of a mount'
        ) from None


def _size(text: str, instruction: Instruction, scope: DockerfileScope) -> Bytes:
    digits = text.lower().rstrip("bkmgi")
    suffix = text.lower()[len(digits) :].rstrip("b").rstrip("i")
    if not digits.isdecimal() or suffix not in SIZE_SUFFIXES:
        raise scope.error(instruction.line, f'"{text}" is not a valid size of a mount')
    return int(digits) * SIZE_SUFFIXES[suffix]
