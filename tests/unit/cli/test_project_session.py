"""A project is locked for a command, or only observed."""

import pytest

from cntnr_compose.cli.display.progress import ProgressDisplay
from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.cli.project.session import locked_project, project_exists
from cntnr_compose.core.errors import RemoteError
from tests.unit.cli.conftest import FakeSupervisor, both


@pytest.fixture
def display(capsys: pytest.CaptureFixture[str]) -> ProgressDisplay:
    return ProjectOptions().display()


def test_a_command_holds_the_lock(supervisor: FakeSupervisor, display: ProgressDisplay) -> None:
    supervisor.containers = both()
    with locked_project(ProjectOptions(), "shop", "up", display) as session:
        assert supervisor.calls == ["connect shop", "lock up"]
        assert len(session.observed.containers) == 2
    assert supervisor.calls[-1] == "close"


def test_nothing_is_started_for_a_dry_run_or_what_does_not_exist(
    supervisor: FakeSupervisor, display: ProgressDisplay
) -> None:
    assert not project_exists("shop")
    for options, always in ((ProjectOptions(dry_run=True), True), (ProjectOptions(), False)):
        with locked_project(options, "shop", "stop", display, always_connect=always) as session:
            assert session.client is None
    assert supervisor.calls == []
    supervisor.containers = both()
    assert project_exists("shop")


@pytest.mark.parametrize(("command", "code"), [("up", 1), ("run", 127)])
def test_only_run_exits_as_the_program(
    supervisor: FakeSupervisor, display: ProgressDisplay, command: str, code: int
) -> None:
    with (
        pytest.raises(RemoteError) as raised,
        locked_project(ProjectOptions(), "shop", command, display),
    ):
        raise RemoteError("ContainerFailed", "no such program", "", 127)
    assert raised.value.exit_code == code
