"""Run the command line against a fake client and supervisor; each test adds the containers it needs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from cntnr_compose.builder import ensure_images
from cntnr_compose.cli.main import run
from cntnr_compose.cli.project import support_warnings
from cntnr_compose.cli.quick import verbs
from cntnr_compose.client import client, observe, prestart
from cntnr_compose.core.events import Emit, Event, StepEnded, ignore_event
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.plan import CreateContainer, Plan, render_plan
from cntnr_compose.model.project import Project
from cntnr_compose.model.protocol import ExecCommand, PrepareExec
from tests.unit.cli.factories import container

Run = Callable[..., "CommandResult"]
FILE = """\
name: shop
services:
  web:
    image: busybox
    depends_on: [db]
  db:
    image: busybox
"""


def both(**more: object) -> list[Container]:
    """Make the containers of `FILE`."""
    return [container(name, **more) for name in ("db", "web")]  # type: ignore[arg-type]


class FakeClient:
    """Record what a command requests."""

    def __init__(self, supervisor: "FakeSupervisor", project: str) -> None:
        self.supervisor = supervisor
        self.project = project

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.calls.append("close")

    def lock(self, what: str, emit: Emit) -> None:
        self.supervisor.calls.append(f"lock {what}")

    def unlock(self) -> None:
        self.supervisor.calls.append("unlock")

    def shut_down(self) -> None:
        self.supervisor.calls.append("shut down")

    def observe(self) -> Observed:
        return self.supervisor.observed(self.project)

    def execute(
        self, plan: Plan, project: Project | None = None, emit: Emit = print
    ) -> dict[str, object]:
        self.supervisor.plans.append(render_plan(plan))
        self.supervisor.created += [
            step.operation for step in plan.steps if isinstance(step.operation, CreateContainer)
        ]
        self.supervisor.projects.append(project)
        for event in self.supervisor.events:
            emit(event)
        return {}

    has_buffered_reply = True

    def start_executing(self, plan: Plan) -> None:
        self.execute(plan, emit=ignore_event)
        failures = self.supervisor.failures
        self.replies: list[Event | None] = [
            StepEnded(number=step.number, **failures.get(step.operation.describe(), {}))
            for step in plan.steps
        ]
        self.replies.append(None)

    def next_reply(self) -> Event | None:
        return self.replies.pop(0)

    def prepare_exec(self, request: PrepareExec) -> ExecCommand:
        self.supervisor.execs.append(request)
        return ExecCommand(argv=("runc", "exec"))


class FakeSupervisor:
    """Stand in for supervisors: hold the containers, and record what commands do."""

    def __init__(self) -> None:
        self.containers: list[Container] = []
        self.calls: list[str] = []
        self.plans: list[str] = []
        self.created: list[CreateContainer] = []
        self.projects: list[Project | None] = []
        self.execs: list[PrepareExec] = []
        self.events: list[Event] = []
        # By the description of an operation that fails in an independent plan: the fields of the event.
        self.failures: dict[str, dict[str, Any]] = {}

    def observed(self, project: str) -> Observed:
        containers = [one for one in self.containers if one.record.project == project]
        return Observed(project=project, containers=tuple(containers))

    def summaries(self) -> tuple[observe.ProjectSummary, ...]:
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
        self.calls.append(f"connect {project}")
        return FakeClient(self, project)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> FakeSupervisor:
    fake = FakeSupervisor()
    monkeypatch.setattr(observe, "observe_project", fake.observed)
    monkeypatch.setattr(observe, "read_containers", lambda name: fake.observed(name).containers)
    monkeypatch.setattr(observe, "list_projects", fake.summaries)
    monkeypatch.setattr(observe, "is_supervised", lambda _project: False)
    monkeypatch.setattr(client, "connect", fake.connect)
    monkeypatch.setattr(verbs, "MODULES", {})  # they read files, which its containers have none
    # Whether this machine gives us ids is not what is tested.
    monkeypatch.setattr(support_warnings, "tell_of_one_id", lambda _emit: None)
    monkeypatch.setattr(prestart, "start", lambda *_: fake.calls.append("prestart"))
    return fake


class CommandResult:
    """Hold the exit code and the output of a command line."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"[{self.code}]\n{self.out}---\n{self.err}"


@pytest.fixture
def cntnr(capsys: pytest.CaptureFixture[str]) -> Callable[..., CommandResult]:
    def call(*words: str) -> CommandResult:
        capsys.readouterr()
        code = run(words)
        out, err = capsys.readouterr()
        return CommandResult(code, out, err)

    return call


@pytest.fixture
def compose(
    cntnr: Callable[..., CommandResult],
    supervisor: FakeSupervisor,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., CommandResult]:
    """Run `cntnr compose` in an empty folder, against the fake supervisor."""
    monkeypatch.chdir(str(tmp_path))
    for name in ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_PROGRESS"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: cntnr("compose", *words)


@pytest.fixture
def shop(
    tmp_path: Path, supervisor: "FakeSupervisor", monkeypatch: pytest.MonkeyPatch
) -> "FakeSupervisor":
    """Write the compose file of a project whose images exist."""
    (tmp_path / "compose.yaml").write_text(FILE)
    monkeypatch.setattr(ensure_images, "ensure_images", lambda *_, **__: {"busybox": "sha256:1"})
    return supervisor
