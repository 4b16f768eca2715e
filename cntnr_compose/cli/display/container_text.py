"""Format what lists show of a container, in docker's words; choose which of them, and their columns.

Imports nothing heavy: `ps` prints its table before it has imported a library.
"""

from cntnr_compose.cli.display.tables import format_age, format_ports, truncate
from cntnr_compose.core.units import parse_exposed_ports
from cntnr_compose.model.listed import ListedContainer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    from cntnr_compose.core.frozen import Seconds
    from cntnr_compose.model.observed import Container

    C = TypeVar("C", Container, ListedContainer)

# Columns of `cntnr ps`, as fields of templates, and their headings.
COLUMNS = {
    "ID": "CONTAINER ID",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "RunningFor": "CREATED",
    "Status": "STATUS",
    "Ports": "PORTS",
    "Names": "NAMES",
}
MIN_WIDTH = 10  # of these columns
SHORT_ID = 12
COMMAND_LENGTH = 20
# As Go quotes a text, which is how docker does it.
ESCAPES = str.maketrans(
    {chr(code): f"\\x{code:02x}" for code in (*range(32), 127)}
    | {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)


def choose_containers(
    containers: "Iterable[C]", *, everything: bool, last: int, latest: bool
) -> "list[C]":
    """Return those that `ps` lists, the newest first: that run, all, or those that were created last."""
    newest_first = sorted(containers, key=lambda one: (-one.created, one.name))
    limit = 1 if latest and last <= 0 else last
    if limit > 0:
        return newest_first[:limit]
    return [one for one in newest_first if everything or one.is_running]


def format_ids(containers: "Iterable[ListedContainer]", *, trunc: bool) -> str:
    """Format ids, one a line."""
    return "".join(f"{short_id(one, trunc=trunc)}\n" for one in containers)


def short_id(container: ListedContainer, *, trunc: bool) -> str:
    """Return the id of a container, or its first digits."""
    return container.id[:SHORT_ID] if trunc else container.id


def describe_columns(container: ListedContainer, now: "Seconds", *, trunc: bool) -> dict[str, str]:
    """Return what stands in the `COLUMNS` of a container."""
    return {
        "ID": short_id(container, trunc=trunc),
        "Image": format_image(container, trunc=trunc),
        "Command": format_command(container, trunc=trunc),
        "RunningFor": f"{format_age(now - container.created)} ago",
        "Status": format_status(container, now),
        "Ports": describe_ports(container),
        "Names": container.name,
    }


def format_status(container: ListedContainer, now: "Seconds") -> str:
    """Format the status of a container: ``Up 5 minutes (healthy)``, ``Exited (0) 2 hours ago``."""
    match container.state:
        case "running":
            health = {"": "", "starting": " (health: starting)"}.get(
                container.health, f" ({container.health})"
            )
            return f"Up {format_age(now - container.started)}{health}"
        case "paused":
            return f"Up {format_age(now - container.started)} (Paused)"
        case "restarting":
            return f"Restarting ({container.exit_code}){_age_suffix(container.finished, now)}"
        case "exited":
            why = " (OOM killed)" if container.oom_killed else ""
            return f"Exited ({container.exit_code}){_age_suffix(container.finished, now)}{why}"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
        case _:
            return "Created"


def _age_suffix(time_of_event: "Seconds", now: "Seconds") -> str:
    """Format how long ago something was; "" where no time was recorded."""
    return f" {format_age(now - time_of_event)} ago" if time_of_event else ""


def format_command(container: ListedContainer, *, trunc: bool = True) -> str:
    """Quote a container's command as docker does, cut to twenty characters."""
    program, *arguments = container.command or ("",)
    words = " ".join([program, *(f"'{word}'" if " " in word else word for word in arguments)])
    return f'"{(truncate(words, COMMAND_LENGTH) if trunc else words).translate(ESCAPES)}"'


def exposed_ports(container: ListedContainer) -> list[tuple[int, str]]:
    """List the ports, with protocol, that the service or the image of a container exposes."""
    return parse_exposed_ports(container.exposed)


def describe_ports(container: ListedContainer) -> str:
    """Format the ports of a container that are published, and those that are only exposed."""
    return format_ports(container.published, exposed_ports(container))


def format_image(container: ListedContainer, *, trunc: bool) -> str:
    """Return the name of a container's image; an id or a digest is cut."""
    image = container.image
    if not image:
        return "<no image>"
    if not trunc:
        return image
    digits = container.image_id.removeprefix("sha256:")
    if image.removeprefix("sha256:").startswith(digits[:SHORT_ID] or " "):
        return digits[:SHORT_ID]
    name, _, digest = image.partition("@")
    return name if digest and ":" in name.rpartition("/")[2] else image
