"""Check the FROM instructions: names of stages, arguments, platforms."""

import re
from collections.abc import Iterator, Mapping

from cntnr_compose.builder.dockerfile.lint.findings import Finding, suggest
from cntnr_compose.builder.dockerfile.lint.rules import RULES
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.words import WordInvalid, expand_word, required_variables
from cntnr_compose.model import image_name
from cntnr_compose.model.image_name import ImageNameInvalid

RESERVED_NAMES = ("context", "scratch")
TARGET_PLATFORM = ("$TARGETPLATFORM", "${TARGETPLATFORM}")


def check_stages(
    lines: list[str], scope: DockerfileScope, platforms: Mapping[str, str]
) -> Iterator[Finding]:
    """Check all stages; ``platforms`` are those of the base images, as far as they are known."""
    seen: set[str] = set()
    for stage in scope.stages:
        rules = [
            *_check_name(lines, stage, seen),
            *_check_arguments(stage, scope),
            *_check_platform(stage),
            *_check_base_platform(stage, scope, platforms),
        ]
        seen.add(stage.name)
        for rule, words in rules:
            yield Finding(rule=rule, line=stage.line, text=RULES[rule].format(*words))


def _check_name(
    lines: list[str], stage: Stage, seen: set[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    keyword, *words = lines[stage.line - 1].split()
    if not stage.name or len(words) < 3 or words[-2].lower() != "as":
        return  # it has no name, or one on another line
    word, name = words[-2:]
    if word.isupper() != keyword.isupper():
        yield "FromAsCasing", (word, keyword)
    if name != name.lower():
        yield "StageNameCasing", (name,)
    if stage.name in RESERVED_NAMES:
        yield "ReservedStageName", (stage.name,)
    if stage.name in seen:
        yield "DuplicateStageName", (stage.name,)


def _check_arguments(stage: Stage, scope: DockerfileScope) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Check the variables of a FROM, and the name that comes of their default values."""
    assert stage.source is not None
    platform = dict(stage.source.flags).get("platform", "")
    for name in required_variables(f"{platform} {stage.source.text}", scope.escape):
        if name not in scope.declared:
            yield "UndefinedArgInFrom", (name, suggest(name, scope.declared))
    word = stage.source.text.split()[0]
    try:
        image_name.parse(expand_word(word, scope.defaults, scope.escape))
    except (ImageNameInvalid, WordInvalid):
        if "$" in word:
            yield "InvalidDefaultArgInFrom", (word,)


def _check_platform(stage: Stage) -> Iterator[tuple[str, tuple[str, ...]]]:
    assert stage.source is not None
    platform = dict(stage.source.flags).get("platform", "")
    if platform in TARGET_PLATFORM:
        yield "RedundantTargetPlatform", (platform,)
    parts = [part for part in platform.lower().split("/") if part]
    is_named = any(part in stage.name for part in parts)
    if platform and "$" not in platform and not is_named:
        yield "FromPlatformFlagConstDisallowed", (platform,)


def _check_base_platform(
    stage: Stage, scope: DockerfileScope, platforms: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    actual = platforms.get(stage.base, "") if stage.base_stage < 0 else ""
    expected = stage.platform or scope.globals["TARGETPLATFORM"]
    if actual and actual.split("/")[:2] != expected.split("/")[:2]:
        yield "InvalidBaseImagePlatform", (stage.base, actual, expected)


def check_descriptions(scope: DockerfileScope) -> Iterator[Finding]:
    """Check the comments directly before ARG and FROM, which describe them."""
    described = [("ARG", _argument_names(each.text), each) for each in scope.global_args]
    for stage in scope.stages:
        assert stage.source is not None
        described.append(("build stage", [stage.name] if stage.name else [], stage.source))
        described += [
            ("ARG", _argument_names(each.text), each)
            for each in stage.instructions
            if each.keyword == "ARG"
        ]
    for what, names, instruction in described:
        if not names or not instruction.comments:
            continue
        if instruction.comments[-1].split(" ")[0] not in names:
            example = names[0] if len(names) == 1 else "<arg_key>"
            text = RULES["InvalidDefinitionDescription"].format(what, example)
            rule = "InvalidDefinitionDescription"
            yield Finding(rule=rule, line=instruction.line, text=text)


def _argument_names(text: str) -> list[str]:
    return re.findall(r"(?:^|\s)([A-Za-z_]\w*)(?==|\s|$)", text)
