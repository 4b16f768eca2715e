"""Processes are looked up in /proc."""

import os

import pytest

from cntnr_compose.host import proc


def test_a_process_that_is_gone_has_no_start_time() -> None:
    assert proc.start_time(os.getpid()) > 0
    assert proc.start_time(2**22 + 1) == 0


def test_descendants_are_children_and_their_children() -> None:
    family = proc.find_descendants([os.getppid()])
    assert os.getpid() in family
    assert os.getppid() not in family
    assert proc.find_descendants([2**22 + 1]) == []
    assert proc.find_descendants([os.getppid()], [1, os.getpid()]) == [os.getpid()]
    assert proc.find_descendants([os.getppid()], [1, 2**22 + 1]) == []


def test_a_process_is_found_by_an_argument() -> None:
    argument = proc.command_line(os.getpid())[-1]
    assert os.getpid() in proc.find_by_argument(argument)
    assert proc.command_line(2**22 + 1) == []


def test_all_processes_are_listed_with_what_the_kernel_tells() -> None:
    own = proc.list_processes()[os.getpid()]
    assert (own.parent, own.start) == (os.getppid(), proc.start_time(os.getpid()))
    assert proc.status_numbers(os.getpid(), "Uid")[1] == os.geteuid()
    assert proc.status_numbers(2**22 + 1, "Uid") == []
    assert proc.namespace(os.getpid(), "mnt").startswith("mnt:[")
    assert proc.namespace(2**22 + 1, "mnt") == ""
    assert proc.boot_time() > 0


def test_a_process_may_call_itself_anything() -> None:
    text = b"7 (a) R 1 (\n) S 5 7 7 34816 7 4 0 0 0 0 30 12 0 0 20 0 1 0 999 0 0"
    stat = proc.parse_stat(7, text)
    assert stat.name == b"a) R 1 (\n"
    assert (stat.state, stat.parent, stat.terminal) == ("S", 5, 34816)
    assert (stat.cpu_time, stat.start) == (42, 999)


def test_ids_are_told_as_a_namespace_has_them() -> None:
    rows = [(0, 1001, 1), (1, 100000, 65536)]
    inside = [proc.map_id(number, rows, unmapped=-1) for number in (1001, 100069, 7)]
    assert inside == [0, 70, -1]
    assert proc.read_id_map(os.getpid(), "gid")[0][:2] >= (0, 0)
    with pytest.raises(FileNotFoundError):
        proc.read_id_map(2**22 + 1)
