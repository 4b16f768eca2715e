"""Events of a project are told to all who follow it, and the latest are kept."""

from typing import Any, cast

from cntnr_compose.containers.state.project_context import MAX_HISTORY, ProjectContext
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Service

RECORD = Record(
    id="a" * 64,
    name="shop-web-1",
    project="shop",
    service="web",
    oneoff=True,
    labels={"own": "label"},
    definition=Service(name="web"),
)


def test_the_latest_events_are_kept_and_tell_of_labels() -> None:
    context = ProjectContext("shop", cast("Any", None), cast("Any", None))
    told: list[ContainerEvent] = []
    context.subscribers.append(told.append)
    for number in range(MAX_HISTORY + 10):
        context.emit_event(RECORD, "die", exitCode=str(number))
    assert list(context.history) == told[10:]
    assert (told[0].oneoff, told[0].labels) == (True, {"own": "label"})
