"""The stages of a Dockerfile: which there are, what each starts from, which a target needs."""

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
    """One stage. It starts from an earlier stage, from ``base`` (an image, a context) or from nothing."""

    index: int
    line: int
    base: str
    base_stage: int = -1
    name: str = ""
    instructions: tuple[Instruction, ...] = ()

    @property
    def title(self) -> str:
        """Name it in messages."""
        return self.name or f"stage-{self.index}"


class DockerfileScope(Value, frozen=True, kw_only=True):
    """A Dockerfile with what surrounds it: arguments, platform, named contexts."""

    file: str
    stages: tuple[Stage, ...]
    escape: str = "\\"
    args: dict[str, str] = field(default_factory=dict)  # given from outside
    globals: dict[str, str] = field(default_factory=dict)  # ARG before the first FROM
    contexts: tuple[str, ...] = ()

    def error(self, line: int, why: str) -> DockerfileInvalid:
        """Make the error for a line."""
        return DockerfileInvalid(self.file, line, why)

    def expand(self, word: str, values: dict[str, str], line: int) -> str:
        """Fill in variables. Raises `DockerfileInvalid`."""
        try:
            return expand_word(word, values, self.escape)
        except WordInvalid as error:
            raise self.error(line, str(error)) from error

    def split_words(self, text: str, line: int) -> tuple[str, ...]:
        """Cut a text into words with their quotes. Raises `DockerfileInvalid`."""
        try:
            return split_words(text, self.escape)
        except WordInvalid as error:
            raise self.error(line, str(error)) from error

    def find_stage(self, target: str) -> Stage:
        """Find the stage that a build asks for; empty means the last. Raises `TargetMissing`."""
        if not target:
            return self.stages[-1]
        named = [one for one in self.stages if one.name == target.lower()]
        if not named and target.isdecimal() and int(target) < len(self.stages):
            return self.stages[int(target)]
        if not named:
            names = tuple(one.name for one in self.stages if one.name)
            raise TargetMissing(self.file, target, names)
        return named[-1]

    def resolve_from(self, word: str, before: int) -> str:
        """Say where ``--from=word`` leads: ``stage:N``, ``context:NAME`` or ``image:REF``."""
        if word in self.contexts:
            return f"context:{word}"
        for stage in reversed(self.stages[:before]):
            if stage.name == word.lower():
                return f"stage:{stage.index}"
        if word.isdecimal() and int(word) < before:
            return f"stage:{int(word)}"
        return f"image:{word}"


def split_stages(
    parsed: Dockerfile,
    *,
    args: dict[str, str] | None = None,
    platform: str = "linux/amd64",
    contexts: tuple[str, ...] = (),
) -> DockerfileScope:
    """Divide a Dockerfile into stages. Raises `DockerfileInvalid`."""
    surrounding = DockerfileScope(
        file=parsed.name,
        stages=(),
        escape=parsed.escape,
        args=args or {},
        globals=platform_args(platform),
        contexts=contexts,
    )
    first = next(
        (at for at, one in enumerate(parsed.instructions) if one.keyword == "FROM"),
        len(parsed.instructions),
    )
    surrounding = _add_globals(surrounding, parsed.instructions[:first])
    if first == len(parsed.instructions):
        raise surrounding.error(parsed.instructions[-1].line, "there is no FROM")
    stages: list[Stage] = []
    for one in parsed.instructions[first:]:
        if one.keyword == "FROM":
            stages.append(_parse_from(surrounding, stages, one))
        else:
            stages[-1] = replace(stages[-1], instructions=(*stages[-1].instructions, one))
    return replace(surrounding, stages=tuple(stages))


def _add_globals(scope: DockerfileScope, ahead: tuple[Instruction, ...]) -> DockerfileScope:
    """Take in what stands before the first FROM: only ARG may."""
    known = dict(scope.globals)
    for one in ahead:
        if one.keyword != "ARG":
            raise scope.error(one.line, f"no build stage in current context: {one}")
        for name, value in parse_arg_words(scope, one):
            default = None if value is None else scope.expand(value, known, one.line)
            chosen = scope.args.get(name, default)
            if chosen is not None:
                known[name] = chosen
    return replace(scope, globals=known)


def platform_args(platform: str) -> dict[str, str]:
    """Give the arguments that tell what is built for what; cntnr builds for its own machine."""
    system, _, rest = platform.partition("/")
    machine, _, variant = rest.partition("/")
    values = {"PLATFORM": platform, "OS": system, "ARCH": machine, "VARIANT": variant}
    return {
        f"{side}{name}": value for side in ("TARGET", "BUILD") for name, value in values.items()
    }


def parse_arg_words(
    scope: DockerfileScope, instruction: Instruction
) -> list[tuple[str, str | None]]:
    """Read ``NAME``, ``NAME=value`` of an ARG; values are not expanded yet."""
    found: list[tuple[str, str | None]] = []
    for word in scope.split_words(instruction.text, instruction.line):
        name, equals, value = word.partition("=")
        if not name:
            raise scope.error(instruction.line, f'ARG names can not be blank: "{word}"')
        found.append((name, value if equals else None))
    return found


def _parse_from(scope: DockerfileScope, before: list[Stage], opening: Instruction) -> Stage:
    line = opening.line
    found = FROM.fullmatch(opening.text)
    if found is None:
        raise scope.error(line, "FROM requires either one or three arguments")
    _check_platform(scope, opening)
    name = (found.group(2) or "").lower()
    if name and not STAGE_NAME.fullmatch(name):
        raise scope.error(line, f'invalid name for build stage: "{name}"')
    base = scope.expand(found.group(1), scope.globals, line)
    if not base:
        raise scope.error(line, f"base name ({found.group(1)}) should not be blank")
    earlier = next((one for one in reversed(before) if one.name == base.lower()), None)
    if base in scope.contexts:
        earlier = None  # a context of that name goes before
    base_stage = earlier.index if earlier else -1
    return Stage(index=len(before), line=line, base=base, base_stage=base_stage, name=name)


def _check_platform(scope: DockerfileScope, opening: Instruction) -> None:
    own = scope.globals["BUILDPLATFORM"]
    for flag, value in opening.flags:
        if flag != "platform":
            raise scope.error(opening.line, f"unknown flag: {flag}")
        wanted = scope.expand(value, scope.globals, opening.line)
        if wanted and wanted not in (own, scope.globals["BUILDOS"], own.rpartition("/")[0]):
            raise scope.error(opening.line, f"cannot build for {wanted}: this machine is {own}")


def required_images(scope: DockerfileScope, target: Stage) -> dict[str, int]:
    """List the images that a target is made of: reference, and the line that first names it."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    ahead = [target.index]
    while ahead:
        stage = scope.stages[ahead.pop()]
        if stage.index in seen:
            continue
        seen.add(stage.index)
        if stage.base_stage >= 0:
            ahead.append(stage.base_stage)
        elif stage.base != "scratch" and stage.base not in scope.contexts:
            found.setdefault(stage.base, stage.line)
        for instruction in stage.instructions:
            for word in _from_words(instruction):
                kind, _, name = scope.resolve_from(word, stage.index).partition(":")
                if kind == "stage":
                    ahead.append(int(name))
                elif kind == "image":
                    found.setdefault(name, instruction.line)
    return found


def _from_words(instruction: Instruction) -> list[str]:
    words = [value for flag, value in instruction.flags if flag == "from"]
    for flag, value in instruction.flags:
        if flag == "mount":
            words += ORIGIN_IN_MOUNT.findall(value)
    return words
