"""A walk through a Dockerfile, with a step runner that runs nothing."""

import contextlib
import threading
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cntnr_compose.builder.dockerfile.parser import KEYWORDS, DockerfileInvalid
from cntnr_compose.builder.dockerfile.steps import BuildStep, CopyStep, RunStep
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.walker import PendingStep, StageState, StageWalker, StepResult, image_key
from cntnr_compose.core.values import replace
from cntnr_compose.model.image import Image, ImageConfig

BASE = Image(
    id="sha256:aa", ref="base:1", manifest="",
    config=ImageConfig(env=("PATH=/bin",), on_build=("RUN trigger",)),
)  # fmt: skip


PIECES = (
    *(f"{word} " for word in KEYWORDS if word != "FROM"), "\n", "\\\n", "#", "<<EOF", "EOF\n", '"', "'",
    "$A", "${A", "${A:-", "}", "${A#", "/", "a", "--from=", "--mount=", "type=cache,", "target=/x",
    "--parents ", "--link ", "/./", "https://x.test/a.git", "?ref=", "#b:c", "--chmod=", "u+X", "*", "[a",
    "<<-", "FROM base:1\n", "--chown=", "--network=", '["a"]', "[", "]", "=", "A=1", "80",
    "1-5", "--interval=", "5s", "٣", "\0",
)  # fmt: skip


class FakeRunner:
    """Record the calls of a walk, and run nothing."""

    def __init__(self, contents: dict[str, str] | None = None) -> None:
        self.contents = contents or {}
        self.titles: list[str] = []
        self.steps: list[BuildStep] = []
        self.keys: list[str] = []
        self.origins: list[dict[str, str]] = []

    def content_digest(self, pending: PendingStep) -> str:
        self.origins.append({name: state.key for name, state in pending.origins.items()})
        return self.contents.get(pending.where, "")

    def run_step(self, key: str, content: str, pending: PendingStep) -> StepResult:
        self.titles.append(pending.title)
        self.steps.append(pending.step)
        self.keys.append(key)
        return StepResult(folder=f"s{len(self.keys)}", below=pending.state.lower, created=7)


def walk(
    text: str, contents: dict[str, str] | None = None, **more: object
) -> tuple[StageState, FakeRunner]:
    request = BuildRequest(
        service="web", names=("web",), context="/c", file="F", text=text, images=defaultdict(lambda: BASE),
        **more,  # type: ignore[arg-type]
    )  # fmt: skip
    runner = FakeRunner(contents)
    return StageWalker(request, runner).walk_target(), runner


TWO = (
    'FROM base:1 AS one\nCOPY a /\nRUN b\nFROM scratch\nLABEL x=y\nCOPY --from=one /a /b\nCMD ["c"]'
)


def test_stages_are_gone_through_when_they_are_needed() -> None:
    state, runner = walk(TWO)
    assert runner.titles == [
        "[one 1/3] RUN trigger", "[one 2/3] COPY a /", "[one 3/3] RUN b",
        "[stage-1 1/1] COPY --from=one /a /b",
    ]  # fmt: skip
    assert runner.origins == [{}, {}, {}, {"stage:0": runner.keys[2]}]
    assert (state.lower, state.base, state.key) == (("s4",), None, runner.keys[3])
    assert [(line.text, line.folder) for line in state.history] == [
        ("LABEL x=y", ""), ("COPY /a /b # buildkit", "s4"), ('CMD ["c"]', ""),
    ]  # fmt: skip


def test_of_a_target_nothing_else_is_made() -> None:
    state, runner = walk(TWO, target="one")
    assert len(runner.keys) == 3
    assert (state.lower, state.base) == (("s3", "s2", "s1"), BASE)


def test_a_stage_upon_a_stage_goes_on_where_that_ended() -> None:
    state, runner = walk("FROM base:1 AS a\nARG y=2\nENV x=1\nRUN b\nFROM a\nRUN c\n")
    assert state.lower == ("s3", "s2", "s1")
    assert state.settings.config.env == ("PATH=/bin", "x=1")
    assert [line.folder for line in state.history] == ["s1", "", "", "s2", "s3"]
    assert [work.env for work in runner.steps[1:] if isinstance(work, RunStep)] == [
        ("y=2", "PATH=/bin", "x=1")
    ] * 2


def test_keys_depend_on_all_that_went_before_but_labels_do_not_matter_for_files() -> None:
    before = walk(TWO)[1].keys
    assert walk(TWO)[1].keys == before
    labelled, runner = walk(TWO.replace("x=y", "x=z"))
    assert runner.keys == before
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


def test_a_stage_may_start_from_a_folder() -> None:
    state, runner = walk("FROM lib AS one\nRUN x", contexts={"lib": "/lib"})
    assert runner.steps[0] == CopyStep(sources=(".",), target="/", origin="context:lib")
    assert (state.lower, state.settings.config.working_dir) == (("s2", "s1"), "/")


