"""`--dry-run` of each command that changes something: it shows what would be done, and asks nobody."""

import inspect
import sys

import pytest

from cntnr_compose.cli.parser.tree.compose import COMPOSE
from tests.unit.cli.conftest import FakeSupervisor, Run, both

# Commands that change nothing.
READING = {
    *("check", "config", "events", "images", "logs", "ls", "plan", "port", "ps", "top", "version"),
    *("stats", "systemd", "volumes", "why"),
}
# What a command calls that knows of dry runs: see CONTRIBUTING.md, "A command".
AWARE = ("locked_project", "bring_up", "run_service", "options.dry_run")


@pytest.mark.parametrize("name", sorted(set(COMPOSE.commands()) - READING))
def test_a_command_that_changes_something_knows_of_dry_runs(name: str) -> None:
    source = inspect.getsource(sys.modules[COMPOSE.commands()[name].load().function.__module__])
    assert any(word in source for word in AWARE)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("stop", ["db-1  Stopped", "db-1  Stopping", "web-1  Stopped", "web-1  Stopping"]),
        ("kill", ["db-1  Killed", "db-1  Killing", "web-1  Killed", "web-1  Killing"]),
        ("pause", ["db-1  Paused", "web-1  Paused"]),
        ("unpause db", ["db-1  Unpaused"]),
        ("restart db", ["db-1  Restarting", "db-1  Started"]),
        ("rm -fs db", ["db-1  Removed", "db-1  Removing", "db-1  Stopped", "db-1  Stopping"]),
        ("down web", ["web-1  Removed", "web-1  Removing", "web-1  Stopped", "web-1  Stopping"]),
    ],
)
def test_what_would_be_done_is_shown(
    compose: Run, shop: FakeSupervisor, words: str, shown: list[str]
) -> None:
    shop.containers = both()
    verb, *rest = words.split()
    ran = compose(verb, "--dry-run", *rest)
    prefix = " DRY-RUN MODE -  Container shop-"
    assert (ran.code, sorted(ran.err.splitlines())) == (0, [prefix + line for line in shown])
    assert compose("--dry-run", verb, *rest).err == ran.err
    assert not shop.plans


def test_up_is_shown_to_its_end(
    compose: Run, shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cntnr_compose.images.transports.transfer.check_source", lambda _name: None)
    ran = compose("up", "-d", "--dry-run")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.splitlines()[-1] == " DRY-RUN MODE -  Container shop-web-1  Started"
    attached = compose("up", "--dry-run")
    assert attached.out.startswith("end of 'compose up' output")
    assert "Created" in attached.err
    assert "Started" not in attached.err
    assert not shop.plans


def test_exec_is_shown(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = both()
    identity = shop.containers[0].record.id
    ran = compose("exec", "--dry-run", "-d", "db", "echo", 'a "b"')
    assert ran.out == (
        f' DRY-RUN MODE - Executing command ["echo" "a \\"b\\""] in {identity} (detached mode)\n'
    )
    ran = compose("--dry-run", "exec", "db", "echo")
    assert ran.code == 1
    assert "interactive exec is not supported in dry-run mode" in ran.err
    assert not shop.plans
