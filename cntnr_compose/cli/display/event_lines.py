"""Format events of containers as `docker compose events` prints them: text, or JSON."""

import time

from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.core.values import Seconds, to_json
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


def _action(event: ContainerEvent) -> str:
    health = event.attributes.get("health")
    return f"{event.action}: {health}" if health else event.action


def _attributes(event: ContainerEvent) -> dict[str, str]:
    """Return what docker tells of a container, by name: its image and name, its labels, its exit code."""
    labels = {key: value for key, value in event.labels.items() if not key.startswith(PREFIX)}
    own = {key: value for key, value in event.attributes.items() if key not in INTERNAL_ATTRIBUTES}
    return dict(sorted((labels | own | {"name": event.name}).items()))


def _split_time(moment: Seconds) -> tuple[int, int]:
    """Return whole seconds and microseconds."""
    return divmod(round(moment * 1_000_000), 1_000_000)


def _format_rfc3339(moment: Seconds) -> str:
    """Format a local time as Go does: no zeros at the end, Z for UTC."""
    seconds, microseconds = _split_time(moment)
    local = time.localtime(seconds)
    fraction = f".{microseconds:06}".rstrip("0").rstrip(".")
    zone = time.strftime("%z", local)
    zone = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    return time.strftime("%Y-%m-%dT%H:%M:%S", local) + fraction + zone


def _escape(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
