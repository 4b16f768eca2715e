"""Read RUN: the command, its network and its mounts."""

from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.run_mount import RunMountInvalid, parse_mount
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.steps import RunMount, RunStep
from cntnr_compose.core.errors import did_you_mean
from cntnr_compose.model.image import ImageConfig

NETWORK_MODES = ("default", "none", "host")
# Known without an ARG, and no part of the cache key: a proxy does not change the result.
PROXY_VARIABLES = frozenset(
    spelled
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
    for spelled in (name, name.upper())
)
SECURITY_MODES = ("sandbox", "insecure")
NOT_INSECURE = (
    "--security=insecure is not allowed: without root nothing can be given rights that its user does not "
    "have; `privileged: true` under `build:` gives all those that there are"
)
NO_DEVICES = (
    "--device is not supported: devices are given to builds by a daemon (CDI), and there is none"
)


def parse_run(
    instruction: Instruction,
    stage: Stage,
    scope: DockerfileScope,
    config: ImageConfig,
    args: dict[str, str],
    shell: tuple[str, ...],
) -> RunStep:
    """Read a RUN; ``args`` win over the environment of the image. Raises `DockerfileInvalid`."""
    env = dict(word.split("=", 1) for word in config.env if "=" in word)
    network, mounts = _read_flags(instruction, stage, scope, {**env, **args}, config.working_dir)
    shown = {name: value for name, value in args.items() if name not in PROXY_VARIABLES}
    env = {**shown, **env, **shown}
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
    instruction: Instruction,
    stage: Stage,
    scope: DockerfileScope,
    variables: dict[str, str],
    working_dir: str,
) -> tuple[str, list[RunMount]]:
    """Read ``--network`` and ``--mount``; refuse what there is not."""
    line, network, mounts = instruction.line, "default", []
    for name, value in instruction.flags:
        if name == "network":
            network = scope.expand(value, variables, line)
        elif name == "mount":
            mounts.append(_mount(value, line, stage, scope, variables, working_dir))
        elif name == "device":
            raise scope.error(line, NO_DEVICES)
        else:
            _check_security(scope.expand(value, variables, line), line, scope)
    if network not in NETWORK_MODES:
        hint = did_you_mean(network, NETWORK_MODES)
        why = f'unsupported network mode "{network}"{f" ({hint})" if hint else ""}'
        raise scope.error(line, why)
    return network, mounts


def _check_security(mode: str, line: int, scope: DockerfileScope) -> None:
    if mode == "insecure":
        raise scope.error(line, NOT_INSECURE)
    if mode != "sandbox":
        hint = did_you_mean(mode, SECURITY_MODES)
        why = f'security "{mode}" is not valid{f" ({hint})" if hint else ""}'
        raise scope.error(line, why)


def _mount(
    text: str,
    line: int,
    stage: Stage,
    scope: DockerfileScope,
    variables: dict[str, str],
    working_dir: str,
) -> RunMount:
    """Read one ``--mount``."""
    try:
        return parse_mount(
            text,
            lambda word: scope.expand(word, variables, line),
            lambda word: scope.resolve_from(word, stage, line),
            working_dir,
        )
    except RunMountInvalid as error:
        raise scope.error(line, str(error)) from error


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
