"""Show events on standard error: as a live table, plain lines, JSON lines, or not at all.

The one home of rich, which is imported only to draw on a terminal.
"""

import os
import sys
import time
from _thread import RLock  # `threading` takes a millisecond to import
from typing import TYPE_CHECKING, Self, TextIO

from cntnr_compose.cli.display.progress_table import ProgressTable
from cntnr_compose.core.events import (
    ContainerEvent,
    Event,
    Output,
    Progress,
    StepEnded,
    WarningEvent,
)

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import RenderableType
    from rich.live import Live

MARKS = {"done": ("✔", "green"), "warning": ("!", "yellow"), "error": ("✘", "red")}
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
REFRESHES = 10  # a second
JSON_SCHEMA = 1  # of the lines of `--progress json`: docs/streams.md
DRY_RUN_PREFIX = " DRY-RUN MODE - "


class ProgressDisplay:
    """Show warnings only; base of the other displays.

    Images are pulled and built by several threads, which all emit events; one of them draws at a time.
    """

    def __init__(self, stream: TextIO, *, coloured: bool = False, dry_run: bool = False) -> None:
        self.stream = stream
        self.lock = RLock()
        self.coloured = coloured
        self.dry_run = dry_run
        self._shown_warnings: set[str] = set()
        self._started_at = time.monotonic()

    def __enter__(self) -> Self:
        """Start; nothing is drawn before the first event."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; what was drawn stays, and the terminal is as before."""
        self.finish()

    def emit(self, event: Event) -> None:
        """Show an event; the same warning is shown once."""
        with self.lock:
            match event:
                case Progress():
                    self.show_progress(event)
                case WarningEvent(text=text):
                    if text not in self._shown_warnings:
                        self._shown_warnings.add(text)
                        self.show_warning(text)
                case Output():
                    self.show_output(event)
                case ContainerEvent() | StepEnded():
                    pass

    def show_progress(self, event: Progress) -> None:
        """Show the progress of a resource."""

    def show_output(self, event: Output) -> None:
        """Show a line of output of a build or hook."""

    def show_warning(self, text: str) -> None:
        """Show a warning in the form of docker's programs."""
        if self.coloured:
            seconds = int(time.monotonic() - self._started_at)
            self.print_line(f"\x1b[33mWARN\x1b[0m[{seconds:04}] {text}")
        elif self.stream.isatty():
            self.print_line(f"WARN[{int(time.monotonic() - self._started_at):04}] {text}")
        else:
            self.print_line(f'time="{_now()}" level=warning msg="{_escape(text)}"')

    def show_error(self, sentence: str, hint: str) -> bool:
        """Show an error in the form of the display; return False where the display has none."""
        del sentence, hint
        return False

    def finish(self) -> None:
        """Stop the live table, so that others can write to the terminal."""

    def print_line(self, text: str) -> None:
        """Write a line."""
        self.stream.write(text + "\n")
        self.stream.flush()


class PlainDisplay(ProgressDisplay):
    """Show one line for each event, in docker's form."""

    def show_progress(self, event: Progress) -> None:
        """Print `` Container x-web-1  Created``; without a kind `` web Skipped ``, as docker does."""
        prefix = DRY_RUN_PREFIX if self.dry_run else ""
        if event.total:  # how far something is: a line for each step of it says nothing
            return
        if not event.kind:
            self.print_line(f"{prefix} {event.name} {event.detail} {event.status}")
            return
        detail = f" ({event.detail})" if event.detail else ""
        self.print_line(f"{prefix} {event.kind} {event.name}  {event.status}{detail}")

    def show_output(self, event: Output) -> None:
        """Print the line behind its source."""
        self.print_line(_output_line(event))


class JsonDisplay(ProgressDisplay):
    """Show one JSON object for each event."""

    def show_progress(self, event: Progress) -> None:
        """Print id, status and, where there is one, the detail."""
        message: dict[str, object] = {"dry-run": True} if self.dry_run else {}
        message |= {"id": f"{event.kind} {event.name}".strip()}
        message |= {"status": event.status} if event.status else {}
        message |= {"text": event.detail} if event.detail else {}
        if event.total:
            percent = 100 * event.current // event.total
            message |= {"current": event.current, "total": event.total, "percent": percent}
        self._write(message | {"schema": JSON_SCHEMA})

    def show_output(self, event: Output) -> None:
        """Print source and text."""
        self._write({"id": event.source, "text": event.text, "schema": JSON_SCHEMA})

    def show_warning(self, text: str) -> None:
        """Print a warning."""
        self._write({"level": "warning", "msg": text, "time": _now()})

    def show_error(self, sentence: str, hint: str) -> bool:
        """Print an error."""
        message: dict[str, object] = {"error": True, "message": sentence}
        self._write(message | ({"hint": hint} if hint else {}))
        return True

    def _write(self, message: object) -> None:
        from cntnr_compose.core.values import to_json

        self.print_line(to_json(message).decode())


