"""Leases on the store, and the collector's lock."""

import os
import time
from pathlib import Path

import pytest

from cntnr_compose.images import leases


def test_what_is_used_since_the_oldest_lease_is_kept(tmp_path: Path) -> None:
    with leases.collecting(tmp_path) as since:
        assert since == float("inf")
    with leases.hold_lease(tmp_path):
        [first] = (tmp_path / "leases").iterdir()
        os.utime(first, (1000, 1000))
        with leases.hold_lease(tmp_path), leases.collecting(tmp_path) as since:
            assert since == 1000 - leases.CLOCK_MARGIN
    with leases.collecting(tmp_path) as since:
        assert since == float("inf")
    assert list((tmp_path / "leases").iterdir()) == []


def test_a_lease_of_a_dead_process_counts_for_nothing_and_goes(tmp_path: Path) -> None:
    (tmp_path / "leases").mkdir()
    (tmp_path / "leases" / "dead").touch()
    with leases.collecting(tmp_path) as since:
        assert since == float("inf")
    assert list((tmp_path / "leases").iterdir()) == []


def test_the_collector_waits_for_those_who_hold_it_off_but_not_for_ever(tmp_path: Path) -> None:
    with leases.hold_off(tmp_path), leases.hold_off(tmp_path):  # noqa: SIM117
        with pytest.raises(leases.StoreBusy), leases.collecting(tmp_path, timeout=0.05):
            pass
    with leases.collecting(tmp_path) as since:
        assert since == float("inf")


def test_marks_tell_the_last_use(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    assert leases.last_use(path) == 0
    assert not leases.mark_used(path)
    path.touch()
    os.utime(path, (5, 5))
    assert leases.last_use(path) == 5
    assert leases.mark_used(path)
    assert leases.last_use(path) > time.time() - 60
