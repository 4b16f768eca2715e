"""Format events as `docker compose events` and `docker events` print them: text, or JSON."""

import time

from cntnr_compose.core.events import ContainerEvent, ResourceEvent
from cntnr_compose.core.values import Seconds, Tree, to_json
from cntnr_compose.reconcile.labels import PREFIX

JSON_SCHEMA = 1  # of the lines of `events --json`: docs/streams.md
INTERNAL_ATTRIBUTES = {"health", "restarting"}  # for our own commands


def format_event(event: ContainerEvent) -> str:
    """Return the two lines of an event; docker compose prints an empty one, too.

    What cannot be printed is escaped: labels come from images, and must not forge lines.
    """
    seconds, microseconds = _split_time(event.time)
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    attributes = ", ".join(f"{key}={value}" for key, value in _attributes(event).items())
    line = f"{moment}.{microseconds:06} container {_action(event)} {event.id} ({attributes})"
    return _escape(line) + "\n\n"


def format_event_as_json(event: ContainerEvent) -> str:
    """Return the line of an event as a JSON object."""
    tree = {
        "action": _action(event),
        "attributes": _attributes(event),
        "id": event.id,
        "service": event.service,
        "time": _format_rfc3339(event.time),
        "type": "container",
        "schema": JSON_SCHEMA,
    }
    return to_json(tree).decode() + "\n"


def format_line(event: ContainerEvent | ResourceEvent) -> str:
    """Return the line of an event as `docker events` prints it, with all labels."""
    seconds, microseconds = _split_time(event.time)
    local = time.localtime(seconds)
    moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}.{microseconds:06}000{_zone(local)}"
    attributes = ", ".join(f"{key}={value}" for key, value in _actor(event).items())
    return _escape(f"{moment} {_type(event)} {_action(event)} {event.id} ({attributes})")


def describe_event(event: ContainerEvent | ResourceEvent) -> Tree:
    """Make the JSON object of an event, with docker's keys."""
    seconds, microseconds = _split_time(event.time)
    of_container = {
        "status": _action(event),
        "id": event.id,
        "from": event.attributes.get("image", ""),
    }
    return {
        **(of_container if isinstance(event, ContainerEvent) else {}),
        "Type": _type(event),
        "Action": _action(event),
        "Actor": {"ID": event.id, "Attributes": _actor(event)},
        "scope": "local",
        "time": seconds,
        "timeNano": (seconds * 1_000_000 + microseconds) * 1000,
    }


def _type(event: ContainerEvent | ResourceEvent) -> str:
    return event.type if isinstance(event, ResourceEvent) else "container"


def _action(event: ContainerEvent | ResourceEvent) -> str:
    health = event.attributes.get("health")
    return f"{event.action}: {health}" if health else event.action


def _attributes(event: ContainerEvent) -> dict[str, str]:
    """Return what docker tells of a container, by name: its image and name, its labels, its exit code."""
    return {key: value for key, value in _actor(event).items() if not key.startswith(PREFIX)}


def _actor(event: ContainerEvent | ResourceEvent) -> dict[str, str]:
    """Return the same with the labels that compose has set."""
    if isinstance(event, ResourceEvent):
        return dict(sorted(event.attributes.items()))
    own = {key: value for key, value in event.attributes.items() if key not in INTERNAL_ATTRIBUTES}
    return dict(sorted((event.labels | own | {"name": event.name}).items()))


def _split_time(moment: Seconds) -> tuple[int, int]:
    """Return whole seconds and microseconds."""
    return divmod(round(moment * 1_000_000), 1_000_000)


def _format_rfc3339(moment: Seconds) -> str:
    """Format a local time as Go does: no zeros at the end, Z for UTC."""
    seconds, microseconds = _split_time(moment)
    local = time.localtime(seconds)
    fraction = f".{microseconds:06}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S", local) + fraction + _zone(local)


def _zone(local: time.struct_time) -> str:
    zone = time.strftime("%z", local)
    return "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"


def _escape(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
