"""Forked children keep only the descriptors that they are to keep."""

import os

from cntnr_compose.host import forks


def test_a_child_has_no_other_descriptors_than_it_is_given() -> None:
    readable, writable = os.pipe()
    lock = os.memfd_create("lock")  # like the lock of a file: held while anyone has it open
    child = forks.fork_child((writable,))
    if child == 0:
        kept = [number for number in range(1024) if _is_open(number)]
        os.write(writable, repr(kept).encode())
        os._exit(0)
    os.close(writable)
    os.close(lock)
    with os.fdopen(readable) as reply:
        assert reply.read() == repr(sorted({0, 1, 2, writable}))
    assert os.waitpid(child, 0)[1] == 0


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
