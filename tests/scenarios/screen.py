"""Helpers of the scenarios about graphical programs: an X server without a screen, and what it shows."""

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.scenarios.lib import Result, User, wait_until

SOCKETS = Path("/tmp/.X11-unix")
SIZE = (320, 240)
HEADER = struct.Struct(">25I")
GEOMETRY = re.compile(r"(\d+)x(\d+)\+\d+\+\d+ +\+(-?\d+)\+(-?\d+)$")


class Window(NamedTuple):
    """Place and size of a window."""

    x: int
    y: int
    width: int
    height: int


class Screen:
    """A virtual screen, and the programs that look at it."""

    def __init__(self, user: User, number: int) -> None:
        self._user = user
        self.display = f":{number}"

    def ask(self, program: str, *words: str) -> Result:
        """Run an X client of the machine."""
        return self._user.run(program, "-display", self.display, *words)

    def window(self, name: str) -> Window | None:
        """Find a window by its name; return None while it is not shown."""
        for line in self.ask("xwininfo", "-root", "-tree").ok().stdout.splitlines():
            place = GEOMETRY.search(line)
            if place and f'"{name}"' in line:
                width, height, x, y = map(int, place.groups())
                return Window(x, y, width, height)
        return None

    def pixels(self) -> list[bytes]:
        """Take a screenshot; return its rows, of four bytes a pixel."""
        path = self._user.home / "screen.xwd"
        self.ask("xwd", "-root", "-silent", "-out", str(path)).ok()
        content = path.read_bytes()
        path.unlink()
        head = HEADER.unpack_from(content)
        width, height, depth, row = head[4], head[5], head[11], head[12]
        assert ((width, height), depth) == (SIZE, 32)
        start = head[0] + 12 * head[19]  # the header with the name, then the colours
        return [content[start + row * y :][: 4 * width] for y in range(height)]

    def shows(self, name: str, empty: list[bytes]) -> bool:
        """Return whether a window is there, differs from the empty screen, and has something drawn in it."""
        window = self.window(name)
        if window is None:
            return False
        before, after = _cut(empty, window), _cut(self.pixels(), window)
        colours = {row[at : at + 4] for row in after for at in range(0, len(row), 4)}
        return before != after and len(colours) > 1


def _cut(rows: list[bytes], window: Window) -> list[bytes]:
    begin, end = 4 * max(window.x, 0), 4 * (window.x + window.width)
    return [row[begin:end] for row in rows[max(window.y, 0) : window.y + window.height]]


@contextmanager
def virtual_screen(user: User) -> Iterator[Screen]:
    """Run Xvfb as the user, for whom alone it is open, on the first number that is free."""
    if os.getuid() == 0 and not SOCKETS.exists():
        SOCKETS.mkdir()  # as each X server does that root starts
        SOCKETS.chmod(0o1777)
    argv = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
    argv += ["-nolisten", "tcp", "-nolisten", "local", "-noreset"]
    pipe = subprocess.PIPE
    server = user.popen(*argv, lasting=True, stdout=pipe, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        yield Screen(user, int(server.stdout.readline()))
    finally:
        server.terminate()
        server.communicate(timeout=10)


def copy_program(name: str, into: Path) -> None:
    """Copy a program of the machine and the libraries that it needs, each to where it lies here."""
    program = shutil.which(name)
    assert program is not None, f"there is no {name}"
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    for path in [program, *re.findall(r"/\S+", linked.stdout)]:
        # /lib is a link to /usr/lib in the image, and a folder cannot replace it.
        place = Path(path).parent.resolve() / Path(path).name
        target = into / place.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def wait_for_window(screen: Screen, name: str, empty: list[bytes]) -> None:
    """Wait until a screenshot shows a window."""
    wait_until(lambda: screen.shows(name, empty), every=0.2, what=f"the window {name} is shown")
