"""`exec`, `logs`, `attach` and `wait` of single containers: what is asked for, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.cli.flows.containers.log_output import log_details
from cntnr_compose.cli.parser.since_until import TailUnreadable, parse_log_range
from cntnr_compose.client.exec import run as client_exec
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.model.protocol import ExecCommand
from cntnr_compose.model.service import Logging
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container, service


@pytest.fixture
def there(supervisor: FakeSupervisor) -> Iterator[FakeSupervisor]:
    """Have a container that runs, and one that has ended."""
    files.remove_tree(paths.data())
    supervisor.containers = [container("web"), container("db", state="exited", exit_code=3)]
    for each in supervisor.containers:
        records.write_record(each.record)
    yield supervisor
    files.remove_tree(paths.data())


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    calls: list[tuple[object, ...]] = []

    def fake(command: ExecCommand, program: str, name: str, **more: Any) -> int:
        calls.append((command.argv, program, name, more))
        return 9

    monkeypatch.setattr(client_exec, "run_exec", fake)
    return calls


def test_exec_asks_for_what_its_options_say(
    cntnr: Run,
    there: FakeSupervisor,
    ran: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINE", "m")
    (tmp_path / "vars").write_text("A=file\nB=file\n")
    words = ("-e", "A=b=c", "-e", "MINE", "-e", "NOBODYS", "--env-file", str(tmp_path / "vars"))
    call = ("exec", *words, "-u", "1:2", "-w", "/x", "--privileged", "shop-web-1", "sh", "-c", "-e")
    assert cntnr(*call).code == 9
    (request,) = there.execs
    assert (request.container, request.command) == ("shop-web-1", ("sh", "-c", "-e"))
    assert request.environment == {"A": "b=c", "B": "file", "MINE": "m"}
    assert (request.user, request.working_dir, request.privileged) == ("1:2", "/x", True)
    plain = {"detach": False, "interactive": False, "detach_keys": None}
    assert ran == [(("runc", "exec"), "sh", "shop-web-1", plain)]


def test_exec_has_a_terminal_only_where_it_is_asked_for(
    cntnr: Run, there: FakeSupervisor, ran: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "the input device is not a TTY" in cntnr("exec", "-it", "shop-web-1", "sh").err
    assert not there.execs
    assert cntnr("exec", "-t", "--detach-keys", "ctrl-a,b", "shop-web-1", "sh").code == 9
    assert (there.execs[-1].tty, ran[-1][-1]["detach_keys"]) == (True, b"\x01b")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    cntnr("exec", "-it", "shop-web-1", "sh")
    assert (there.execs[-1].tty, ran[-1][-1]["detach_keys"]) == (True, b"\x10\x11")
    cntnr("exec", "-dt", "shop-web-1", "sh")
    assert (there.execs[-1].tty, ran[-1][-1]["detach_keys"]) == (False, None)


def test_wait_prints_codes_and_attach_refuses_what_does_not_run(
    cntnr: Run, there: FakeSupervisor
) -> None:
    assert there.containers
    waited = cntnr("wait", "shop-db-1", "nosuch")
    assert (waited.code, waited.out) == (1, "3\n")
    assert waited.err == "error: No such container: nosuch\n"
    assert "You cannot attach to a stopped container" in cntnr("attach", "shop-db-1").err


def test_details_are_the_labels_and_variables_that_logging_names() -> None:
    definition = service(
        "web",
        logging=Logging(driver="json-file", options={"labels": "b,none", "env": "A,IMAGE,UNSET"}),
        environment={"A": "1 2", "UNSET": None},
    )
    shown = container(
        definition=definition, labels={"b": "x", "c": "y"}, image_config={"Env": ["IMAGE=i", "A=0"]}
    )
    assert log_details(shown.record) == "A=1+2,IMAGE=i,b=x"
    assert log_details(container().record) == ""


def test_lines_are_those_of_the_end_and_between_two_times() -> None:
    values = {"tail": "5", "since": "1700000000", "until": ""}
    chosen = parse_log_range(values)
    assert (chosen.tail, chosen.since, chosen.until) == (5, 1_700_000_000 * 10**9, None)
    assert parse_log_range({**values, "tail": "-1"}).tail is None
    with pytest.raises(TailUnreadable):
        parse_log_range({**values, "tail": "x"})
