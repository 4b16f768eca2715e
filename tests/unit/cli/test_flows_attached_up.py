"""Attached `up`: what is shown, what ends it, and with which exit code."""

import io
import signal
from collections.abc import Iterator

import pytest

from cntnr_compose.cli.display.log_printer import LogPrinter
from cntnr_compose.cli.display.progress import PlainDisplay
from cntnr_compose.cli.flows import attached_up
from cntnr_compose.cli.flows.attached_up import AttachedUp
from cntnr_compose.cli.flows.up_arguments import UpArguments
from cntnr_compose.cli.project.session import ProjectSession
from cntnr_compose.containers.logs.lines import LogLine
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.events import ContainerEvent, Progress
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import Plan
from cntnr_compose.reconcile.up import plan_up
from tests.unit.cli.factories import project, service
from tests.unit.cli.scripted import ScriptedSupervisor

SHOP = project(service("web", depends_on={}), service("db"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedSupervisor]:
    scripted = ScriptedSupervisor()
    monkeypatch.setattr(attached_up.clients, "connect", lambda _name: scripted)
    monkeypatch.setattr(attached_up, "ProjectStream", scripted.stream)
    monkeypatch.setattr(attached_up, "is_readable", lambda _client: False)
    monkeypatch.setattr(
        attached_up.records, "read_containers", lambda _name: list(scripted.containers.values())
    )
    monkeypatch.setattr(attached_up, "EVENT_TIMEOUT", 0)
    yield scripted
    assert scripted.moments == []


class Up:
    """Run an attached `up`; hold its exit code and output."""

    def __init__(self, script: ScriptedSupervisor, **values: object) -> None:
        self.out, self.err = io.BytesIO(), io.StringIO()
        arguments = UpArguments(**values)  # type: ignore[arg-type]
        display = PlainDisplay(self.err)
        self.up = AttachedUp(
            ProjectSession(Observed(project="shop"), script, display),  # type: ignore[arg-type]
            SHOP,
            arguments,
            display,
            LogPrinter(streams=(self.out, io.BytesIO())),
            watched=frozenset(arguments.services or SHOP.services),
            shown=arguments.attached_services(SHOP, SHOP),
        )
        self.code = self.up.run(plan_up(SHOP, Observed(project="shop")))

    @property
    def text(self) -> str:
        return self.out.getvalue().decode()


def test_it_makes_everything_first_then_starts_and_stays_until_all_have_ended(
    script: ScriptedSupervisor,
) -> None:
    script.then(script.event("start", "web"), script.event("start", "db"))
    script.then(script.line("web", "hello"), script.event("die", "web", 3))
    script.then(script.line("db", "x"), script.event("die", "db"))
    up = Up(script)
    assert up.code == 0
    assert up.text == (
        "Attaching to web-1, db-1\n"
        "web-1  | hello\n"
        "web-1 exited with code 3\n"
        "db-1   | x\n"
        "db-1 exited with code 0\n"
    )
    before, starting = script.plans
    assert "create container shop-web-1" in before
    assert "start" not in before
    assert "start container shop-web-1" in starting
    assert "create container" not in starting
    assert script.calls[0] == "unlock"  # others may have their turn while it stays


def test_trouble_while_starting_is_told_and_ends_it(script: ScriptedSupervisor) -> None:
    script.replies = [
        Progress(kind="Container", name="shop-db-1", status="Starting"),
        Progress(kind="Container", name="shop-db-1", status="Error", state="error"),
        RemoteError("DependencyFailed", "dependency failed to start"),
    ]
    script.then(script.event("start", "db"))
    script.then(script.line("db", "no disk"), script.event("die", "db", 1))
    with pytest.raises(RemoteError, match="dependency failed to start"):
        Up(script)


def test_a_container_that_is_started_again_does_not_end_it(script: ScriptedSupervisor) -> None:
    script.then(script.event("start", "web"))
    script.calls.append("restarts")
    script.then(script.event("die", "web", 1))
    script.moments.append(lambda: script.calls.clear() or [])  # type: ignore[func-returns-value]
    script.then(script.event("die", "web", 0))
    assert Up(script).text.count("web-1 exited with code") == 2


def test_a_container_that_takes_another_s_place_does_not_end_it(script: ScriptedSupervisor) -> None:
    script.then(script.event("start", "web"))
    script.then(
        script.event("create", "db"), script.event("die", "web"), script.event("destroy", "web")
    )
    script.then(script.event("start", "db"))
    script.then(script.event("die", "db", 2))
    assert "db-1 exited with code 2" in Up(script).text


def test_a_removed_container_counts_as_ended(script: ScriptedSupervisor) -> None:
    script.then(script.event("start", "web"))
    script.then(script.event("destroy", "web"))
    assert Up(script).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_what_was_selected_and_ends_with_130(
    script: ScriptedSupervisor, number: signal.Signals
) -> None:
    script.then(script.event("start", "web"), script.event("start", "db"))
    script.press(number)
    script.replies = [None, Progress(kind="Container", name="shop-web-1", status="Stopping"), None]
    script.moments.append(lambda: [script.event("die", "web", 143)])
    before = signal.getsignal(signal.SIGINT)
    up = Up(script, services=("web",), timeout=1)
    assert up.code == 130
    assert "Gracefully Stopping... press Ctrl+C again to force\n" in up.err.getvalue()
    assert " Container shop-web-1  Stopping\n" in up.err.getvalue()
    assert "web-1 exited with code 143" in up.text
    assert "stop container shop-web-1" in script.plans[-1]
    assert "shop-db-1" not in script.plans[-1]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_kills(script: ScriptedSupervisor) -> None:
    script.then(script.event("start", "web"))
    script.press()
    script.moments.append(lambda: script.replies.clear() or [])  # type: ignore[func-returns-value]
    script.press()

    def killed() -> list[LogLine | ContainerEvent]:
        script.replies = [None]
        return [script.event("die", "web", 137)]

    script.moments.append(killed)
    script.replies = [None]
    original = script.start_executing

    def start(plan: Plan) -> None:
        original(plan)
        if "stop container" in script.plans[-1]:
            script.replies = []  # it does not stop

    script.start_executing = start  # type: ignore[method-assign]
    assert Up(script).code == 130
    assert "stop container shop-web-1" in script.plans[-2]
    assert "kill container shop-web-1 with SIGKILL" in script.plans[-1]


def test_an_interrupt_while_starting_cancels_what_is_under_way(script: ScriptedSupervisor) -> None:
    script.replies = []
    script.press()
    script.moments.append(lambda: script.replies.append(None) or [])  # type: ignore[func-returns-value]
    assert Up(script).code == 130
    assert script.calls[0] == "close"
    assert "unlock" not in script.calls


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"abort_on_container_exit": True}, 0),
        ({"abort_on_container_failure": True}, 3),
        ({"exit_code_from": "db"}, 143),
        ({"exit_code_from": "web"}, 0),
    ],
)
def test_an_exit_can_end_everything_and_say_the_code(
    script: ScriptedSupervisor, values: dict[str, object], code: int
) -> None:
    script.then(script.event("start", "web"), script.event("start", "db"))
    script.then(script.event("die", "web", 0))
    if "abort_on_container_failure" in values:
        script.then(script.event("start", "web"))
        script.then(script.event("die", "web", 3))
    script.replies = [None, None]
    script.moments.append(lambda: [script.event("die", "db", 143)])
    up = Up(script, **values)
    assert up.code == code
    assert "Aborting on container exit...\n" in up.err.getvalue()
    assert "stop container shop-db-1" in script.plans[-1]


def test_only_output_that_is_asked_for_is_shown_but_all_is_waited_for(
    script: ScriptedSupervisor,
) -> None:
    script.then(script.event("start", "web"), script.event("start", "db"))
    script.then(script.line("web", "hidden"), script.line("db", "shown"))
    script.then(script.event("die", "web"), script.event("die", "db"))
    up = Up(script, no_attach=("web",))
    assert up.text == "Attaching to db-1\ndb-1  | shown\ndb-1 exited with code 0\n"
