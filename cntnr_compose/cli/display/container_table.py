"""Format containers for `ps`: table rows and JSON objects, in docker's words."""

import time
from collections.abc import Mapping

from cntnr_compose.cli.display.tables import format_age, format_ports, truncate
from cntnr_compose.core.units import parse_exposed_ports
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
    """Format the status of a container: ``Up 5 minutes (healthy)``, ``Exited (0) 2 hours ago``."""
    status = container.status
    match status.state:
        case "running":
            health = {"": "", "starting": " (health: starting)"}.get(
                status.health, f" ({status.health})"
            )
            return f"Up {format_age(now - status.started)}{health}"
        case "paused":
            return f"Up {format_age(now - status.started)} (Paused)"
        case "restarting":
            return f"Restarting ({status.exit_code}){_age_suffix(status.finished, now)}"
        case "exited":
            why = " (OOM killed)" if status.oom_killed else ""
            return f"Exited ({status.exit_code}){_age_suffix(status.finished, now)}{why}"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
        case _:
            return "Created"


def _age_suffix(time_of_event: Seconds, now: Seconds) -> str:
    """Format how long ago something was; "" where no time was recorded."""
    return f" {format_age(now - time_of_event)} ago" if time_of_event else ""


def format_command(container: Container, *, trunc: bool = True) -> str:
    """Quote a container's command as docker does, cut to twenty characters."""
    program, *arguments = container.record.command or ("",)
    words = " ".join([program, *(f"'{word}'" if " " in word else word for word in arguments)])
    return f'"{(truncate(words, COMMAND_LENGTH) if trunc else words).translate(ESCAPES)}"'


def exposed_ports(container: Container) -> list[tuple[int, str]]:
    """List the ports, with protocol, that the service or the image of a container exposes."""
    image_ports = container.record.image_config.get("ExposedPorts") or {}
    return parse_exposed_ports((*container.record.definition.expose, *image_ports))


def table_row(container: Container, now: Seconds, *, trunc: bool = True) -> tuple[str, ...]:
    """Format a container as a row below `HEADER`."""
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
    """Make the JSON object of a container, with docker's keys in docker's order."""
    record, status = container.record, container.status
    return {
        "Command": format_command(container, trunc=trunc),
        "CreatedAt": _format_time(record.created),
        "ExitCode": status.exit_code,
        "Health": status.health,
        "ID": record.id[:12] if trunc else record.id,
        "Image": record.image,
        "Labels": _join_labels(record.labels),
        "LocalVolumes": str(sum(mount.type == "volume" for mount in record.mounts)),
        "Mounts": ",".join(
            truncate(mount.source, MOUNT_LENGTH) if trunc else mount.source
            for mount in record.mounts
        ),
        "Name": record.name,
        "Names": record.name,
        "Networks": ",".join(sorted(record.networks.values())) or _host_or_no_network(container),
        "Ports": format_ports(status.published, exposed_ports(container)),
        "Project": record.project,
        "Publishers": list_publishers(container),
        "RunningFor": f"{format_age(now - record.created)} ago",
        "Service": record.service,
        "Size": "0B",
        "State": status.state,
        "Status": format_status(container, now),
    }


def list_publishers(container: Container) -> list[Tree]:
    """List published ports, and exposed ones that are not published, lowest first."""
    publications = container.status.published
    publishers = [
        {
            "URL": port.url,
            "TargetPort": port.target,
            "PublishedPort": port.published,
            "Protocol": port.protocol,
        }
        for port in publications
    ]
    published = {(port.target, port.protocol) for port in publications}
    publishers += [
        {"URL": "", "TargetPort": target, "PublishedPort": 0, "Protocol": protocol}
        for target, protocol in exposed_ports(container)
        if (target, protocol) not in published
    ]
    return sorted(
        publishers, key=lambda one: (int(one["TargetPort"]), not one["URL"], str(one["URL"]))
    )


def _host_or_no_network(container: Container) -> str:
    mode = container.record.definition.network_mode
    return mode if mode in ("host", "none") else ""


def _join_labels(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _format_time(seconds: Seconds) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(seconds))
