"""Format containers for `ps`: table rows and JSON objects, in docker's words."""

import time
from collections.abc import Mapping

from cntnr_compose.cli.display import container_text
from cntnr_compose.cli.display.tables import truncate
from cntnr_compose.core.values import Seconds, Tree
from cntnr_compose.model.observed import Container

HEADER = ("NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS")
MOUNT_LENGTH = 15


def table_row(container: Container, now: Seconds, *, trunc: bool = True) -> tuple[str, ...]:
    """Format a container as a row below `HEADER`."""
    fields = container_text.describe_columns(container.listed(), now, trunc=trunc)
    return (
        container.name,
        container.record.image,
        fields["Command"],
        container.record.service,
        fields["RunningFor"],
        fields["Status"],
        fields["Ports"],
    )


def json_object(container: Container, now: Seconds, *, trunc: bool = True) -> Tree:
    """Make the JSON object of a container, with docker's keys in docker's order."""
    record, status = container.record, container.status
    fields = container_text.describe_columns(container.listed(), now, trunc=trunc)
    return {
        "Command": fields["Command"],
        "CreatedAt": _format_time(record.created),
        "ExitCode": status.exit_code,
        "Health": status.health,
        "ID": fields["ID"],
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
        "Ports": fields["Ports"],
        "Project": record.project,
        "Publishers": list_publishers(container),
        "RunningFor": fields["RunningFor"],
        "Service": record.service,
        "Size": "0B",
        "State": status.state,
        "Status": fields["Status"],
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
        for target, protocol in container_text.exposed_ports(container.listed())
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
