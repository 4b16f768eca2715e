"""Tables, ages, sizes and ports as docker prints them."""

from collections.abc import Iterable, Sequence

from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.model.observed import PublishedPort

GAP = 3
# Least count of hours for the next unit, hours in a unit, and its name.
LONG = (
    (48, 1, "hour"),
    (24 * 14, 24, "day"),
    (24 * 60, 24 * 7, "week"),
    (24 * 730, 24 * 30, "month"),
)


def format_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, min_width: int = 20
) -> list[str]:
    """Align columns with spaces; ``narrow`` is the least width of a column."""
    lines = [header, *rows]
    widths = [
        max(min_width, *(len(line[column]) + GAP for line in lines))
        for column in range(len(header))
    ]
    return [
        "".join(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=False))
        + line[-1]
        for line in lines
    ]


def format_age(seconds: Seconds) -> str:
    """Say a length of time in one unit: ``Less than a second``, ``About an hour``, ``3 weeks``."""
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return _counted(int(seconds), "second")
    minutes, hours = int(seconds / 60), int(seconds / 3600 + 0.5)
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours == 1:
        return "About an hour"
    for least, length, unit in LONG:
        if hours < least:
            return _counted(hours // length, unit)
    return _counted(int(seconds / 3600) // (24 * 365), "year")


def format_size(count: Bytes) -> str:
    """Say a size with three digits and decimal units, as docker: ``7.8MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if float(f"{value:.3g}") < 1000:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g}TB"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def truncate(text: str, length: int) -> str:
    """Cut a text, with an ellipsis in its place."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def format_ports(published: Iterable[PublishedPort], exposed: Iterable[tuple[int, str]]) -> str:
    """Say ports as docker does: ``6379/tcp, 0.0.0.0:80->80/tcp, 0.0.0.0:8080->90/tcp``.

    Neighbours are joined where inside and outside are the same; those that differ come last, one by one.
    """
    known = list(published)
    taken = {(one.target, one.protocol) for one in known}
    found = [(one.target, one.url, one.published, one.protocol) for one in known]
    found += [(port, "", 0, kind) for port, kind in exposed if (port, kind) not in taken]
    groups: dict[tuple[str, str], tuple[int, int]] = {}
    joined, mapped = [], []
    for target, url, outside, protocol in sorted(set(found)):
        if url and outside != target:
            mapped.append(f"{_host(url)}:{outside}->{target}/{protocol}")
            continue
        first, last = groups.get((url, protocol), (target, target - 1))
        if target != last + 1:
            joined.append(_group(url, protocol, first, last))
            first = target
        groups[url, protocol] = (first, target)
    joined += [_group(url, protocol, *ends) for (url, protocol), ends in groups.items()]
    return ", ".join(joined + mapped)


def _group(url: str, protocol: str, first: int, last: int) -> str:
    text = str(first) if first == last else f"{first}-{last}"
    return f"{_host(url)}:{text}->{text}/{protocol}" if url else f"{text}/{protocol}"


def _host(url: str) -> str:
    return f"[{url}]" if ":" in url else url
