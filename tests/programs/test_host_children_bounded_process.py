"""Programs whose output and offspring may be anything."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from cntnr_compose.containers.logs.program_output import TruncatedOutput
from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.host.children import bounded_process
from tests.fakes.programs import Programs

# Starts a script as runc does: its pid in a file, and without asking how it ended. (A shell may ask.)
STARTER = """exec python3 -SE -c '
import os, sys, time
pid = os.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", sys.argv[3]])
with open(sys.argv[2], "w") as file:
    file.write(str(pid))
time.sleep(float(sys.argv[1]))
' """


@pytest.fixture
def pid_file(programs: Programs, tmp_path: Path) -> Path:
    programs.add("starter", f'{STARTER} 0 "$@"')
    return tmp_path / "pid"


def run(
    pid_file: Path, script: str, *, within: float | None = None, limit: int = 100
) -> tuple[int, str]:
    output = TruncatedOutput(limit)

    async def run_in_time() -> int:
        async with asyncio.timeout(within):
            return await bounded_process.run_bounded(
                ["starter", str(pid_file), script], pid_file, output.feed
            )

    return asyncio.run(run_in_time()), output.text


def is_there(pid: int) -> bool:
    try:
        return b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_status_and_both_streams_are_those_of_what_was_started(pid_file: Path) -> None:
    assert run(pid_file, "echo a; echo b >&2; exit 7") == (7, "a\nb\n")
    assert run(pid_file, "kill -9 $$") == (128 + 9, "")


def test_a_program_may_end_before_its_starter(programs: Programs, pid_file: Path) -> None:
    programs.add("starter", f'{STARTER} 0.3 "$@"')
    assert run(pid_file, "exit 7") == (7, "")


def test_a_starter_that_fails_is_told(programs: Programs, pid_file: Path) -> None:
    programs.add("starter", "echo no; exit 126")
    assert run(pid_file, "") == (126, "no\n")
    with pytest.raises(ProgramMissing):
        asyncio.run(bounded_process.run_bounded(["not-there"], pid_file, lambda _: None))


def test_much_output_is_heard_and_forgotten(pid_file: Path) -> None:
    assert run(pid_file, "head -c 50000000 /dev/zero; exit 3", limit=2) == (3, "\0\0...")


def test_it_does_not_have_our_files(pid_file: Path, tmp_path: Path) -> None:
    with (tmp_path / "mine").open("w") as opened:
        os.set_inheritable(opened.fileno(), True)
        status, output = run(pid_file, "ls -l /proc/self/fd/", limit=5000)
    assert status == 0
    assert "mine" not in output


def test_who_is_left_behind_is_not_waited_for(pid_file: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    assert run(pid_file, f"sleep 30 & echo $! >{tmp_path}/left; echo said") == (0, "said\n")
    assert time.monotonic() - begun < 5
    left = int((tmp_path / "left").read_text())
    assert is_there(left)
    os.kill(left, 9)


def test_when_its_time_is_up_all_below_it_end(pid_file: Path, tmp_path: Path) -> None:
    script = (
        f"sleep 30 & echo $! >>{tmp_path}/pids; sh -c 'sleep 30' & echo $! >>{tmp_path}/pids; wait"
    )
    with pytest.raises(TimeoutError):
        run(pid_file, script, within=2)
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert not any(is_there(pid) for pid in pids)
