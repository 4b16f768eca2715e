"""Split a Dockerfile into stages: what each starts from, and which images a target requires."""

import re

from cntnr_compose.builder.dockerfile.parser import (
    Dockerfile,
    DockerfileInvalid,
    Instruction,
)
from cntnr_compose.builder.dockerfile.syntax.directives import (
    DirectiveInvalid,
    Directives,
    check_syntax,
)
from cntnr_compose.builder.dockerfile.values.platforms import (
    PLATFORM,
    normalize_platform,
    platform_args,
)
from cntnr_compose.builder.dockerfile.words import WordInvalid, expand_word, split_words
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, field, replace

FROM = re.compile(r"(\S+)(?:\s+as\s+(\S+))?", re.IGNORECASE)
STAGE_NAME = re.compile(r"[a-z][a-z0-9._-]*")
MAX_DIGITS = 9  # of the number of a stage
NAME_RULE = "name can't start with a number or contain symbols"


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
    platform: str = ""  # where it is another than the image's
    instructions: tuple[Instruction, ...] = ()
    source: Instruction | None = None  # its FROM

    @property
    def title(self) -> str:
        """Return its name for messages."""
        return self.name or f"stage-{self.index}"


class DockerfileScope(Value, frozen=True, kw_only=True):
    """The stages of a Dockerfile, and what they may refer to: arguments, named contexts."""

    file: str
    stages: tuple[Stage, ...]
    directives: Directives = Directives()
    args: dict[str, str] = field(default_factory=dict)  # build arguments
    globals: dict[str, str] = field(default_factory=dict)  # ARG before the first FROM
    defaults: dict[str, str] = field(default_factory=dict)  # the same without build arguments
    global_args: tuple[Instruction, ...] = ()
    declared: tuple[
        str, ...
    ] = ()  # names of ARGs before the first FROM, and of the predefined ones
    contexts: tuple[str, ...] = ()

    @property
    def escape(self) -> str:
        """Return the character that escapes another."""
        return self.directives.escape

    def error(self, line: int, why: str) -> DockerfileInvalid:
        """Create the error for a line."""
        return DockerfileInvalid(self.file, line, why)

    def expand_text(self, text: str, values: dict[str, str], line: int) -> str:
        r"""Expand variables in a heredoc, where ``\`` escapes and quotes mean nothing.

        Raises `DockerfileInvalid`.
        """
        try:
            return expand_word(text, values, keep_quotes=True)
        except WordInvalid as error:
            raise self.error(line, str(error)) from error

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
        is_number = target.isascii() and target.isdecimal() and len(target) <= MAX_DIGITS
        if not matches and is_number and int(target) < len(self.stages):
            return self.stages[int(target)]
        if not matches:
            names = tuple(stage.name for stage in self.stages if stage.name)
            raise TargetMissing(self.file, target, names)
        return matches[-1]

    def resolve_copy_from(self, word: str, stage: Stage, line: int) -> str:
        """Resolve ``--from=word`` of a COPY, where a number is a stage, too. Raises `DockerfileInvalid`."""
        if "$" in word:
            why = (
                "variable expansion is not supported for --from, define a new stage with FROM using ARG from "
                "global scope as a workaround"
            )
            raise self.error(line, why)
        if not word.isascii() or not word.isdecimal() or word in self.contexts:
            return self.resolve_from(word, stage, line)
        if len(word) > MAX_DIGITS or int(word) >= len(self.stages):
            raise self.error(line, f"invalid stage index {word}")
        return self._stage_origin(self.stages[int(word)], stage, line)

    def resolve_from(self, word: str, stage: Stage, line: int) -> str:
        """Resolve the name of a stage, context or image, to ``stage:N``, ``context:NAME`` or ``image:REF``.

        Raises `DockerfileInvalid`.
        """
        if word in self.contexts:
            return f"context:{word}"
        matches = [each for each in self.stages if each.name and each.name == word.lower()]
        if not matches:
            return f"image:{word}"
        earlier = [each for each in matches if each.index < stage.index]
        return self._stage_origin((earlier or matches)[-1], stage, line)

    def _stage_origin(self, source: Stage, stage: Stage, line: int) -> str:
        if source.index == stage.index:
            why = f'circular dependency detected on stage: "{stage.title}"'
            raise self.error(line, why)
        if source.index > stage.index:
            why = (
                f'cannot copy from stage "{source.title}", it needs to be defined before current stage '
                f'"{stage.title}"'
            )
            raise self.error(line, why)
        return f"stage:{source.index}"


