"""The stages of a Dockerfile."""

import re

import pytest

from cntnr_compose.builder.dockerfile import stages
from cntnr_compose.builder.dockerfile.parser import DockerfileInvalid, parse_dockerfile
from cntnr_compose.builder.dockerfile.required_images import required_images
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, TargetMissing


def scope(text: str, **more: object) -> DockerfileScope:
    return stages.split_stages(parse_dockerfile(text), **more)  # type: ignore[arg-type]


def failure(text: str) -> str:
    with pytest.raises(DockerfileInvalid) as caught:
        scope(text)
    return str(caught.value)


def test_a_stage_starts_from_an_earlier_one_by_its_name() -> None:
    dockerfile = scope("FROM a AS One\nRUN x\nFROM one as two\nFROM b\n")
    assert [(one.title, one.base, one.base_stage) for one in dockerfile.stages] == [
        ("one", "a", -1), ("two", "one", 0), ("stage-2", "b", -1),
    ]  # fmt: skip
    assert [one.keyword for one in dockerfile.stages[0].instructions] == ["RUN"]


def test_arguments_before_the_first_stage_choose_the_base() -> None:
    text = "ARG V=1\nARG I=img:$V\nFROM $I AS a\nFROM x-${TARGETARCH}"
    assert [one.base for one in scope(text).stages] == ["img:1", "x-amd64"]
    assert scope(text, args={"V": "2"}, platform="linux/arm64/v8").stages[0].base == "img:2"


def test_a_named_context_goes_before_a_stage_of_that_name() -> None:
    dockerfile = scope("FROM a AS b\nFROM b", contexts=("b",))
    assert dockerfile.stages[1].base_stage == -1
    assert dockerfile.resolve_from("b", dockerfile.stages[1], 2) == "context:b"


def test_where_files_come_from_is_a_stage_by_name_or_number_or_an_image() -> None:
    dockerfile = scope("FROM a AS one\nFROM b\nFROM c AS three")
    third = dockerfile.stages[2]
    assert dockerfile.resolve_from("One", third, 3) == "stage:0"
    assert dockerfile.resolve_copy_from("1", third, 3) == "stage:1"
    assert dockerfile.resolve_from("1", third, 3) == "image:1"  # a number is one for COPY only
    assert dockerfile.resolve_copy_from("four", third, 3) == "image:four"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("two", 'circular dependency detected on stage: "two"'),
        ("3", 'cannot copy from stage "three", it needs to be defined before current stage "two"'),
        ("9", "invalid stage index 9"),
        ("$x", "variable expansion is not supported for --from, define a new stage"),
    ],
)
def test_no_stage_takes_files_from_itself_or_a_later_one(word: str, message: str) -> None:
    dockerfile = scope("FROM a\nFROM a AS one\nFROM b AS two\nFROM c AS three")
    with pytest.raises(DockerfileInvalid, match=re.escape(message)):
        dockerfile.resolve_copy_from(word, dockerfile.stages[2], 3)


def test_the_target_is_the_last_stage_unless_one_is_named() -> None:
    dockerfile = scope("FROM a AS one\nFROM b AS two\nFROM c")
    assert dockerfile.find_stage("").index == 2
    assert dockerfile.find_stage("ONE").index == 0
    assert dockerfile.find_stage("1").index == 1
    with pytest.raises(TargetMissing, match="target stage three could not be found") as caught:
        dockerfile.find_stage("three")
    assert caught.value.hint == "the stages are: one, two"


def test_only_images_that_the_target_needs_are_asked_for() -> None:
    text = """\
FROM a AS one
FROM b AS two
COPY --from=one x x
FROM two AS three
RUN --mount=type=bind,from=d,target=/d --mount=target=/e,from=lib true
COPY --from=e x x
FROM f
"""
    dockerfile = scope(text, contexts=("lib",))
    assert required_images(dockerfile, dockerfile.find_stage("three")) == {
        "b": 2,
        "d": 5,
        "e": 6,
        "a": 1,
    }
    assert required_images(dockerfile, dockerfile.find_stage("")) == {"f": 7}
    assert required_images(scope("FROM scratch"), scope("FROM scratch").find_stage("")) == {}


def test_triggers_may_name_further_images() -> None:
    dockerfile = scope("FROM a AS one\nONBUILD COPY --from=b x x\nFROM one\nFROM c")
    assert required_images(dockerfile, dockerfile.stages[1]) == {"a": 1, "b": 3}
    triggers = {"c": ("RUN --mount=from=d,target=/d x", "COPY --from=one x x")}
    assert required_images(dockerfile, dockerfile.stages[2], triggers) == {"c": 4, "d": 4, "a": 1}


def test_the_platform_of_this_machine_is_the_only_one() -> None:
    for platform in ("linux/amd64", "$BUILDPLATFORM", "linux", "AMD64", "linux/x86_64"):
        assert scope(f"FROM --platform={platform} a").stages[0].base == "a"
    message = "Dockerfile:1: cannot build for linux/arm64: this machine is linux/amd64"
    assert failure("FROM --platform=linux/arm64/v8 a") == message
    assert (
        failure("FROM --platform=$X a") == "Dockerfile:1: empty platform value from expression $X"
    )
    assert failure("FROM --platform=a:b a") == "Dockerfile:1: failed to parse platform a:b"


def test_a_stage_may_be_of_this_machine_in_a_build_for_another() -> None:
    text = (
        "FROM --platform=$BUILDPLATFORM a\nFROM --platform=arm64 b\nFROM x-$TARGETARCH-$BUILDARCH"
    )
    dockerfile = scope(text, platform="linux/arm64", build_platform="linux/amd64")
    assert [stage.platform for stage in dockerfile.stages] == ["linux/amd64", "", ""]
    assert dockerfile.stages[2].base == "x-arm64-amd64"
    assert scope("FROM x-$TARGETARCH", args={"TARGETARCH": "mine"}).stages[0].base == "x-mine"


def test_the_name_of_the_target_is_an_argument() -> None:
    text = "FROM a AS one\nFROM x-$TARGETSTAGE AS Two"
    assert scope(text).stages[1].base == "x-two"
    assert scope(text, target="one").stages[1].base == "x-one"
    assert scope("FROM x-$TARGETSTAGE").stages[0].base == "x-default"


def test_another_language_is_refused_by_argument_too() -> None:
    assert scope("FROM a", args={"BUILDKIT_SYNTAX": "docker/dockerfile:1.7-labs"}).stages
    with pytest.raises(DockerfileInvalid, match="Dockerfile:1: the syntax x/y is not supported"):
        scope("FROM a", args={"BUILDKIT_SYNTAX": "x/y"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RUN a", "Dockerfile:1: no build stage in current context: RUN a"),
        ("ARG a", "Dockerfile:1: there is no FROM"),
        ("FROM a b", "Dockerfile:1: FROM requires either one or three arguments"),
        (
            "FROM a AS 1b",
            f'Dockerfile:1: invalid name for build stage: "1b", {stages.NAME_RULE}',
        ),
        ("FROM $X", "Dockerfile:1: base name ($X) should not be blank"),
        ("FROM --link a", "Dockerfile:1: unknown flag: --link"),
        ("ARG =a\nFROM b", 'Dockerfile:1: ARG names can not be blank: "=a"'),
        ("FROM ${A", "Dockerfile:1: ${A: syntax error: missing '}'"),
    ],
)
def test_mistakes_are_told_with_file_and_line(text: str, message: str) -> None:
    assert failure(text) == message
