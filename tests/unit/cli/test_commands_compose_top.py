"""`top` shows the processes of running containers."""

from collections.abc import Iterable

import pytest

from cntnr_compose.client import processes
from cntnr_compose.model.observed import Container
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container
from tests.unit.cli.test_display_process_table import process


@pytest.fixture(autouse=True)
def stand_in_for_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each container two processes."""

    def find(containers: Iterable[Container]) -> dict[str, list[processes.ContainerProcess]]:
        pair = [process(b"sh\x00"), process(b"sleep\x0010\x00")]
        return {it.record.id: pair for it in containers}

    monkeypatch.setattr(processes, "find_processes", find)


def test_processes_are_listed_by_container(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = [
        container("web", 2), container("web", 1), container("db", state="exited"),
    ]  # fmt: skip
    header, *lines = compose("top").out.splitlines()
    assert header.startswith("SERVICE  #   UID   PID  PPID  C   STIME")
    assert header.split()[7:] == ["TTY", "TIME", "CMD"]
    assert [line.split()[:5] for line in lines] == [
        ["web", number, "root", "7", "5"] for number in ("1", "1", "2", "2")
    ]
    assert [line.partition("00:00:30  ")[2] for line in lines] == ["sh", "sleep 10"] * 2
    assert shop.calls == []  # no supervisor is asked, nor started


def test_nothing_is_printed_where_nothing_runs(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = [container("web"), container("db", state="exited")]
    ran = compose("top", "db")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    wrong = compose("top", "nothing")
    assert (wrong.code, wrong.err) == (1, "error: no such service: nothing\n")
