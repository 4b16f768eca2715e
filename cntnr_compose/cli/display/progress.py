"""Events to text on standard error: a live table, plain lines, JSON lines, or nothing.

The only importer of rich, and only where there is a terminal to draw on.
"""

import os
import sys
import time
from _thread import RLock  # `threading` takes a millisecond to import
from typing import TYPE_CHECKING, Self, TextIO

from cntnr_compose.cli.display.progress_table import ProgressTable
from cntnr_compose.core.events import ContainerEvent, Event, Output, Progress, WarningEvent

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import RenderableType
    from rich.live import Live

MARKS = {"done": ("✔", "green"), "warning": ("!", "yellow"), "error": ("✘", "red")}
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
REFRESHES = 10  # a second


class ProgressDisplay:
    """Draws nothing but warnings and the output of builds and hooks; base of the others.

    Images are pulled and built by several threads, which all tell: one of them draws at a time.
    """

    def __init__(self, out: TextIO, *, coloured: bool = False) -> None:
        self.stream = out
        self.lock = RLock()
        self.coloured = coloured
        self._warned: set[str] = set()
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        """Begin; nothing is drawn before the first event."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what was drawn as it is, and the terminal as it was."""
        self.finish()

    def emit(self, event: Event) -> None:
        """Draw an event; a warning is drawn once."""
        with self.lock:
            match event:
                case Progress():
                    self.show_progress(event)
                case WarningEvent(text=text):
                    if text not in self._warned:
                        self._warned.add(text)
                        self.show_warning(text)
                case Output():
                    self.show_output(event)
                case ContainerEvent():
                    pass

    def show_progress(self, event: Progress) -> None:
        """Draw that something moved on."""

    def show_output(self, event: Output) -> None:
        """Draw a line of a build or hook."""

    def show_warning(self, text: str) -> None:
        """Draw a warning, as docker's programs do."""
        if self.coloured:
            seconds = int(time.monotonic() - self._began)
            self.print_line(f"\x1b[33mWARN\x1b[0m[{seconds:04}] {text}")
        elif self.stream.isatty():
            self.print_line(f"WARN[{int(time.monotonic() - self._began):04}] {text}")
        else:
            self.print_line(f'time="{_now()}" level=warning msg="{_quoted(text)}"')

    def show_error(self, sentence: str, hint: str) -> bool:
        """Draw an error in a form of our own, and tell whether that was done."""
        del sentence, hint
        return False

    def finish(self) -> None:
        """End what moves, so that others can write on the terminal."""

    def print_line(self, text: str) -> None:
        """Write a line."""
        self.stream.write(text + "\n")
        self.stream.flush()


class PlainDisplay(ProgressDisplay):
    """One line for each event, in docker's form."""

    def __init__(self, out: TextIO, *, coloured: bool = False, prefix: str = "") -> None:
        super().__init__(out, coloured=coloured)
        self._prefix = prefix

    def show_progress(self, event: Progress) -> None:
        """Write `` Container x-web-1  Created``."""
        detail = f" ({event.detail})" if event.detail else ""
        self.print_line(f"{self._prefix} {event.kind} {event.name}  {event.status}{detail}")

    def show_output(self, event: Output) -> None:
        """Write the line behind its source."""
        self.print_line(f"{event.source} {event.text}")


class JsonDisplay(ProgressDisplay):
    """One JSON object for each event."""

    def show_progress(self, event: Progress) -> None:
        """Write id, status and, where there is one, the detail."""
        message = {"id": f"{event.kind} {event.name}", "status": event.status}
        self._write(message | ({"text": event.detail} if event.detail else {}))

    def show_output(self, event: Output) -> None:
        """Write the source and the text."""
        self._write({"id": event.source, "text": event.text})

    def show_warning(self, text: str) -> None:
        """Write a warning."""
        self._write({"level": "warning", "msg": text, "time": _now()})

    def show_error(self, sentence: str, hint: str) -> bool:
        """Write an error."""
        message: dict[str, object] = {"error": True, "message": sentence}
        self._write(message | ({"hint": hint} if hint else {}))
        return True

    def _write(self, message: object) -> None:
        from cntnr_compose.core.values import to_json

        self.print_line(to_json(message).decode())


class TerminalDisplay(ProgressDisplay):
    """One stable line for each thing, with its state and time, redrawn in place."""

    def __init__(self, out: TextIO, *, coloured: bool = False) -> None:
        super().__init__(out, coloured=coloured)
        self._table = ProgressTable()
        self._rich: RichConsole | None = None
        self._live: Live | None = None
        self._ended = False

    def show_progress(self, event: Progress) -> None:
        """Change the thing's line."""
        self._table.update(event, time.monotonic())
        if self._live is None:
            self._start()

    def show_output(self, event: Output) -> None:
        """Write a line of a build above the moving lines."""
        self.print_line(f"{event.source} {event.text}")

    def finish(self) -> None:
        """Draw every line a last time, and begin anew with the next event."""
        with self.lock:
            if self._live is not None:
                self._ended = True
                self._live.stop()
            self._live, self._ended, self._table = None, False, ProgressTable()

    def print_line(self, text: str) -> None:
        """Write a line above the moving ones."""
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
        """Draw the board. A thread of rich's calls it, while `settle` waits for that: it takes no lock."""
        from rich.text import Text

        assert self._rich is not None
        now, width = time.monotonic(), self._rich.width
        drawn = Text(no_wrap=True, overflow="crop")
        drawn.append(self._table.header, style="bold")
        height = 0 if self._ended else self._rich.height - 1
        for row in self._table.visible_rows(height):
            mark, colour = MARKS.get(row.state) or (SPINNER[int(now * 10) % len(SPINNER)], "cyan")
            seconds = f"{row.elapsed(now):.1f}s"
            text = self._table.row_text(row, width - len(seconds) - 4)
            drawn.append(f"\n {mark} ", style=colour)
            drawn.append(text.ljust(width - len(seconds) - 4))
            drawn.append(seconds, style="blue")
        hidden = self._table.hidden_count(height)
        if hidden:
            drawn.append(f"\n   … {hidden} more", style="dim")
        return drawn


def choose_display(progress: str, ansi: str, *, dry_run: bool = False) -> ProgressDisplay:
    """Choose the console for ``--progress`` and ``--ansi`` and for what standard error is."""
    out = sys.stdout if os.environ.get("COMPOSE_STATUS_STDOUT") == "1" else sys.stderr
    is_terminal = out.isatty() and os.environ.get("TERM") != "dumb"
    coloured = is_coloured(out, ansi)
    if progress == "json":
        return JsonDisplay(out)
    if progress == "quiet":
        return ProgressDisplay(out, coloured=coloured)
    if progress == "tty" or (progress == "auto" and is_terminal and ansi != "never"):
        return TerminalDisplay(out, coloured=coloured)
    return PlainDisplay(out, coloured=coloured, prefix=" DRY-RUN MODE -" if dry_run else "")


def choose_static_display(progress: str, ansi: str) -> ProgressDisplay:
    """Choose a console that moves nothing, for beside the output of containers."""
    return choose_display("plain" if progress in ("auto", "tty") else progress, ansi)


def is_coloured(out: TextIO, ansi: str = "auto") -> bool:
    """Tell whether to write colours: ``--ansi``, then ``NO_COLOR``, then what ``out`` is."""
    if ansi != "auto":
        return ansi == "always"
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
