"""Processes are looked up in /proc."""

import os

from cntnr_compose.host import proc


def test_a_process_that_is_gone_has_no_start_time() -> None:
    assert proc.start_time(os.getpid()) > 0
    assert proc.start_time(2**22 + 1) == 0


def test_descendants_are_children_and_their_children() -> None:
    family = proc.find_descendants([os.getppid()])
    assert os.getpid() in family
    assert os.getppid() not in family
    assert proc.find_descendants([2**22 + 1]) == []


def test_a_process_is_found_by_an_argument() -> None:
    argument = proc.command_line(os.getpid())[-1]
    assert os.getpid() in proc.find_by_argument(argument)
    assert proc.command_line(2**22 + 1) == []
