"""The menu on a terminal: it is erased before anything is written."""

import io
import os
import pty
import select
import termios

import pytest

from cntnr_compose.cli import keyboard_menu
from cntnr_compose.cli.keyboard_menu import KeyboardMenu


class Keyboard:
    """A terminal, and the menu on it."""

    def __init__(self, monkeypatch, *, coloured=False):
        self.ours, self.terminal = pty.openpty()
        stream = os.fdopen(os.dup(self.terminal), "r+b", buffering=0)
        self.text = io.TextIOWrapper(stream, write_through=True)
        monkeypatch.setattr(keyboard_menu.sys, "stdin", self.text)
        monkeypatch.setattr(keyboard_menu.sys, "stdout", self.text)
        self.menu = KeyboardMenu(coloured=coloured)

    @property
    def is_canonical(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ICANON)

    def shown(self):
        shown = ""
        while select.select([self.ours], [], [], 0 if shown else 5)[0]:  # it may come in pieces
            shown += os.read(self.ours, 1000).decode()
        return shown

    def close(self):
        self.menu.release()
        self.text.close()
        os.close(self.ours)
        os.close(self.terminal)


@pytest.fixture
def keyboard(monkeypatch):
    keyboard = Keyboard(monkeypatch)
    yield keyboard
    keyboard.close()


def test_keys_are_read_at_once_and_the_terminal_is_as_before_afterwards(keyboard):
    assert keyboard.is_canonical
    keyboard.menu.take()
    assert not keyboard.is_canonical
    assert keyboard.menu.is_taken
    os.write(keyboard.ours, b"w")
    assert keyboard.menu.read_keys() == "w"
    keyboard.menu.release()
    assert keyboard.is_canonical
    assert not keyboard.menu.is_taken


def test_it_is_erased_before_anything_is_written(keyboard):
    keyboard.menu.show({"w": "Enable Watch", "d": "Detach"})
    assert keyboard.shown() == "\rw Enable Watch   d Detach"
    keyboard.menu.show({"w": "Enable Watch", "d": "Detach"})  # it is there already
    out = keyboard.menu.wrap(keyboard.text)
    out.write("hello\n")
    assert keyboard.shown() == "\r\x1b[2Khello\r\n"
    out.buffer.write(b"again\n")
    assert keyboard.shown() == "again\r\n"
    keyboard.menu.show({"w": "Disable Watch"})
    assert keyboard.shown() == "\rw Disable Watch"
    keyboard.menu.release()
    assert keyboard.shown() == "\r\x1b[2K"


def test_colours(monkeypatch):
    keyboard = Keyboard(monkeypatch, coloured=True)
    keyboard.menu.show({"d": "Detach"})
    assert keyboard.shown() == "\r\x1b[1;7md\x1b[0m\x1b[2m Detach\x1b[0m"
    keyboard.close()


def test_a_pipe_has_no_keys(monkeypatch):
    monkeypatch.setattr(keyboard_menu.sys, "stdin", io.StringIO())
    assert not KeyboardMenu.is_possible()
