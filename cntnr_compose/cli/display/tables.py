"""Format tables, ages, sizes and ports as docker prints them.

Imports nothing heavy: `ps` prints its table before it has imported a library.
"""

from cntnr_compose.core.frozen import Bytes, Seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cntnr_compose.model.listed import Publication

GAP = 3
# Lowest count of hours for the next unit, hours in a unit, and its name.
LONG_UNITS = (
    (48, 1, "hour"),
    (24 * 14, 24, "day"),
    (24 * 60, 24 * 7, "week"),
    (24 * 730, 24 * 30, "month"),
)


def format_table(
    header: "Sequence[str]", rows: "Iterable[Sequence[str]]", *, min_width: int = 20, gap: int = GAP
) -> list[str]:
    """Align columns with ``gap`` spaces; no column but the last is narrower than ``min_width``."""
    lines = [header, *rows]
    widths = [
        max(min_width, *(len(line[column]) + gap for line in lines))
        for column in range(len(header))
    ]
    return [
        "".join(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=False))
        + line[-1]
        for line in lines
    ]


def format_age(seconds: Seconds) -> str:
    """Format a duration in one unit: ``Less than a second``, ``About an hour``, ``3 weeks``."""
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return _count(int(seconds), "second")
    minutes, hours = int(seconds / 60), int(seconds / 3600 + 0.5)
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours == 1:
        return "About an hour"
    for limit, length, unit in LONG_UNITS:
        if hours < limit:
            return _count(hours // length, unit)
    return _count(int(seconds / 3600) // (24 * 365), "year")


def format_size(count: Bytes) -> str:
    """Format a size with three digits and decimal units, as docker: ``7.8MB``."""
    return _format_scaled(count, 1000, 3, ("B", "kB", "MB", "GB", "TB"))


def format_binary_size(count: Bytes) -> str:
    """Format memory with four digits and binary units, as docker: ``23.54GiB``."""
    return _format_scaled(count, 1024, 4, ("B", "KiB", "MiB", "GiB", "TiB"))


def _format_scaled(count: Bytes, step: int, digits: int, units: "Sequence[str]") -> str:
    """Format a number in the first unit in which it is below ``step``, or in the largest."""
    value, (*smaller, largest) = float(count), units
    for unit in smaller:
        text = f"{value:.{digits}g}"
        if float(text) < step:
            return f"{text}{unit}"
        value /= step
    return f"{value:.{digits}g}{largest}"


def _count(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def truncate(text: str, length: int) -> str:
    """Cut a text that is too long; an ellipsis is its last character."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def format_ports(published: "Iterable[Publication]", exposed: "Iterable[tuple[int, str]]") -> str:
    """Format ports as docker does: ``6379/tcp, 0.0.0.0:80->80/tcp, 0.0.0.0:8080->90/tcp``.

    Consecutive ports are joined to a range where host and container port are the same; those that differ
    come last, one by one.
    """
    ports = [(target, url, host_port, protocol) for url, target, host_port, protocol in published]
    published_ports = {(target, protocol) for target, _, _, protocol in ports}
    ports += [
        (port, "", 0, protocol)
        for port, protocol in exposed
        if (port, protocol) not in published_ports
    ]
    open_ranges: dict[tuple[str, str], tuple[int, int]] = {}
    ranges, mapped = [], []
    for target, url, host_port, protocol in sorted(set(ports)):
        if url and host_port != target:
            mapped.append(f"{_host(url)}:{host_port}->{target}/{protocol}")
            continue
        first, last = open_ranges.get((url, protocol), (target, target - 1))
        if target != last + 1:
            ranges.append(_format_range(url, protocol, first, last))
            first = target
        open_ranges[url, protocol] = (first, target)
    ranges += [_format_range(*key, *ends) for key, ends in open_ranges.items()]
    return ", ".join(ranges + mapped)


def _format_range(url: str, protocol: str, first: int, last: int) -> str:
    text = str(first) if first == last else f"{first}-{last}"
    return f"{_host(url)}:{text}->{text}/{protocol}" if url else f"{text}/{protocol}"


def _host(url: str) -> str:
    return f"[{url}]" if ":" in url else url
