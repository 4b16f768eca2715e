"""Format what containers use for `stats`, in docker's words and columns."""

from cntnr_compose.cli.display.tables import format_size
from cntnr_compose.client.usage import Usage
from cntnr_compose.core.values import Bytes, Tree
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
        "MemUsage": f"{format_memory(usage.memory)} / {format_memory(usage.memory_limit)}",
        "Name": container.name,
        "NetIO": f"{format_size(usage.received)} / {format_size(usage.sent)}",
        "PIDs": str(usage.threads),
    }


def format_memory(count: Bytes) -> str:
    """Format memory with four digits and binary units, as docker: ``23.54GiB``."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if float(f"{value:.4g}") < 1024:
            return f"{value:.4g}{unit}"
        value /= 1024
    return f"{value:.4g}TiB"
