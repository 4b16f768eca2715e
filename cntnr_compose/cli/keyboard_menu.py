"""Show keys below the output of an attached `up` on a terminal, and read them."""

import contextlib
import io
import os
import signal
import sys
import termios
import tty
from typing import Any, TextIO, cast

ERASE_LINE = b"\r\x1b[2K"
KEY_STYLE, LABEL_STYLE, NO_STYLE = "\x1b[1;7m", "\x1b[2m", "\x1b[0m"


class KeyboardMenu:
    """One line of keys, which is erased while anything else is written to the terminal.

    While it is taken, the terminal passes keys at once and does not show them. It is as before while this
    process is suspended, and when it is released.
    """

    def __init__(self, *, coloured: bool = True) -> None:
        """Use standard input and output, which have to be a terminal: see `is_possible`."""
        self._input = sys.stdin.fileno()
        self._output = sys.stdout.fileno()
        self._coloured = coloured
        self._labels: dict[str, str] = {}  # by key
        self._is_shown = False
        self._settings: list[Any] | None = None
        self._handlers: dict[int, Any] = {}

    @staticmethod
    def is_possible() -> bool:
        """Return whether there is a terminal whose keys are for us."""
        try:
            is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
            return is_terminal and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
        except OSError:
            return False

    @property
    def is_taken(self) -> bool:
        """Return whether keys are read."""
        return self._settings is not None

    def wrap(self, stream: TextIO) -> TextIO:
        """Return a stream to the terminal that erases the menu before it writes."""
        return cast("TextIO", _TextAboveMenu(stream, self))

    def take(self) -> None:
        """Read keys from now on."""
        self._handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._suspend)
        self._take_keyboard()

    def release(self) -> None:
        """Erase the menu, and leave the terminal as it was."""
        self._labels = {}
        self.hide()
        self._return_keyboard()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._input

    def read_keys(self) -> str:
        """Return the keys that were pressed."""
        try:
            return os.read(self._input, 64).decode(errors="replace")
        except OSError:  # the terminal is gone
            return ""

    def show(self, labels: dict[str, str]) -> None:
        """Show what each key does."""
        if labels != self._labels:
            self.hide()
            self._labels = labels
        if not self._is_shown and labels:
            os.write(self._output, b"\r" + self._text().encode())
            self._is_shown = True

    def hide(self) -> None:
        """Erase the menu before something is written."""
        if self._is_shown:
            self._is_shown = False
            os.write(self._output, ERASE_LINE)

    def _text(self) -> str:
        if not self._coloured:
            return "   ".join(f"{key} {label}" for key, label in self._labels.items())
        return "   ".join(
            f"{KEY_STYLE}{key}{NO_STYLE}{LABEL_STYLE} {label}{NO_STYLE}"
            for key, label in self._labels.items()
        )

    def _take_keyboard(self) -> None:
        with contextlib.suppress(termios.error):
            self._settings = termios.tcgetattr(self._input)
            tty.setcbreak(self._input, termios.TCSADRAIN)

    def _return_keyboard(self) -> None:
        if self._settings is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._input, termios.TCSADRAIN, self._settings)
            self._settings = None

    def _suspend(self, number: int, _frame: object) -> None:
        """Stop this process until the shell lets it go on."""
        labels = self._labels
        self.hide()
        self._return_keyboard()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._suspend)
        self._take_keyboard()
        self.show(labels)


class _TextAboveMenu(io.TextIOBase):
    """A text stream to the terminal that erases the menu before it writes."""

    def __init__(self, stream: TextIO, menu: KeyboardMenu) -> None:
        self._stream = stream
        self._menu = menu
        self.buffer = _BytesAboveMenu(stream, menu)

    def write(self, text: str) -> int:
        """Write a text."""
        self._menu.hide()
        return self._stream.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream.isatty()


class _BytesAboveMenu(io.BufferedIOBase):
    """Like `_TextAboveMenu`, for bytes."""

    def __init__(self, stream: TextIO, menu: KeyboardMenu) -> None:
        self._stream = stream.buffer
        self._menu = menu

    def write(self, data: Any) -> int:
        """Write bytes."""
        self._menu.hide()
        return self._stream.write(data)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()


def create_menu(*, coloured: bool) -> KeyboardMenu | None:
    """Create the menu, where the terminal's keys are for us."""
    return KeyboardMenu(coloured=coloured) if KeyboardMenu.is_possible() else None
