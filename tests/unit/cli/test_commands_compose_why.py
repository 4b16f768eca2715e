"""`why` puts the history of a service into words."""

import json

import pytest

from cntnr_compose.cli.commands.compose import why as command
from cntnr_compose.containers.state import history
from cntnr_compose.containers.state.history import PastEvent
from cntnr_compose.core import paths
from cntnr_compose.host import files
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


@pytest.fixture(autouse=True)
def nothing_there() -> None:
    files.remove_tree(paths.data())


def entry(time: float, action: history.Action, **more: object) -> PastEvent:
    return PastEvent(time=time, action=action, **more)  # type: ignore[arg-type]


def test_the_latest_of_each_kind_is_told() -> None:
    entries = [
        entry(1, "created"),
        entry(2, "started"),
        entry(3, "unhealthy"),
        entry(4, "exited", cause="stop: recreated, forced"),
        entry(5, "recreated"),
        entry(6, "start_failed"),
        entry(7, "started"),
    ]
    assert [each.time for each in command.latest_entries(entries, 0)] == [4, 5, 7]
    assert command.latest_entries(entries, 2) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"exit_code": 3}, "exit code 3"),
        ({"exit_code": 139}, "killed by SIGSEGV (exit code 139)"),
        ({"exit_code": 255}, "exit code 255"),
        ({"exit_code": 137, "oom_killed": True}, "since its memory was used up"),
        ({"exit_code": 1, "oom_killed": True}, "exit code 1, after the kernel had killed"),
        (
            {"exit_code": 0, "cause": "stop: orphan", "command": "up"},
            "exit code 0, for the stop of `up` (orphan)",
        ),
        ({"exit_code": 137, "cause": "kill", "command": "kill"}, "137), for the kill"),
    ],
)
def test_ends_in_words(more: dict[str, object], words: str) -> None:
    assert words in command.describe_exit(entry(1, "exited", **more))


def test_text_and_json(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = [container("web", state="exited")]
    cause = "cannot start:\n\x1b[31mred"
    history.add_entry("shop", "web", entry(1, "start_failed", cause=cause, command="up"))
    told = compose("why", "web")
    assert (told.code, told.err) == (0, "")
    assert "start failed by `up`: cannot start:" in told.out
    assert "\x1b" not in told.out
    tree = json.loads(compose("why", "--json", "web").out)
    assert (tree["Schema"], tree["State"]) == (1, "exited")
    assert [each["Action"] for each in tree["Events"]] == ["start_failed"]


def test_a_service_of_which_nothing_is_known(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = []
    assert compose("why", "web").out == "web: no container; project shop is down, or was never up\n"
    shop.containers = [container("db")]
    assert "it was never started, or was removed" in compose("why", "web").out
    assert compose("why", "nothing").err == "error: no such service: nothing\n"