def test_a_linked_layer_does_not_depend_on_what_is_below() -> None:
    keys = [walk(f"FROM base:1\nRUN {word}\nCOPY --link a /\nRUN x")[1].keys for word in "ab"]
    assert [one == other for one, other in zip(*keys, strict=True)] == [True, False, True, False]


def test_labels_of_the_build_win_and_make_another_image() -> None:
    state, _ = walk(TWO, labels={"x": "2", "project": "p"})
    assert state.settings.config.labels == {"x": "2", "project": "p"}
    assert image_key(state) != image_key(walk(TWO)[0])


def test_programs_run_on_the_network_of_the_build_unless_they_say_otherwise() -> None:
    works = walk("FROM scratch\nRUN a\nRUN --network=none b", network="host")[1].steps
    assert [work.network for work in works if isinstance(work, RunStep)] == ["host", "none"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_a_build_or_a_plain_error(text: str) -> None:
    with contextlib.suppress(DockerfileInvalid):
        image_key(walk(f"FROM base:1\n{text}")[0])


def test_a_step_that_changes_nothing_makes_no_layer() -> None:
    class Idle(FakeRunner):
        def run_step(self, key: str, content: str, pending: PendingStep) -> StepResult:
            return replace(super().run_step(key, content, pending), folder="")

    request = BuildRequest(
        service="w", names=(), context="/", file="F", text="FROM scratch\nWORKDIR /a"
    )
    state = StageWalker(request, Idle()).walk_target()
    assert state.lower == ()
    assert state.key != "scratch"


def test_a_run_takes_no_other_network_than_the_build_was_given() -> None:
    text = "FROM scratch\nRUN a\nRUN --network=none b\n"

    def networks(text: str, network: str) -> list[str]:
        _, runner = walk(text, network=network)
        return [work.network for work in runner.steps if isinstance(work, RunStep)]

    assert networks(text, "default") == ["default", "none"]
    assert networks(text, "none") == ["none", "none"]
    assert networks(f"{text}RUN --network=host c\n", "host") == ["host", "none", "host"]
    for network in ("default", "none"):
        with pytest.raises(DockerfileInvalid, match=r"^F:4: network.host is not allowed"):
            networks(f"{text}RUN --network=host c\n", network)


SIDES = """\
FROM base:1 AS left
RUN left
FROM base:1 AS right
RUN right
FROM base:1 AS unused
RUN unused
FROM scratch
COPY --from=left /a /
COPY --from=right /b /
"""


class Meeting(FakeRunner):
    """Let the steps of two stages wait for each other: one after the other they never end."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(2, timeout=20)

    def run_step(self, key: str, content: str, pending: PendingStep) -> StepResult:
        if "RUN left" in pending.title or "RUN right" in pending.title:
            self.barrier.wait()
        return super().run_step(key, content, pending)


def walker(runner: FakeRunner) -> StageWalker:
    request = BuildRequest(
        service="w", names=(), context="/", file="F", text=SIDES, images=defaultdict(lambda: BASE)
    )
    return StageWalker(request, runner)


def test_stages_that_do_not_need_each_other_are_walked_at_once() -> None:
    failures: list[BaseException] = []
    runner = Meeting()
    end = walker(runner).walk_in_threads(failures.append)
    assert (len(end.lower), failures) == (2, [])
    assert end.key == walker(FakeRunner()).walk_target().key
    assert not [title for title in runner.titles if "unused" in title]


def test_a_stage_that_fails_is_told_at_once_and_ends_the_walk() -> None:
    class Failing(FakeRunner):
        def run_step(self, key: str, content: str, pending: PendingStep) -> StepResult:
            if "RUN right" in pending.title:
                raise KeyError(pending.title)
            if "RUN left" in pending.title:
                assert told.wait(20)
            return super().run_step(key, content, pending)

    told = threading.Event()
    with pytest.raises(KeyError):
        walker(Failing()).walk_in_threads(lambda _error: told.set())


@pytest.mark.parametrize(
    "instruction",
    [
        "EXPOSE {}", "EXPOSE 1-{}", "EXPOSE {}:80", "COPY --from={} a b", "STOPSIGNAL {}",
        "STOPSIGNAL RTMIN+{}",
        "RUN --mount=type=cache,target=/a,uid={} x", "RUN --mount=type=cache,target=/a,mode={} x",
        "RUN --mount=type=tmpfs,target=/a,size={} x", "HEALTHCHECK --retries={} CMD x",
        "HEALTHCHECK --interval={}s CMD x", "HEALTHCHECK --interval=1d CMD x", "COPY --chmod={} a b",
    ],
)  # fmt: skip
def test_numbers_that_nobody_can_read_are_told(instruction: str) -> None:
    with pytest.raises(DockerfileInvalid, match=r"^F:2: "):
        walk(f"FROM base:1\n{instruction.format('7' * 5000)}")
