"""What an attached `up` does beside printing output: watch files, and obey keys."""

from typing import TYPE_CHECKING, Self

from cntnr_compose.cli.display.log_printer import LogPrinter
from cntnr_compose.cli.display.progress import ProgressDisplay
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Output, WarningEvent
from cntnr_compose.watch.lock import WatchLock
from cntnr_compose.watch.process import ENDS, SOURCE, WatchJob, WatchProcess

if TYPE_CHECKING:
    from cntnr_compose.cli.keyboard_menu import KeyboardMenu
    from cntnr_compose.client.follow import Selectable

ENTER = "\r\n"


class UpControls:
    """The watch process and the keyboard of an attached `up`, of which either may be absent."""

    def __init__(
        self,
        job: WatchJob,
        printer: LogPrinter,
        display: ProgressDisplay,
        menu: "KeyboardMenu | None",
    ) -> None:
        """Take what to watch, and where to print."""
        self._job = job
        self._printer = printer
        self._display = display
        self._menu = menu
        self._watch: WatchProcess | None = None
        self._lock: WatchLock | None = None
        self.is_detached = False  # by a key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching, and leave the terminal as it was."""
        self.close()

    def prepare_watch(self) -> None:
        """Remember the files as they are now, and watch them after `start_watch`. Raises `AlreadyWatched`."""
        self._lock = WatchLock(self._job.project.name)
        self._watch = WatchProcess(self._job)

    def start_watch(self) -> None:
        """Begin to copy and watch, when the containers run."""
        if self._watch is not None:
            self._watch.start()

    @property
    def readers(self) -> "list[Selectable]":
        """Return what `handle` is to be called for when it is readable."""
        keys: list[Selectable] = [self._menu] if self._menu and self._menu.is_taken else []
        return [*keys, *(self._watch.readers if self._watch else [])]

    def handle(self) -> None:
        """Print what came from the watch process, and do what was typed; show the menu again."""
        self._print_watch_output()
        if self._watch is not None and self._watch.has_ended():
            if self._watch.exit_code not in ENDS:
                self._display.show_warning("watching ended unexpectedly")
            self._end_watch()
        if self._menu is None:
            return
        from cntnr_compose.client.follow import is_readable

        if self._menu.is_taken and is_readable(self._menu):
            keys = self._menu.read_keys()
            if not keys:  # the terminal is gone
                self._menu.release()
            for key in keys:
                self._obey(key)
        self.show_menu()

    def close(self) -> None:
        """Stop watching, and leave the terminal as it was."""
        self._end_watch()
        if self._menu is not None:
            self._menu.release()

    def take_keyboard(self) -> None:
        """Read keys from now on, and show which there are."""
        if self._menu is not None:
            self._menu.take()
            self.show_menu()

    def show_menu(self) -> None:
        """Show what the keys do, unless a container has begun a line there."""
        if self._menu is not None and self._menu.is_taken and not self._printer.has_open_line:
            label = "Disable Watch" if self._watch else "Enable Watch"
            self._menu.show({"w": label, "d": "Detach"})

    def _obey(self, key: str) -> None:
        if key in ENTER:
            self._printer.print_message("")
        elif key == "d":
            self.is_detached = True
        elif key == "w" and self._watch is not None:
            self._end_watch()
            self._printer.print_watch("Watch disabled")
        elif key == "w":
            self._enable_watch()

    def _enable_watch(self) -> None:
        from cntnr_compose.watch.rules import check_rules

        try:
            check_rules(self._job.project.select(self._job.services))
            self.prepare_watch()
            self.start_watch()
        except CntnrError as error:
            self._printer.print_watch(str(error))

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.interrupt()
            self._print_watch_output()
            self._watch.close()
            self._watch = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _print_watch_output(self) -> None:
        if self._watch is None:
            return
        for line in self._watch.out.read_lines():
            self._printer.print_message(line.decode(errors="replace"))
        for line in self._watch.err.read_lines():
            self._display.print_line(line.decode(errors="replace"))
        for event in self._watch.read_events():
            match event:
                case Output(source=source, text=text) if source == SOURCE:
                    self._printer.print_watch(text)
                case Output(text=text):
                    self._printer.print_message(text)
                case WarningEvent(text=text):
                    self._display.show_warning(text)
                case _:
                    pass
