"""What processes use is read from /proc."""

import os

from cntnr_compose.client import usage
from cntnr_compose.host import proc


def test_this_process_uses_memory_and_processor() -> None:
    stats = [proc.list_processes()[os.getpid()]]
    assert usage.read_memory(stats) > 1 << 20
    assert usage.read_memory(stats) < usage.read_total_memory()
    assert usage.read_cpu_time(stats) > 0
    read, written = usage.read_disk_io(stats)
    assert read >= 0 <= written
    received, sent = usage.read_network(os.getpid())
    assert received >= 0 <= sent


def test_a_process_that_is_gone_uses_nothing() -> None:
    stat = proc.ProcessStat(
        pid=2**22 + 1, parent=1, name=b"x", state="S", terminal=0, cpu_time=0, start=1
    )
    assert usage.read_memory([stat]) == 0
    assert usage.read_disk_io([stat]) == usage.read_network(stat.pid) == (0, 0)
