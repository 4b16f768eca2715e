"""Time `watch`: one changed file, and many, until they are in the container."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from tests.scenarios.lib import wait_until

SLEEP = "86398"  # so that the container's process is found by its command line
SERVICE = f"""
services:
  watched:
    image: busybox:latest
    command: [sleep, '{SLEEP}']
    stop_signal: KILL
    develop: {{watch: [{{path: ./watched, action: sync, target: /watched}}]}}
"""
SINGLE_CHANGES = 5
MANY, PER_FOLDER = 10_000, 100


class Tool(Protocol):
    """A compose tool."""

    def start(self, folder: Path, *words: str) -> "subprocess.Popen[str]":
        """Start a command in a project's folder."""
        ...


def time_watch(tool: Tool, folder: Path, note: Callable[[str, float], None]) -> None:
    """Bring the service up, change files, and note the seconds."""
    watched = folder / "watched"
    watched.mkdir()
    process = tool.start(folder, "-f", "watch.yaml", "watch")
    try:
        assert process.stdout is not None
        _read_until(process.stdout, "Watch enabled")
        target = _container_root() / "watched"
        for number in range(SINGLE_CHANGES):
            time.sleep(1.5)  # so that it is a batch of its own
            begun = time.perf_counter()
            (watched / f"single{number}").write_text("x")
            wait_until((target / f"single{number}").exists, every=0.002)
            note("watch, one changed file", time.perf_counter() - begun)
        _write_many(folder / "many")
        begun = time.perf_counter()
        (folder / "many").rename(watched / "many")
        wait_until(lambda: _count(target / "many") == MANY, timeout=120, every=0.02)
        note("watch, 10,000 files", time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        subprocess.run(["rm", "-rf", watched], check=True)


def _read_until(stream: IO[str], text: str) -> None:
    for line in stream:
        if text in line:
            return


def _container_root() -> Path:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cmdline").read_bytes() == f"sleep\0{SLEEP}\0".encode():
                return entry / "root"
        except OSError:
            continue
    sys.exit("bench: the watched container does not run")


def _write_many(folder: Path) -> None:
    for number in range(MANY):
        place = folder / str(number // PER_FOLDER)
        if not number % PER_FOLDER:
            place.mkdir(parents=True)
        (place / f"f{number}").write_bytes(b"x" * 1000)


def _count(folder: Path) -> int:
    try:
        return sum(len(os.listdir(folder / name)) for name in os.listdir(folder))  # noqa: PTH208
    except FileNotFoundError:
        return 0
