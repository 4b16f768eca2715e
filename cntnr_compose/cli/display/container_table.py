"""Containers as `ps` tells them: one row each, with docker's words."""

import time
from collections.abc import Mapping

from cntnr_compose.cli.display.tables import format_age, format_ports, truncate
from cntnr_compose.core.units import parse_port_range
from cntnr_compose.core.values import Seconds, Tree
from cntnr_compose.model.observed import Container

HEADER = ("NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS")
COMMAND_LENGTH = 20
# As Go quotes a text, which is how docker does it.
ESCAPES = str.maketrans(
    {chr(code): f"\\x{code:02x}" for code in (*range(32), 127)}
    | {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)
MOUNT_LENGTH = 15


def format_status(container: Container, now: Seconds) -> str:
    """Say how a container does: ``Up 5 minutes (healthy)``, ``Exited (0) 2 hours ago``."""
    found = container.status
    match found.state:
        case "running":
            health = {"": "", "starting": " (health: starting)"}.get(
                found.health, f" ({found.health})"
            )
            return f"Up {format_age(now - found.started)}{health}"
        case "paused":
            return f"Up {format_age(now - found.started)} (Paused)"
        case "restarting":
            return f"Restarting ({found.exit_code}){_since(found.finished, now)}"
        case "exited":
            return f"Exited ({found.exit_code}){_since(found.finished, now)}"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
        case _:
            return "Created"


def _since(moment: Seconds, now: Seconds) -> str:
    """Say how long ago it was; nothing where nobody saw it happen."""
    return f" {format_age(now - moment)} ago" if moment else ""


def format_command(container: Container, *, trunc: bool = True) -> str:
    """Quote a container's command as docker does, cut to twenty characters."""
    program, *arguments = container.record.command or ("",)
    words = " ".join([program, *(f"'{one}'" if " " in one else one for one in arguments)])
    return f'"{(truncate(words, COMMAND_LENGTH) if trunc else words).translate(ESCAPES)}"'


def exposed_ports(container: Container) -> list[tuple[int, str]]:
    """List the ports that a container listens on by its own account."""
    found = []
    image = container.record.image_config.get("ExposedPorts") or {}
    for text in (*container.record.definition.expose, *image):
        number, _, protocol = text.partition("/")
        first, last = parse_port_range(number) or (0, -1)
        found += [(port, protocol or "tcp") for port in range(first, last + 1)]
    return list(dict.fromkeys(found))


def table_row(container: Container, now: Seconds, *, trunc: bool = True) -> tuple[str, ...]:
    """Give the row of the table."""
    record = container.record
    return (
        record.name,
        record.image,
        format_command(container, trunc=trunc),
        record.service,
        f"{format_age(now - record.created)} ago",
        format_status(container, now),
        format_ports(container.status.published, exposed_ports(container)),
    )


def json_object(container: Container, now: Seconds, *, trunc: bool = True) -> Tree:
    """Give the JSON object, with docker's keys in docker's order."""
    record, found = container.record, container.status
    identity = record.id[:12] if trunc else record.id
    published = format_ports(found.published, exposed_ports(container))
    return {
        "Command": format_command(container, trunc=trunc),
        "CreatedAt": _stamp(record.created),
        "ExitCode": found.exit_code,
        "Health": found.health,
        "ID": identity,
        "Image": record.image,
        "Labels": _joined(record.labels),
        "LocalVolumes": str(sum(one.type == "volume" for one in record.mounts)),
        "Mounts": ",".join(
            truncate(one.source, MOUNT_LENGTH) if trunc else one.source for one in record.mounts
        ),
        "Name": record.name,
        "Names": record.name,
        "Networks": ",".join(sorted(record.networks.values())) or _shared_network(container),
        "Ports": published,
        "Project": record.project,
        "Publishers": list_publishers(container),
        "RunningFor": f"{format_age(now - record.created)} ago",
        "Service": record.service,
        "Size": "0B",
        "State": found.state,
        "Status": format_status(container, now),
    }


def list_publishers(container: Container) -> list[Tree]:
    """List published ports, and exposed ones that are not published, lowest first."""
    published = container.status.published
    found = [
        {
            "URL": one.url,
            "TargetPort": one.target,
            "PublishedPort": one.published,
            "Protocol": one.protocol,
        }
        for one in published
    ]
    taken = {(one.target, one.protocol) for one in published}
    for target, protocol in exposed_ports(container):
        if (target, protocol) not in taken:
            found.append(
                {"URL": "", "TargetPort": target, "PublishedPort": 0, "Protocol": protocol}
            )
    return sorted(found, key=lambda one: (int(one["TargetPort"]), not one["URL"], str(one["URL"])))


def _shared_network(container: Container) -> str:
    mode = container.record.definition.network_mode
    return mode if mode in ("host", "none") else ""


def _joined(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _stamp(seconds: Seconds) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(seconds))
