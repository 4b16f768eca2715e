"""Split a Dockerfile into stages: what each starts from, and which images a target requires."""

import re

from cntnr_compose.builder.dockerfile.parser import Dockerfile, DockerfileInvalid, Instruction
from cntnr_compose.builder.dockerfile.words import WordInvalid, expand_word, split_words
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, field, replace

FROM = re.compile(r"(\S+)(?:\s+as\s+(\S+))?", re.IGNORECASE)
STAGE_NAME = re.compile(r"[a-z][a-z0-9._-]*")
ORIGIN_IN_MOUNT = re.compile(r"(?:^|,)from=([^,]+)")


class TargetMissing(CntnrError):
    """The target stage of a build is not in its Dockerfile."""

    def __init__(self, name: str, target: str, stages: tuple[str, ...]) -> None:
        super().__init__(f"{name}: target stage {target} could not be found")
        self.hint = f"the stages are: {', '.join(stages)}" if stages else "no stage has a name"


class Stage(Value, frozen=True, kw_only=True):
    """One stage. It starts from an earlier stage, from ``base`` (an image or a context) or from nothing."""

    index: int
    line: int
    base: str
    base_stage: int = -1
    name: str = ""
    instructions: tuple[Instruction, ...] = ()

    @property
    def title(self) -> str:
        """Return its name for messages."""
        return self.name or f"stage-{self.index}"


class DockerfileScope(Value, frozen=True, kw_only=True):
    """The stages of a Dockerfile, and what they may refer to: arguments, named contexts."""

    file: str
    stages: tuple[Stage, ...]
    escape: str = "\\"
    args: dict[str, str] = field(default_factory=dict)  # build arguments
    globals: dict[str, str] = field(default_factory=dict)  # ARG before the first FROM
    declared: tuple[
        str, ...
    ] = ()  # names of ARGs before the first FROM, and of the predefined ones
    contexts: tuple[str, ...] = ()

    def error(self, line: int, why: str) -> DockerfileInvalid:
        """Create the error for a line."""
        return DockerfileInvalid(self.file, line, why)

    def expand(self, word: str, values: dict[str, str], line: int) -> str:
        """Expand variables. Raises `DockerfileInvalid`."""
        try:
            return expand_word(word, values, self.escape)
        except WordInvalid as error:
            raise self.error(line, str(error)) from error

    def split_words(self, text: str, line: int) -> tuple[str, ...]:
        """Split a text into words, quotes included. Raises `DockerfileInvalid`."""
        try:
            return split_words(text, self.escape)
        except WordInvalid as error:
            raise self.error(line, str(error)) from error

    def find_stage(self, target: str) -> Stage:
        """Find the target stage; empty means the last. Raises `TargetMissing`."""
        if not target:
            return self.stages[-1]
        matches = [stage for stage in self.stages if stage.name == target.lower()]
        if not matches and target.isdecimal() and int(target) < len(self.stages):
            return self.stages[int(target)]
        if not matches:
            names = tuple(stage.name for stage in self.stages if stage.name)
            raise TargetMissing(self.file, target, names)
        return matches[-1]

    def resolve_from(self, word: str, before: int) -> str:
        """Resolve ``--from=word`` to ``stage:N``, ``context:NAME`` or ``image:REF``."""
        if word in self.contexts:
            return f"context:{word}"
        for stage in reversed(self.stages[:before]):
            if stage.name == word.lower():
                return f"stage:{stage.index}"
        if word.isdecimal() and int(word) < before:
            return f"stage:{int(word)}"
        return f"image:{word}"


def split_stages(
    dockerfile: Dockerfile,
    *,
    args: dict[str, str] | None = None,
    platform: str = "linux/amd64",
    contexts: tuple[str, ...] = (),
) -> DockerfileScope:
    """Split a Dockerfile into stages. Raises `DockerfileInvalid`."""
    scope = DockerfileScope(
        file=dockerfile.name,
        stages=(),
        escape=dockerfile.escape,
        args=args or {},
        globals=platform_args(platform),
        contexts=contexts,
    )
    keywords = [instruction.keyword for instruction in dockerfile.instructions]
    first = keywords.index("FROM") if "FROM" in keywords else len(keywords)
    scope = _add_globals(scope, dockerfile.instructions[:first])
    if first == len(keywords):
        raise scope.error(dockerfile.instructions[-1].line, "there is no FROM")
    return replace(scope, stages=_group_by_stage(scope, dockerfile.instructions[first:]))


def _group_by_stage(
    scope: DockerfileScope, instructions: tuple[Instruction, ...]
) -> tuple[Stage, ...]:
    """Begin a stage at each FROM, and give it the instructions up to the next."""
    stages: list[Stage] = []
    for instruction in instructions:
        if instruction.keyword == "FROM":
            stages.append(_parse_from(scope, stages, instruction))
        else:
            stages[-1] = replace(stages[-1], instructions=(*stages[-1].instructions, instruction))
    return tuple(stages)


