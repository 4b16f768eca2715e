"""Work that goes on to its end when its caller is cancelled."""

import asyncio

import pytest

from cntnr_compose.host import process


async def cancelled_twice(work: "asyncio.Task[str]") -> None:
    for _ in range(2):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        work.cancel()


def test_who_is_cancelled_waits_for_the_end_of_the_work() -> None:
    done: list[str] = []

    async def scene() -> None:
        go = asyncio.Event()

        async def work() -> str:
            await go.wait()
            done.append("done")
            return "done"

        task = asyncio.create_task(process.run_shielded(work()))
        await cancelled_twice(task)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert done == ["done"]


def test_its_result_and_its_failure_are_passed_on() -> None:
    async def fails() -> None:
        raise KeyError

    assert asyncio.run(process.run_shielded(asyncio.sleep(0, "it"))) == "it"
    with pytest.raises(KeyError):
        asyncio.run(process.run_shielded(fails()))


def test_a_failure_of_work_that_nobody_wants_any_more_is_not_lost() -> None:
    async def scene() -> BaseException | None:
        go = asyncio.Event()

        async def fails() -> None:
            await go.wait()
            raise KeyError

        task = asyncio.create_task(process.run_shielded(fails()))
        await cancelled_twice(task)
        go.set()
        try:
            await task
        except asyncio.CancelledError as error:
            return error.__cause__
        return None

    assert isinstance(asyncio.run(scene()), KeyError)