def split_stages(
    dockerfile: Dockerfile,
    *,
    args: dict[str, str] | None = None,
    platform: str = "linux/amd64",
    build_platform: str = "",
    target: str = "",
    contexts: tuple[str, ...] = (),
) -> DockerfileScope:
    """Split a Dockerfile into stages, to be built for ``platform`` on ``build_platform``, if that is another.

    Raises `DockerfileInvalid`.
    """
    defaults = platform_args(platform, build_platform or platform)
    defaults["TARGETSTAGE"] = target or _last_name(dockerfile.instructions) or "default"
    scope = DockerfileScope(
        file=dockerfile.name,
        stages=(),
        directives=dockerfile.directives,
        args=args or {},
        globals={name: (args or {}).get(name, value) for name, value in defaults.items()},
        contexts=contexts,
    )
    _check_syntax_arg(scope)
    keywords = [instruction.keyword for instruction in dockerfile.instructions]
    first = keywords.index("FROM") if "FROM" in keywords else len(keywords)
    plain = _add_globals(replace(scope, args={}, globals=defaults), dockerfile.instructions[:first])
    scope = replace(scope, defaults=plain.globals, global_args=dockerfile.instructions[:first])
    scope = _add_globals(scope, dockerfile.instructions[:first])
    if first == len(keywords):
        raise scope.error(dockerfile.instructions[-1].line, "there is no FROM")
    return replace(scope, stages=_group_by_stage(scope, dockerfile.instructions[first:]))


def _last_name(instructions: tuple[Instruction, ...]) -> str:
    """Return the name of the last stage, if it has one."""
    texts = [each.text for each in instructions if each.keyword == "FROM"]
    match = FROM.fullmatch(texts[-1]) if texts else None
    return (match.group(2) or "").lower() if match is not None else ""


def _check_syntax_arg(scope: DockerfileScope) -> None:
    """Refuse another language by a build argument, as by a directive. Raises `DockerfileInvalid`."""
    try:
        check_syntax(scope.args.get("BUILDKIT_SYNTAX", ""), 1)
    except DirectiveInvalid as error:
        raise scope.error(error.line, str(error)) from error


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
            chosen = scope.args.get(name)
            if chosen is None and value is not None:
                chosen = scope.expand(value, values, instruction.line)
            if chosen is not None:
                values[name] = chosen
    return replace(scope, globals=values, declared=tuple(declared))


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
    platform = _platform(scope, instruction)
    name = (match.group(2) or "").lower()
    if name and not STAGE_NAME.fullmatch(name):
        why = f'invalid name for build stage: "{match.group(2)}", {NAME_RULE}'
        raise scope.error(line, why)
    base = scope.expand(match.group(1), scope.globals, line)
    if not base:
        raise scope.error(line, f"base name ({match.group(1)}) should not be blank")
    earlier = next((stage for stage in reversed(before) if stage.name == base.lower()), None)
    if base in scope.contexts:
        earlier = None  # a context of that name wins over a stage
    base_stage = earlier.index if earlier else -1
    return Stage(
        index=len(before),
        line=line,
        base=base,
        base_stage=base_stage,
        name=name,
        platform=platform,
        source=instruction,
    )


def _platform(scope: DockerfileScope, instruction: Instruction) -> str:
    """Return the ``--platform`` of a FROM; '' for that of the image. Raises `DockerfileInvalid`."""
    word = dict(instruction.flags).get("platform")
    if word is None:
        return ""
    platform = scope.expand(word, scope.globals, instruction.line)
    if not platform:
        raise scope.error(instruction.line, f"empty platform value from expression {word}")
    own, target = scope.globals["BUILDPLATFORM"], scope.globals["TARGETPLATFORM"]
    if not PLATFORM.fullmatch(platform):
        raise scope.error(instruction.line, f"failed to parse platform {platform}")
    platform = normalize_platform(platform, own)
    if platform not in (normalize_platform(own, own), normalize_platform(target, own)):
        raise scope.error(instruction.line, f"cannot build for {platform}: this machine is {own}")
    return "" if platform == normalize_platform(target, own) else platform
