"""Tables, ages, sizes and ports as docker prints them."""

from collections.abc import Iterable, Sequence

from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.model.observed import Publication

GAP = 3
# Least count of hours for the next unit, hours in a unit, and its name.
LONG = (
    (48, 1, "hour"),
    (24 * 14, 24, "day"),
    (24 * 60, 24 * 7, "week"),
    (24 * 730, 24 * 30, "month"),
)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, narrow: int = 20) -> list[str]:
    """Align columns with spaces; ``narrow`` is the least width of a column."""
    lines = [header, *rows]
    widths = [
        max(narrow, *(len(line[column]) + GAP for line in lines)) for column in range(len(header))
    ]
    return [
        "".join(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=False))
        + line[-1]
        for line in lines
    ]


def ago(seconds: Seconds) -> str:
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


def size(count: Bytes) -> str:
    """Say a size with three digits and decimal units, as docker: ``7.8MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if float(f"{value:.3g}") < 1000:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g}TB"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def short(text: str, length: int) -> str:
    """Cut a text, with an ellipsis in its place."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def ports(published: Iterable[Publication], exposed: Iterable[tuple[int, str]]) -> str:
    """Say ports as docker does: ``0.0.0.0:8080->80/tcp, 6379/tcp``; neighbours are joined."""
    groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
    taken = set()
    for one in published:
        taken.add((one.target, one.protocol))
        groups.setdefault((one.url, one.protocol), []).append((one.target, one.published))
    for target, protocol in exposed:
        if (target, protocol) not in taken:
            groups.setdefault(("", protocol), []).append((target, 0))
    said = []
    for (url, protocol), pairs in groups.items():
        for (first, first_outside), (last, last_outside) in _runs(sorted(set(pairs))):
            inside = f"{first}" if first == last else f"{first}-{last}"
            if not url:
                said.append((first, f"{inside}/{protocol}"))
                continue
            outside = f"{first_outside}" if first == last else f"{first_outside}-{last_outside}"
            host = f"[{url}]" if ":" in url else url
            said.append((first, f"{host}:{outside}->{inside}/{protocol}"))
    return ", ".join(text for _, text in sorted(said, key=lambda one: one[0]))


def _runs(pairs: list[tuple[int, int]]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Join neighbours whose inner and outer ports both grow by one (or that have no outer port)."""
    runs: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for target, outside in pairs:
        if runs:
            first, (last, last_outside) = runs[-1]
            if target == last + 1 and outside == (last_outside + 1 if last_outside else 0):
                runs[-1] = (first, (target, outside))
                continue
        runs.append(((target, outside), (target, outside)))
    return runs
