"""The lines that a terminal shows while something is done: one for each thing, in a stable order."""

from cntnr_compose.core.events import Progress

FINISHED_STATES = frozenset({"done", "warning", "error"})


class ProgressRow:
    """One thing: what it is, how it does, since when."""

    def __init__(self, event: Progress, now: float) -> None:
        self.event = event
        self.started_at = now
        self.ended_at: float | None = None

    @property
    def state(self) -> str:
        """Give working, done, warning or error."""
        return self.event.state

    def elapsed(self, now: float) -> float:
        """Tell how long it takes or took."""
        return (now if self.ended_at is None else self.ended_at) - self.started_at


class ProgressTable:
    """All lines, in the order in which things first moved."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ProgressRow] = {}

    def update(self, event: Progress, now: float) -> None:
        """Change a thing's line, or add one."""
        row = self._rows.setdefault((event.kind, event.name), ProgressRow(event, now))
        if row.ended_at is not None and event.state == "working":
            row.started_at = now  # it was created before, and is started now
        if not event.detail and row.event.detail and event.state != "error":
            event = Progress(
                kind=event.kind,
                name=event.name,
                status=event.status,
                state=event.state,
                detail=row.event.detail,
            )
        row.event = event
        row.ended_at = now if event.state in FINISHED_STATES else None

    @property
    def header(self) -> str:
        """Count: ``[+] Running 2/5``."""
        rows = list(self._rows.values())  # at once: another thread may add to them
        done = sum(row.state in FINISHED_STATES for row in rows)
        return f"[+] Running {done}/{len(rows)}"

    def visible_rows(self, height: int) -> list[ProgressRow]:
        """Give the lines that fit below a header: what still moves or failed goes first.

        ``height`` counts the header; 0 means: all.
        """
        rows = list(self._rows.values())
        if not height or len(rows) < height:
            return rows
        room = max(height - 2, 1)  # the header, and the line that counts the others
        urgent = [row for row in rows if row.state != "done"][:room]
        finished = [row for row in rows if row.state == "done"]
        chosen = urgent + finished[len(finished) - (room - len(urgent)) :]
        return [row for row in rows if row in chosen]

    def hidden_count(self, height: int) -> int:
        """Tell how many lines do not fit."""
        return len(self._rows) - len(self.visible_rows(height))

    def row_text(self, row: ProgressRow, width: int) -> str:
        """Give a line's words, as long as there is room: the detail is cut first."""
        names = max(len(f"{kind} {name}") for kind, name in list(self._rows))
        event = row.event
        words = f"{f'{event.kind} {event.name}':<{names}}  {event.status}"
        if event.detail:
            words += f"  {event.detail}"
        return words if len(words) <= width else f"{words[: max(width - 1, 0)]}…"
