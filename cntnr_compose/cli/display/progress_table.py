"""Lines of the live progress table: one for each resource, in a stable order."""

from cntnr_compose.core.events import Progress
from cntnr_compose.core.values import Bytes

BAR_WIDTH = 10
BAR_STEPS = " ⡀⣀⣄⣤⣦⣶⣷"
FINISHED_STATES = frozenset({"done", "warning", "error"})


class ProgressRow:
    """Progress of one resource: its last event, and since when."""

    def __init__(self, event: Progress, now: float) -> None:
        self.event = event
        self.started_at = now
        self.ended_at: float | None = None

    @property
    def state(self) -> str:
        """Return working, done, warning or error."""
        return self.event.state

    def elapsed(self, now: float) -> float:
        """Return the seconds that it takes or took."""
        return (now if self.ended_at is None else self.ended_at) - self.started_at


class ProgressTable:
    """All rows, in the order of their first events."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ProgressRow] = {}

    def update(self, event: Progress, now: float) -> None:
        """Update the row of a resource, or add one."""
        row = self._rows.setdefault((event.kind, event.name), ProgressRow(event, now))
        if row.ended_at is not None and event.state == "working":
            row.started_at = now  # a second operation: it was created, now it is started
        if not event.detail and row.event.detail and event.state != "error":
            event = Progress(
                kind=event.kind,
                name=event.name,
                status=event.status,
                state=event.state,
                detail=row.event.detail,
                current=event.current,
                total=event.total,
            )
        row.event = event
        row.ended_at = now if event.state in FINISHED_STATES else None

    @property
    def header(self) -> str:
        """Return the line above the rows: ``[+] Running 2/5``."""
        rows = list(self._rows.values())  # a copy: another thread may add to them
        done = sum(row.state in FINISHED_STATES for row in rows)
        return f"[+] Running {done}/{len(rows)}"

    def visible_rows(self, height: int) -> list[ProgressRow]:
        """Return the rows that fit below the header; what is not done or has failed goes first.

        ``height`` counts the header; 0 means all rows.
        """
        rows = list(self._rows.values())
        if not height or len(rows) < height:
            return rows
        room = max(height - 2, 1)  # without the header and the line that counts hidden rows
        urgent = [row for row in rows if row.state != "done"][:room]
        finished = [row for row in rows if row.state == "done"]
        chosen = urgent + finished[len(finished) - (room - len(urgent)) :]
        return [row for row in rows if row in chosen]

    def hidden_count(self, height: int) -> int:
        """Return how many rows do not fit."""
        return len(self._rows) - len(self.visible_rows(height))

    def row_text(self, row: ProgressRow, width: int) -> str:
        """Format a row, cut at ``width``: the detail is cut first."""
        names = max(len(f"{kind} {name}".strip()) for kind, name in list(self._rows))
        event = row.event
        words = f"{f'{event.kind} {event.name}'.strip():<{names}}"
        # As in plain lines, what has no kind has its detail first: `web-1 Commit web-1 Committing`.
        texts = [event.status, event.detail] if event.kind else [event.detail, event.status]
        texts += [_amount(event)] if event.total and event.state == "working" else []
        words += "".join(f"  {text}" for text in texts if text)
        return words if len(words) <= width else f"{words[: max(width - 1, 0)]}…"


def _amount(event: Progress) -> str:
    """Format how far something is, as docker does: ``[⣿⣿⣀    ] 12.3MB / 63.1MB``."""
    steps = min(event.current, event.total) * BAR_WIDTH * len(BAR_STEPS) // event.total
    full, part = divmod(steps, len(BAR_STEPS))
    bar = "⣿" * full + (BAR_STEPS[part] if full < BAR_WIDTH else "")
    return f"[{bar:<{BAR_WIDTH}}] {_megabytes(event.current)} / {_megabytes(event.total)}"


def _megabytes(size: Bytes) -> str:
    return f"{size / 1e6:.1f}MB" if size >= 100_000 else f"{size / 1e3:.1f}kB"
