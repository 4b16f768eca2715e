"""The file of events of networks and volumes: appended, followed, and not longer than it may be."""

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import event_log, files
from cntnr_compose.host.event_log import ResourceEventReader, note_resource_event


@pytest.fixture(autouse=True)
def nothing_there() -> None:
    files.remove_tree(paths.data())


def note(*names: str) -> None:
    for name in names:
        note_resource_event("volume", "create", name, {"driver": "local"})


def test_what_is_noted_is_read_once_and_torn_lines_are_passed_over() -> None:
    reader = ResourceEventReader()
    assert reader.read_history() == reader.read_new() == []
    note("a")
    with paths.resource_events().open("ab") as file:
        file.write(b'\n{"type":"vol')
    note("b")
    assert [event.id for event in reader.read_new()] == ["a", "b"]
    assert reader.read_new() == []
    later = ResourceEventReader()
    assert [(event.id, event.attributes) for event in later.read_history()] == [
        ("a", {"driver": "local"}), ("b", {"driver": "local"}),
    ]  # fmt: skip
    for each in (reader, later):
        each.close()


def test_it_is_put_aside_where_it_is_long_and_followed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_log, "MAX_SIZE", 4096)
    reader = ResourceEventReader()
    reader.read_history()
    names = [f"v{number}" for number in range(200)]
    seen = []
    for name in names:
        note(name)
        seen += [event.id for event in reader.read_new()]
    assert seen == names
    folder = paths.data()
    assert sorted(path.name for path in folder.iterdir()) == [
        "resource-events.1", "resource-events.jsonl", "resource-events.lock",
    ]  # fmt: skip
    assert all(path.stat().st_size < 5000 for path in folder.iterdir())
    later = ResourceEventReader()
    past = [event.id for event in later.read_history()]
    assert past == names[-len(past) :]
    assert len(past) > 20
    for each in (reader, later):
        each.close()


def test_a_place_that_cannot_be_written_keeps_nobody_from_anything() -> None:
    paths.resource_events().mkdir(parents=True)
    note("a")
    assert ResourceEventReader().read_history() == []
