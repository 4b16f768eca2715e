"""Format what containers use for `stats`, in docker's words and columns."""

from cntnr_compose.cli.display.tables import format_binary_size, format_size
from cntnr_compose.client.usage import Usage
from cntnr_compose.core.values import Tree
from cntnr_compose.model.observed import Container

HEADINGS = {
    "ID": "CONTAINER ID",
    "Name": "NAME",
    "CPUPerc": "CPU %",
    "MemUsage": "MEM USAGE / LIMIT",
    "MemPerc": "MEM %",
    "NetIO": "NET I/O",
    "BlockIO": "BLOCK I/O",
    "PIDs": "PIDS",
}
SHORT_ID = 12


def describe_usage(
    container: Container, earlier: Usage, usage: Usage, *, truncate: bool = True
) -> Tree:
    """Describe what a container uses, in the fields of docker's ``--format json``."""
    identity = container.record.id
    memory_share = usage.memory / usage.memory_limit if usage.memory_limit else 0
    return {
        "BlockIO": f"{format_size(usage.read)} / {format_size(usage.written)}",
        "CPUPerc": f"{usage.cpu_share_since(earlier):.2%}",
        "Container": identity,
        "ID": identity[:SHORT_ID] if truncate else identity,
        "MemPerc": f"{memory_share:.2%}",
        "MemUsage": f"{format_binary_size(usage.memory)} / {format_binary_size(usage.memory_limit)}",
        "Name": container.name,
        "NetIO": f"{format_size(usage.received)} / {format_size(usage.sent)}",
        "PIDs": str(usage.threads),
    }
