"""A walk through a Dockerfile, with a kitchen that makes nothing."""

import contextlib
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cntnr_compose.builder.dockerfile.parser import KEYWORDS, DockerfileInvalid
from cntnr_compose.builder.dockerfile.steps import BuildStep, RunStep
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.walker import StageState, StageWalker, StepResult, image_key
from cntnr_compose.core.values import replace
from cntnr_compose.model.image import Image, ImageConfig

BASE = Image(
    id="sha256:aa", ref="base:1", manifest="", config=ImageConfig(on_build=("RUN trigger",))
)


PIECES = (
    *(f"{word} " for word in KEYWORDS if word != "FROM"), "\n", "\\\n", "#", "<<EOF", "EOF\n", '"', "'",
    "$A", "${A", "${A:-", "}", "${A#", "/", "a", "--from=", "--mount=", "type=cache,", "target=/x",
    "--chown=", "--network=", '["a"]', "[", "]", "=", "A=1", "80", "1-5", "--interval=", "5s", "٣", "\0",
)  # fmt: skip


class FakeKitchen:
    """Notes what it is asked for."""

    def __init__(self, contents: dict[str, str] | None = None) -> None:
        self.contents = contents or {}
        self.titles: list[str] = []
        self.works: list[BuildStep] = []
        self.keys: list[str] = []
        self.origins: list[dict[str, str]] = []

    def tell(self, title: str, text: str) -> None:
        self.titles.append(f"{title} {text}")

    def content(self, work: BuildStep, where: str, origins: dict[str, StageState]) -> str:
        self.origins.append({name: point.key for name, point in origins.items()})
        return self.contents.get(where, "")

    def make(
        self,
        key: str,
        work: BuildStep,
        point: StageState,
        where: str,
        origins: dict[str, StageState],
    ) -> StepResult:
        self.works.append(work)
        self.keys.append(key)
        return StepResult(folder=f"s{len(self.keys)}", below=point.lower, created=7)


def walk(
    text: str, contents: dict[str, str] | None = None, **more: object
) -> tuple[StageState, FakeKitchen]:
    request = BuildRequest(
        service="web", names=("web",), context="/c", file="F", text=text, images=defaultdict(lambda: BASE),
        **more,  # type: ignore[arg-type]
    )  # fmt: skip
    kitchen = FakeKitchen(contents)
    return StageWalker(request, kitchen).walk_target(), kitchen


TWO = (
    'FROM base:1 AS one\nCOPY a /\nRUN b\nFROM scratch\nLABEL x=y\nCOPY --from=one /a /b\nCMD ["c"]'
)


def test_stages_are_gone_through_when_they_are_needed() -> None:
    point, kitchen = walk(TWO)
    assert kitchen.titles == [
        "one 1/3 RUN trigger", "one 2/3 COPY a /", "one 3/3 RUN b", "stage-1 1/1 COPY --from=one /a /b",
    ]  # fmt: skip
    assert kitchen.origins == [{}, {}, {}, {"stage:0": kitchen.keys[2]}]
    assert (point.lower, point.base, point.key) == (("s4",), None, kitchen.keys[3])
    assert [(line.text, line.folder) for line in point.history] == [
        ("LABEL x=y", ""), ("COPY --from=one /a /b # buildkit", "s4"), ('CMD ["c"]', ""),
    ]  # fmt: skip


def test_of_a_target_nothing_else_is_made() -> None:
    point, kitchen = walk(TWO, target="one")
    assert len(kitchen.keys) == 3
    assert (point.lower, point.base) == (("s3", "s2", "s1"), BASE)


def test_a_stage_upon_a_stage_goes_on_where_that_ended() -> None:
    point, kitchen = walk("FROM base:1 AS a\nARG y=2\nENV x=1\nRUN b\nFROM a\nRUN c\n")
    assert point.lower == ("s3", "s2", "s1")
    assert point.settings.config.env == ("x=1",)
    assert [line.folder for line in point.history] == ["s1", "", "", "s2", "s3"]
    assert [work.env for work in kitchen.works[1:] if isinstance(work, RunStep)] == [
        ("y=2", "x=1")
    ] * 2


def test_keys_depend_on_all_that_went_before_but_labels_do_not_matter_for_files() -> None:
    before = walk(TWO)[1].keys
    assert walk(TWO)[1].keys == before
    labelled, kitchen = walk(TWO.replace("x=y", "x=z"))
    assert kitchen.keys == before
    assert image_key(labelled) != image_key(walk(TWO)[0])
    changed = walk(TWO, {"F:2": "other content"})[1].keys
    assert [one == other for one, other in zip(before, changed, strict=True)] == [
        True,
        False,
        False,
        True,
    ]


def test_variables_change_the_keys_of_what_runs() -> None:
    text = "FROM base:1\nARG A\nRUN $A"
    keys = [
        walk(text, args=args)[1].keys
        for args in ({"A": "1"}, {"A": "2"}, {"A": "1", "http_proxy": "p"})
    ]
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


def test_labels_of_the_build_win_and_make_another_image() -> None:
    point, _ = walk(TWO, labels={"x": "2", "project": "p"})
    assert point.settings.config.labels == {"x": "2", "project": "p"}
    assert image_key(point) != image_key(walk(TWO)[0])


def test_programs_run_on_the_network_of_the_build_unless_they_say_otherwise() -> None:
    works = walk("FROM scratch\nRUN a\nRUN --network=none b", network="host")[1].works
    assert [work.network for work in works if isinstance(work, RunStep)] == ["host", "none"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_a_build_or_a_plain_error(text: str) -> None:
    with contextlib.suppress(DockerfileInvalid):
        image_key(walk(f"FROM base:1\n{text}")[0])


def test_a_step_that_changes_nothing_makes_no_layer() -> None:
    class Idle(FakeKitchen):
        def make(self, *words: object) -> StepResult:  # type: ignore[override]
            return replace(super().make(*words), folder="")  # type: ignore[arg-type]

    request = BuildRequest(
        service="w", names=(), context="/", file="F", text="FROM scratch\nWORKDIR /a"
    )
    point = StageWalker(request, Idle()).walk_target()
    assert point.lower == ()
    assert point.key != "scratch"


def test_a_run_takes_no_other_network_than_the_build_was_given() -> None:
    text = "FROM scratch\nRUN a\nRUN --network=none b\n"

    def networks(text: str, network: str) -> list[str]:
        _, kitchen = walk(text, network=network)
        return [work.network for work in kitchen.works if isinstance(work, RunStep)]

    assert networks(text, "default") == ["default", "none"]
    assert networks(text, "none") == ["none", "none"]
    assert networks(f"{text}RUN --network=host c\n", "host") == ["host", "none", "host"]
    for network in ("default", "none"):
        with pytest.raises(DockerfileInvalid, match=r"^F:4: network.host is not allowed"):
            networks(f"{text}RUN --network=host c\n", network)
