"""Print what a Dockerfile can be given: its arguments, secrets and SSH agents, as `--call outline` does."""

from collections.abc import Iterator
from typing import NamedTuple

from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage, parse_arg_words
from cntnr_compose.builder.request import BuildRequest, parse_stages
from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.tables import format_table

DEFAULT_SSH = "default"


class Outline(NamedTuple):
    """What a target takes: arguments with their values, ids with whether they are required."""

    target: str
    arguments: dict[str, str]
    secrets: dict[str, bool]
    ssh: dict[str, bool]


def outline(request: BuildRequest) -> Outline:
    """Read what the target of a build takes, with the stages that it is based on.

    Raises `DockerfileInvalid`, `TargetMissing`.
    """
    scope = parse_stages(request)
    target = scope.find_stage(request.target)
    taken = Outline(target.name, {}, {}, {})
    for stage in reversed(list(_chain(scope, target))):
        for instruction in stage.instructions:
            if instruction.keyword == "ARG":
                for name, value in parse_arg_words(scope, instruction):
                    default = scope.globals.get(name, "")
                    if value is not None:
                        values = {**scope.globals, **taken.arguments}
                        default = scope.expand(value, values, instruction.line)
                    taken.arguments[name] = scope.args.get(name, default)
            for flag, text in instruction.flags if instruction.keyword == "RUN" else ():
                if flag == "mount":
                    _add_mount(taken, text)
    return taken


def _chain(scope: DockerfileScope, stage: Stage) -> Iterator[Stage]:
    """Yield a stage, and those that it is based on."""
    yield stage
    while stage.base_stage >= 0:
        stage = scope.stages[stage.base_stage]
        yield stage


def _add_mount(known: Outline, text: str) -> None:
    fields = dict(word.partition("=")[::2] for word in text.split(","))
    kind, required = fields.get("type"), fields.get("required", "false") in ("", "true", "1")
    if kind == "secret":
        identity = fields.get("id") or fields.get("target", "").rpartition("/")[2]
        known.secrets[identity] = known.secrets.get(identity, False) or required
    elif kind == "ssh":
        identity = fields.get("id") or DEFAULT_SSH
        known.ssh[identity] = known.ssh.get(identity, False) or required


def print_outline(request: BuildRequest) -> None:
    """Print the outline of a build's target, in docker's tables."""
    known = outline(request)
    blocks = []
    if known.target:
        blocks.append([f"TARGET:   {known.target}"])
    if known.arguments:
        rows = [(name, value, "") for name, value in known.arguments.items()]
        blocks.append(format_table(("BUILD ARG", "VALUE", "DESCRIPTION"), rows, min_width=0))
    for title, ids in (("SECRET", known.secrets), ("SSH", known.ssh)):
        if ids:
            required = [(name, "true" if needed else "") for name, needed in ids.items()]
            blocks.append(format_table((title, "REQUIRED"), required, min_width=0))
    stdout.write("\n".join("".join(f"{line.rstrip()}\n" for line in block) for block in blocks))