def _add_globals(scope: DockerfileScope, instructions: tuple[Instruction, ...]) -> DockerfileScope:
    """Add the ARGs before the first FROM; no other instruction may stand there."""
    values = dict(scope.globals)
    declared = dict.fromkeys(values)
    for instruction in instructions:
        if instruction.keyword != "ARG":
            raise scope.error(instruction.line, f"no build stage in current context: {instruction}")
        for name, value in parse_arg_words(scope, instruction):
            declared[name] = None
            default = None if value is None else scope.expand(value, values, instruction.line)
            chosen = scope.args.get(name, default)
            if chosen is not None:
                values[name] = chosen
    return replace(scope, globals=values, declared=tuple(declared))


def platform_args(platform: str) -> dict[str, str]:
    """Return the predefined arguments for the platforms; cntnr builds for its own machine only."""
    system, _, rest = platform.partition("/")
    machine, _, variant = rest.partition("/")
    values = {"PLATFORM": platform, "OS": system, "ARCH": machine, "VARIANT": variant}
    return {
        f"{side}{name}": value for side in ("TARGET", "BUILD") for name, value in values.items()
    }


def parse_arg_words(
    scope: DockerfileScope, instruction: Instruction
) -> list[tuple[str, str | None]]:
    """Read the ``NAME`` and ``NAME=value`` of an ARG; values are not expanded yet."""
    assignments: list[tuple[str, str | None]] = []
    for word in scope.split_words(instruction.text, instruction.line):
        name, equals, value = word.partition("=")
        if not name:
            raise scope.error(instruction.line, f'ARG names can not be blank: "{word}"')
        assignments.append((name, value if equals else None))
    return assignments


def _parse_from(scope: DockerfileScope, before: list[Stage], instruction: Instruction) -> Stage:
    """Read a FROM."""
    line = instruction.line
    match = FROM.fullmatch(instruction.text)
    if match is None:
        raise scope.error(line, "FROM requires either one or three arguments")
    _check_platform(scope, instruction)
    name = (match.group(2) or "").lower()
    if name and not STAGE_NAME.fullmatch(name):
        raise scope.error(line, f'invalid name for build stage: "{name}"')
    base = scope.expand(match.group(1), scope.globals, line)
    if not base:
        raise scope.error(line, f"base name ({match.group(1)}) should not be blank")
    earlier = next((stage for stage in reversed(before) if stage.name == base.lower()), None)
    if base in scope.contexts:
        earlier = None  # a context of that name wins over a stage
    base_stage = earlier.index if earlier else -1
    return Stage(index=len(before), line=line, base=base, base_stage=base_stage, name=name)


def _check_platform(scope: DockerfileScope, instruction: Instruction) -> None:
    """Refuse a ``--platform`` other than this machine's."""
    own = scope.globals["BUILDPLATFORM"]
    for flag, value in instruction.flags:
        if flag != "platform":
            raise scope.error(instruction.line, f"unknown flag: {flag}")
        platform = scope.expand(value, scope.globals, instruction.line)
        if platform and platform not in (own, scope.globals["BUILDOS"], own.rpartition("/")[0]):
            raise scope.error(
                instruction.line, f"cannot build for {platform}: this machine is {own}"
            )


def required_images(scope: DockerfileScope, target: Stage) -> dict[str, int]:
    """List the images that a target is built from: reference, and the line that first names it."""
    return _required(scope, target)[1]


def required_stages(scope: DockerfileScope, target: Stage) -> tuple[Stage, ...]:
    """List the stages that a target is built from, and the target itself."""
    return tuple(scope.stages[index] for index in sorted(_required(scope, target)[0]))


def _required(scope: DockerfileScope, target: Stage) -> tuple[set[int], dict[str, int]]:
    """Follow all references from a target; return the stages' indexes, and the images with their lines."""
    images: dict[str, int] = {}
    seen: set[int] = set()
    pending = [target.index]
    while pending:
        stage = scope.stages[pending.pop()]
        if stage.index in seen:
            continue
        seen.add(stage.index)
        if stage.base_stage >= 0:
            pending.append(stage.base_stage)
        elif stage.base != "scratch" and stage.base not in scope.contexts:
            images.setdefault(stage.base, stage.line)
        for instruction in stage.instructions:
            for word in _from_words(instruction):
                kind, _, name = scope.resolve_from(word, stage.index).partition(":")
                if kind == "stage":
                    pending.append(int(name))
                elif kind == "image":
                    images.setdefault(name, instruction.line)
    return seen, images


def _from_words(instruction: Instruction) -> list[str]:
    """Return what the ``--from`` and ``from=`` of an instruction name."""
    words = [value for flag, value in instruction.flags if flag == "from"]
    for flag, value in instruction.flags:
        if flag == "mount":
            words += ORIGIN_IN_MOUNT.findall(value)
    return words
