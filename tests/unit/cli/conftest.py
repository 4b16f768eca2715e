"""A command line whose engine is a stand-in: what exists is said by the test."""

from collections.abc import Callable
from typing import Self

import pytest

from cntnr_compose.cli.main import run
from cntnr_compose.client import client, observe
from cntnr_compose.client import prestart as early
from cntnr_compose.core.events import Event
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.plan import CreateContainer, Plan, render_plan
from cntnr_compose.model.project import Project
from cntnr_compose.model.protocol import PrepareExec


class FakeClient:
    """Records what it is asked."""

    def __init__(self, engine: "FakeEngine", project: str) -> None:
        self.engine = engine
        self.project = project
        self.quits = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.said.append("hung up")

    def lock(self, what: str, tell: Callable[[Event], None]) -> None:
        self.engine.said.append(f"begin {what}")

    def unlock(self) -> None:
        self.engine.said.append("end")

    def shut_down(self) -> None:
        self.engine.said.append("quit")

    def observe(self) -> Observed:
        return self.engine.observed(self.project)

    def execute(
        self, plan: Plan, project: Project | None = None, emit: Callable[[Event], None] = print
    ) -> dict[str, object]:
        self.engine.plans.append(render_plan(plan))
        self.engine.made += [
            step.operation for step in plan.steps if isinstance(step.operation, CreateContainer)
        ]
        self.engine.projects.append(project)
        for event in self.engine.events:
            emit(event)
        return {}

    def prepare_exec(self, request: PrepareExec) -> list[str]:
        self.engine.execs.append(request)
        return ["laid", "out"]


class FakeEngine:
    """What exists, and what is done about it."""

    def __init__(self) -> None:
        self.containers: list[Container] = []
        self.said: list[str] = []
        self.plans: list[str] = []
        self.made: list[CreateContainer] = []
        self.projects: list[Project | None] = []
        self.execs: list[PrepareExec] = []
        self.events: list[Event] = []

    def observed(self, project: str) -> Observed:
        found = [one for one in self.containers if one.record.project == project]
        return Observed(project=project, containers=tuple(found))

    def found(self) -> tuple[observe.ProjectSummary, ...]:
        names = sorted({one.record.project for one in self.containers})
        return tuple(
            observe.ProjectSummary(name=name, containers=self.observed(name).containers)
            for name in names
        )

    def connect(
        self, project: str, *, start: bool = True, emit: object = None
    ) -> FakeClient | None:
        assert emit is None or callable(emit)
        if not start and not self.containers:
            return None
        self.said.append(f"connect {project}")
        return FakeClient(self, project)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(observe, "observe_project", fake.observed)
    monkeypatch.setattr(observe, "list_projects", fake.found)
    monkeypatch.setattr(observe, "is_supervised", lambda _project: False)
    monkeypatch.setattr(client, "connect", fake.connect)
    monkeypatch.setattr(early, "start", lambda *_: fake.said.append("hurry"))
    return fake


class Ran:
    """How a command line ended and what it wrote."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"[{self.code}]\n{self.out}---\n{self.err}"


@pytest.fixture
def cntnr(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def call(*words: str) -> Ran:
        capsys.readouterr()
        code = run(words)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return call


@pytest.fixture
def compose(
    cntnr: Callable[..., Ran], engine: FakeEngine, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Run `cntnr compose` in an empty folder, with the stand-in engine."""
    monkeypatch.chdir(str(tmp_path))
    for name in ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_PROGRESS"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: cntnr("compose", *words)
