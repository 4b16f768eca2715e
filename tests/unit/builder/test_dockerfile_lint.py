"""The rules of build checks, each with what breaks it and what does not."""

import pytest

from cntnr_compose.builder.dockerfile.instructions import apply_all
from cntnr_compose.builder.dockerfile.lint.dockerfile import check_settings, lint_dockerfile
from cntnr_compose.builder.dockerfile.lint.findings import Finding
from cntnr_compose.builder.dockerfile.lint.rules import RULES
from cntnr_compose.builder.dockerfile.parser import DockerfileInvalid, parse_dockerfile
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, split_stages
from cntnr_compose.model.image import ImageConfig

BASES = {
    "busybox": ImageConfig(env=("PATH=/bin", "LANG=C")),
    "shell": ImageConfig(shell=("/bin/bash", "-c")),
    "unknown": None,
}
BROKEN = [
    ("FROM busybox AS Base", "StageNameCasing", 1),
    ("FROM busybox as base", "FromAsCasing", 1),
    ("from busybox AS base", "FromAsCasing", 1),
    ("FROM busybox\nRUN echo \\\n\n x", "NoEmptyContinuation", 2),
    ("FROM busybox\nRUN x\nenv A=1", "ConsistentInstructionCasing", 3),
    ("FROM busybox\nRUN x\nRun y", "ConsistentInstructionCasing", 3),
    ("FROM busybox AS a\nFROM busybox AS a", "DuplicateStageName", 2),
    ("FROM busybox AS scratch", "ReservedStageName", 1),
    ("FROM busybox\nCMD a b", "JSONArgsRecommended", 2),
    ("FROM busybox\nENTRYPOINT a b", "JSONArgsRecommended", 2),
    ("FROM busybox\nMAINTAINER me", "MaintainerDeprecated", 2),
    ("ARG TAG=1\nFROM busybox:1$TAGS", "UndefinedArgInFrom", 2),
    ("FROM busybox\nWORKDIR a", "WorkdirRelativePath", 2),
    ("FROM busybox\nCOPY $foo /x", "UndefinedVar", 2),
    ("FROM busybox\nARG A=$foo", "UndefinedVar", 2),
    ("FROM busybox\nENV A=1 B=$A", "UndefinedVar", 2),
    ("FROM busybox\nCMD []\nCMD []", "MultipleInstructionsDisallowed", 2),
    ("FROM busybox\nENV a b", "LegacyKeyValueFormat", 2),
    ("FROM busybox\nLABEL a b", "LegacyKeyValueFormat", 2),
    ("FROM --platform=$TARGETPLATFORM busybox", "RedundantTargetPlatform", 1),
    ("FROM --platform=linux/amd64 busybox", "FromPlatformFlagConstDisallowed", 1),
    ("FROM busybox\nARG DB_PASSWORD", "SecretsUsedInArgOrEnv", 2),
    ("FROM busybox\nENV A=1 API_KEY=2", "SecretsUsedInArgOrEnv", 2),
    ("FROM busybox\nEXPOSE 80:80", "ExposeInvalidFormat", 2),
    ("FROM busybox\nEXPOSE 80/TCP", "ExposeProtoCasing", 2),
    ("ARG TAG\nFROM busybox:$TAG", "InvalidDefaultArgInFrom", 2),
    ("FROM busybox AS a\nFROM a\nWORKDIR b", "WorkdirRelativePath", 3),
    ('FROM busybox\nCMD a\nSHELL ["b"]', "JSONArgsRecommended", 2),
    ("FROM busybox\nRUN --mount=target=$x a", "UndefinedVar", 2),
    ("# check=experimental=all\n# stage\nFROM busybox AS base", "InvalidDefinitionDescription", 3),
    (
        "# check=experimental=CopyIgnoredFile\nFROM busybox\nCOPY ./ignored/x a /y/",
        "CopyIgnoredFile",
        3,
    ),
    ("FROM arm", "InvalidBaseImagePlatform", 1),
]


def scope_of(text: str) -> DockerfileScope:
    return split_stages(parse_dockerfile(text))


