"""Hooks of a container: their output is emitted, their failure is an error."""

import asyncio
from typing import Any, cast

import pytest

from cntnr_compose.containers import hooks
from cntnr_compose.core.events import Event, Output
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Hook, Service

RECORD = Record(id="a", name="p-a-1", project="p", service="a", definition=Service(name="a"))


def run_hook(monkeypatch: pytest.MonkeyPatch, code: int | None) -> list[Event]:
    async def run_in_container(
        _context: object, _record: object, _hook: object, feed: Any
    ) -> int | None:
        feed(b"first\nlast")
        return code

    events: list[Event] = []
    monkeypatch.setattr(hooks, "run_in_container", run_in_container)
    hook = Hook(command=("true",))
    asyncio.run(hooks.run_hook(cast("Any", None), RECORD, "pre_stop", hook, events.append))
    return events


def test_the_output_of_a_hook_is_emitted_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_hook(monkeypatch, 0) == [
        Output(source="p-a-1", text="first"),
        Output(source="p-a-1", text="last"),
    ]


@pytest.mark.parametrize(
    ("code", "outcome"), [(4, "exited with code 4: first / last"), (None, "did not end")]
)
def test_a_hook_that_fails_is_an_error(
    monkeypatch: pytest.MonkeyPatch, code: int | None, outcome: str
) -> None:
    with pytest.raises(hooks.HookFailed, match=f"pre_stop hook of container p-a-1 {outcome}"):
        run_hook(monkeypatch, code)
