"""`stats` shows what containers use."""

from collections.abc import Iterable

import pytest

from cntnr_compose.cli.display.tables import format_binary_size
from cntnr_compose.cli.flows.container_views import usage_rounds
from cntnr_compose.client.usage import Usage
from cntnr_compose.model.observed import Container
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


@pytest.fixture(autouse=True)
def stand_in_for_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a container that runs use half a processor, and have 3 MiB of 6 GiB."""
    clock = [100.0]

    def measure(containers: Iterable[Container]) -> dict[str, Usage]:
        clock[0] += 1
        used = Usage(
            measured=clock[0], cpu_time=clock[0] / 2, memory=3 << 20, memory_limit=6 << 30,
            received=1500, sent=2, read=0, written=1 << 40, threads=4,
        )  # fmt: skip
        return {it.record.id: used if it.is_running else Usage() for it in containers}

    monkeypatch.setattr(usage_rounds, "measure", measure)
    monkeypatch.setattr(usage_rounds, "FIRST_INTERVAL", 0)
    monkeypatch.setattr(usage_rounds, "INTERVAL", 0)


def test_usage_is_a_row_of_each_container(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = [container("web", 2), container("web", 1), container("db", state="exited")]
    header, *lines = compose("stats", "--no-stream").out.splitlines()
    assert header.startswith("CONTAINER ID   NAME         CPU %     MEM USAGE / LIMIT   MEM %")
    assert [line.split()[1:] for line in lines] == [
        f"shop-web-{number} 50.00% 3MiB / 6GiB 0.05% 1.5kB / 2B 0B / 1.1TB 4".split()
        for number in (1, 2)
    ]
    assert "shop-db-1" in compose("stats", "--no-stream", "-a").out
    assert shop.calls == []  # no supervisor is asked, nor started


def test_a_container_that_has_just_appeared_has_used_nothing_yet() -> None:
    assert Usage(measured=5, cpu_time=3).cpu_share_since(Usage()) == 0
    assert Usage(measured=5, cpu_time=1).cpu_share_since(Usage(measured=4, cpu_time=3)) == 0


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (1 << 20, "1MiB"),
        (25277000000, "23.54GiB"),
        (1 << 52, "4096TiB"),
    ],
)
def test_memory_has_four_digits(count: int, text: str) -> None:
    assert format_binary_size(count) == text
