"""Signals interrupt a blocking call, whichever thread they come to."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import os, signal, sys, threading, time
from cntnr_compose.cli import signals

number = getattr(signal, sys.argv[1])
signals.wake_blocking_calls()
signal.signal(number, lambda *_: print("handled", flush=True) or os._exit(6))

def send():
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), number)  # the main thread's call is not interrupted

threading.Thread(target=send, daemon=True).start()
time.sleep(30)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGUSR1", "SIGWINCH"])
def test_every_signal_that_is_handled_wakes_the_main_thread(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name],
        cwd=ROOT, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("handled\n", "", 6)