def lint(text: str) -> list[Finding]:
    platforms = {"arm": "linux/arm64", "busybox": "linux/amd64"}
    return lint_dockerfile(text, scope_of(text), BASES, platforms=platforms, ignore=("ignored",))


def broken(text: str) -> list[tuple[str, int]]:
    return [(finding.rule, finding.line) for finding in lint(text)]


@pytest.mark.parametrize(("text", "rule", "line"), BROKEN)
def test_a_rule_is_broken(text: str, rule: str, line: int) -> None:
    assert broken(text) == [(rule, line)]


@pytest.mark.parametrize(
    "text",
    [
        "from busybox as base\nrun x",
        "ARG TAG\nFROM busybox:1${TAG} AS a\nFROM a AS b",
        'FROM busybox\nSHELL ["sh", "-c"]\nCMD a b',
        'FROM busybox\nRUN echo $foo\nCMD ["$foo"]',
        "FROM busybox\nCOPY ${foo:-a} ${bar:+b} \\$baz '$qux' /x",
        "FROM busybox\nARG A\nENV B=$A$PATH$LANG$HTTP_PROXY\nCOPY $B /x",
        "FROM busybox AS a\nENV A=1\nFROM a\nUSER $A",
        "FROM unknown\nUSER $A",
        "FROM busybox AS a\nWORKDIR /a\nWORKDIR b\nFROM a\nWORKDIR c",
        "FROM --platform=$BUILDPLATFORM busybox",
        "FROM --platform=linux/amd64 busybox AS build_amd64",
        "FROM busybox\nARG PUBLIC_KEY\nENV MONKEY=1",
        "FROM busybox\nEXPOSE 80/tcp $PORTS_ARE_UNKNOWN".replace("$PORTS_ARE_UNKNOWN", "81"),
        "FROM busybox\nRUN echo \\\n# comment\n x",
        "# check=skip=all\nFROM busybox as X\nCMD a",
        "FROM shell\nCMD a",
        "# base is it\nFROM busybox AS base\nCOPY ignored /y/",
        "# check=experimental=all\n# base is it\nFROM busybox AS base\n# A is\nARG A\nCOPY a ignore /y/",
        "FROM busybox\n# check=skip=JSONArgsRecommended\nCMD a",
        "ARG TAG=1\nARG NAME\nFROM busybox:$TAG AS a\nFROM busybox${NAME:-:2}",
        "# check=skip=FromAsCasing, StageNameCasing\nFROM busybox as X",
    ],
)
def test_no_rule_is_broken(text: str) -> None:
    assert lint(text) == []


def test_findings_say_what_and_where_to_read_more() -> None:
    findings = lint("FROM busybox\nENV PATH=$PAHT:/x\nCMD a")
    assert [(each.text, each.url.rpartition("rule/")[2]) for each in findings] == [
        ("Usage of undefined variable '$PAHT' (did you mean $PATH?)", "undefined-var/"),
        (
            "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
            "json-args-recommended/",
        ),
    ]


def test_mistakes_are_found_without_a_build() -> None:
    scope = scope_of("FROM busybox AS a\nFROM a\nEXPOSE x")
    with pytest.raises(DockerfileInvalid, match="Dockerfile:3: invalid containerPort: x"):
        apply_all(scope, {"busybox": ImageConfig()})
    apply_all(scope, {"busybox": None})


def test_every_rule_has_a_case() -> None:
    assert {rule for _, rule, _ in BROKEN} == set(RULES)


def test_settings_come_from_the_directive_or_a_build_argument() -> None:
    text = "# check=skip=FromAsCasing;error=true\nFROM a"
    assert check_settings(scope_of(text)).is_error
    args = {"BUILDKIT_DOCKERFILE_CHECK": "skip=all"}
    scope = split_stages(parse_dockerfile(text), args=args)
    assert (check_settings(scope).is_error, check_settings(scope).skip) == (False, ("all",))
    with pytest.raises(DockerfileInvalid, match=r'Dockerfile:1: invalid check option "skp"'):
        check_settings(scope_of("# check=skp=a\nFROM a"))
