"""Makes KeyboardInterrupt of SIGINT and SIGTERM at every moment; it runs first, and reads little."""

# What signal is made of: to read that takes so long that a Ctrl-C comes in between.
import _signal  # type: ignore[import-not-found]
import _thread
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sys import UnraisableHookArgs

RETRY_DELAYS = (0.001, 0.01, 0.1)  # seconds


def install_handlers() -> None:
    """Raise KeyboardInterrupt in the main thread, which calls this, whenever one of the signals comes."""
    # Shells start background jobs with SIGINT ignored; as docker, we take it all the same.
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGALRM):
        _signal.signal(number, _interrupt)
    sys.unraisablehook = _ignored


def wake_blocking_calls() -> None:
    """Have the main thread, which calls this, notice what it hears also while it waits for something.

    For that it has to be woken where another thread got the signal, or where it came just before the wait
    began. It makes a pipe, so the standard streams have to be open.
    """
    _signal.signal(_signal.SIGURG, _nothing)
    readable, writable = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(readable, True)
    _signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    _thread.start_new_thread(_wake, (readable, _thread.get_ident()))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _nothing(_number: int, _frame: object) -> None:
    pass


def _ignored(what: "UnraisableHookArgs") -> None:
    """Where an interruption was raised where Python can but forget it, raise it once more a bit later."""
    if what.exc_type is KeyboardInterrupt:
        _signal.setitimer(_signal.ITIMER_REAL, RETRY_DELAYS[0])
    else:
        sys.__unraisablehook__(what)


def _wake(readable: int, main: int) -> None:
    """Interrupt what the main thread waits for, a few times, whenever a signal has come."""
    while True:
        for number in os.read(readable, 64):
            if number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGALRM):
                for pause in RETRY_DELAYS:
                    time.sleep(pause)
                    _signal.pthread_kill(main, _signal.SIGURG)