class TerminalDisplay(ProgressDisplay):
    """Show one line for each resource, with state and time, redrawn in place."""

    def __init__(self, stream: TextIO, *, coloured: bool = False, dry_run: bool = False) -> None:
        super().__init__(stream, coloured=coloured, dry_run=dry_run)
        self._table = ProgressTable()
        self._rich: RichConsole | None = None
        self._live: Live | None = None
        self._is_last_drawing = False

    def show_progress(self, event: Progress) -> None:
        """Update the row of the resource."""
        self._table.update(event, time.monotonic())
        if self._live is None:
            self._start()

    def show_output(self, event: Output) -> None:
        """Print a line of output above the table."""
        self.print_line(_output_line(event))

    def finish(self) -> None:
        """Draw the whole table a last time, and start another one with the next event."""
        with self.lock:
            if self._live is not None:
                self._is_last_drawing = True
                self._live.stop()
            self._live, self._is_last_drawing, self._table = None, False, ProgressTable()

    def print_line(self, text: str) -> None:
        """Print a line above the table."""
        with self.lock:
            if self._live is None or self._rich is None:
                super().print_line(text)
                return
            from rich.text import Text

            self._rich.print(Text.from_ansi(text), soft_wrap=True)

    def _start(self) -> None:
        from rich.console import Console as RichConsole
        from rich.live import Live

        self._rich = RichConsole(
            file=self.stream, force_terminal=True, no_color=not self.coloured, highlight=False
        )
        self._live = Live(
            get_renderable=self._render,
            console=self._rich,
            refresh_per_second=REFRESHES,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="visible",
        )
        self._live.start(refresh=True)

    def _render(self) -> "RenderableType":
        """Draw the table. A thread of rich's calls it, while `finish` waits for that: it takes no lock."""
        from rich.text import Text

        assert self._rich is not None
        now, width = time.monotonic(), self._rich.width
        prefix = DRY_RUN_PREFIX if self.dry_run else ""
        drawing = Text(no_wrap=True, overflow="crop")
        drawing.append(self._table.header, style="bold")
        height = 0 if self._is_last_drawing else self._rich.height - 1
        for row in self._table.visible_rows(height):
            mark, colour = MARKS.get(row.state) or (SPINNER[int(now * 10) % len(SPINNER)], "cyan")
            seconds = f"{row.elapsed(now):.1f}s"
            room = width - len(seconds) - len(prefix) - 4
            text = self._table.row_text(row, room)
            drawing.append(f"\n {mark} ", style=colour)
            drawing.append(prefix, style="cyan")
            drawing.append(text.ljust(room))
            drawing.append(seconds, style="blue")
        hidden = self._table.hidden_count(height)
        if hidden:
            drawing.append(f"\n   … {hidden} more", style="dim")
        return drawing


def choose_display(progress: str, ansi: str, *, dry_run: bool = False) -> ProgressDisplay:
    """Choose the display by ``--progress``, ``--ansi`` and by what standard error is."""
    on_stdout = os.environ.get("COMPOSE_STATUS_STDOUT", "").lower() in ("1", "t", "true")
    stream = sys.stdout if on_stdout else sys.stderr
    is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    coloured = is_coloured(stream, ansi)
    if progress == "json":
        return JsonDisplay(stream, dry_run=dry_run)
    if progress == "quiet":
        return ProgressDisplay(stream, coloured=coloured)
    if progress == "tty" or (progress == "auto" and is_terminal and ansi != "never"):
        return TerminalDisplay(stream, coloured=coloured, dry_run=dry_run)
    return PlainDisplay(stream, coloured=coloured, dry_run=dry_run)


def choose_static_display(progress: str, ansi: str) -> ProgressDisplay:
    """Choose a display without live table, for use beside the output of containers."""
    return choose_display("plain" if progress in ("auto", "tty") else progress, ansi)


def is_coloured(stream: TextIO, ansi: str = "auto") -> bool:
    """Tell whether to use colours: by ``--ansi``, then ``NO_COLOR``, then by what ``stream`` is."""
    if ansi != "auto":
        return ansi == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _output_line(event: Output) -> str:
    return f"{event.source} {event.text}" if event.source else event.text


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
