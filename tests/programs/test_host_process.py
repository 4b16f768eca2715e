"""The one door to outside programs."""

import asyncio
import time
from pathlib import Path

import pytest

from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.host import process
from tests.fakes.programs import Programs


def test_output_and_input_are_passed(programs: Programs) -> None:
    programs.add("echoer", "cat; echo warned >&2")
    done = process.run(["echoer", "x"], stdin=b"hello")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello", "warned\n")


def test_a_failure_tells_how_to_see_it_again(programs: Programs) -> None:
    programs.add("failer", "echo no luck >&2; exit 4")
    with pytest.raises(CommandFailed, match="failer ended with status 4: no luck") as caught:
        process.run(["failer", "a b"])
    assert caught.value.hint == "to see it again: failer 'a b'"
    assert process.run(["failer"], ok=(4,)).returncode == 4


def test_a_program_that_is_killed_has_a_reason(programs: Programs) -> None:
    programs.add("victim", "kill -KILL $$")
    with pytest.raises(CommandFailed, match=r"victim was killed by signal 9 \(Killed\)") as caught:
        asyncio.run(process.run_async(["victim"]))
    assert caught.value.reason == "victim was killed by signal 9 (Killed)"


def test_a_missing_program_is_named(programs: Programs) -> None:
    with pytest.raises(ProgramMissing, match="cannot find the program not-there"):
        process.run(["not-there"])
    with pytest.raises(ProgramMissing):
        asyncio.run(process.run_async(["not-there"]))
    with pytest.raises(ProgramMissing):
        process.find_program("not-there")


def test_programs_see_a_small_environment(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    programs.add("teller", 'echo "${SECRET:-unset} ${MORE:-unset}"')
    assert process.run(["teller"], env=process.base_env(MORE="y")).stdout == "unset y\n"


def test_time_is_limited(programs: Programs) -> None:
    programs.add("sleeper", "exec sleep 30")
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        process.run(["sleeper"], timeout=0.1)
    assert time.monotonic() - begun < 5


def test_a_cancelled_program_is_gone(programs: Programs, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    programs.add("sleeper", f"echo $$ >{pid}; exec sleep 30")

    async def cancel() -> None:
        task = asyncio.create_task(process.run_async(["sleeper"]))
        while not pid.exists() or not pid.read_text():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


def test_the_failure_of_a_clean_up_hides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail(what: str) -> None:
        raise OSError(what)

    async def work() -> None:
        try:
            await fail("the first")
        except BaseException:
            await process.clean_up(fail("the clean-up's"))
            raise

    with pytest.raises(OSError, match="the first"):
        asyncio.run(work())
    stderr = capsys.readouterr().err
    assert "the first" in stderr
    assert "the clean-up's" in stderr
