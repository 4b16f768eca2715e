"""RUN of a Dockerfile: the words that run, and what is mounted while they do."""

import posixpath

from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.steps import RunMount, RunStep
from cntnr_compose.compose.basics.go_parse import CannotCast, parse_bool
from cntnr_compose.core.values import Bytes
from cntnr_compose.model.image import ImageConfig

NETWORK_MODES = ("default", "none", "host")
# Known without an ARG, and no part of what a step is remembered by: the way out is not the content.
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
    one: Instruction,
    stage: Stage,
    scope: DockerfileScope,
    config: ImageConfig,
    args: dict[str, str],
    shell: tuple[str, ...],
) -> RunStep:
    """Read a RUN. Raises `DockerfileInvalid`."""
    network, mounts = "default", []
    for name, value in one.flags:
        if name == "network":
            network = value
        elif name == "mount":
            mounts.append(_mount(scope.expand(value, args, one.line), one, stage, scope))
        elif value != "sandbox":
            raise scope.error(one.line, f"--security={value} is not supported")
    if network not in NETWORK_MODES:
        raise scope.error(one.line, f'unsupported network mode "{network}"')
    env = dict(word.split("=", 1) for word in config.env if "=" in word)
    env = {**{name: value for name, value in args.items() if name not in PROXY_VARIABLES}, **env}
    argv, script = _command(one, shell)
    return RunStep(
        argv=argv,
        script=script,
        env=tuple(f"{name}={value}" for name, value in env.items()),
        user=config.user,
        working_dir=config.working_dir or "/",
        mounts=tuple(mounts),
        network=network,
    )


def _command(one: Instruction, shell: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Give the words to run and, where a text brings its own interpreter, the script."""
    if one.words is not None:
        return one.words, ""
    if not one.heredocs:
        return (*shell, one.text), ""
    first = one.heredocs[0]
    if len(one.heredocs) == 1 and len(one.text.split()) == 1:
        return (
            ((), first.content) if first.content.startswith("#!") else ((*shell, first.content), "")
        )
    # The shell reads the texts itself: they follow the command as they stood in the file.
    bodies = "".join(f"{each.content}{each.name}\n" for each in one.heredocs)
    return (*shell, f"{one.text}\n{bodies}"), ""


def _mount(text: str, one: Instruction, stage: Stage, scope: DockerfileScope) -> RunMount:
    values = _values(text, one, scope)
    kind = values["type"]
    is_writable = _is_true(values, "readwrite", one, scope)
    is_read_only = _is_true(values, "readonly", one, scope)
    target, identity = _target(values, one, scope)
    return RunMount(
        type=kind,
        target=posixpath.normpath(posixpath.join("/", target)) if target else "",
        source=posixpath.normpath(f"/{values.get('source', '')}").lstrip("/"),
        origin=scope.resolve_from(values["from"], stage.index) if values.get("from") else "",
        read_only=not is_writable if kind == "bind" else is_read_only,
        id=identity,
        env=values.get("env", ""),
        required=_is_true(values, "required", one, scope),
        sharing=values.get("sharing", "shared"),
        mode=_number(values, "mode", -1, 8, one, scope),
        uid=_number(values, "uid", 0, 10, one, scope),
        gid=_number(values, "gid", 0, 10, one, scope),
        size=_size(values.get("size", "0"), one, scope),
    )


def _values(text: str, one: Instruction, scope: DockerfileScope) -> dict[str, str]:
    """Read ``name=value,…``; aliases are resolved, unknown names refused."""
    values = {"type": "bind"}
    for word in text.split(","):
        name, _, value = word.partition("=")
        values[MOUNT_KEY_ALIASES.get(name.strip().lower(), name.strip().lower())] = value
    kind = values["type"]
    if kind not in MOUNT_KEYS:
        raise scope.error(one.line, f'mount type "{kind}" is not supported')
    for name in values:
        if name not in (*MOUNT_KEYS[kind], "type", "target", "readonly"):
            raise scope.error(one.line, f'unexpected key "{name}" in --mount of type {kind}')
    if values.get("sharing", "shared") not in ("shared", "private", "locked"):
        raise scope.error(one.line, f'unsupported sharing value "{values["sharing"]}"')
    return values


def _target(values: dict[str, str], one: Instruction, scope: DockerfileScope) -> tuple[str, str]:
    """Say where a mount goes, and what it is called."""
    target, identity = values.get("target", ""), values.get("id", "")
    if values["type"] == "secret":
        identity = identity or posixpath.basename(target)
        if not identity:
            raise scope.error(one.line, "a secret mount needs an id")
        target = target or ("" if values.get("env") else f"/run/secrets/{identity}")
    elif not target:
        raise scope.error(one.line, f"--mount of type {values['type']} needs a target")
    return target, identity


def _is_true(values: dict[str, str], name: str, one: Instruction, scope: DockerfileScope) -> bool:
    word = values.get(name, "false") or "true"  # a name alone is true
    try:
        return parse_bool(word)
    except CannotCast:
        raise scope.error(one.line, f'"{word}" is not a valid {name} of a mount') from None


def _number(
    values: dict[str, str],
    name: str,
    default: int,
    base: int,
    one: Instruction,
    scope: DockerfileScope,
) -> int:
    try:
        return int(values[name], base) if name in values else default
    except ValueError:
        raise scope.error(one.line, f'"{values[name]}" is not a valid {name} of a mount') from None


def _size(text: str, one: Instruction, scope: DockerfileScope) -> Bytes:
    digits = text.lower().rstrip("bkmgi")
    suffix = text.lower()[len(digits) :].rstrip("b").rstrip("i")
    if not digits.isdecimal() or suffix not in SIZE_SUFFIXES:
        raise scope.error(one.line, f'"{text}" is not a valid size of a mount')
    return int(digits) * SIZE_SUFFIXES[suffix]
