"""Turn SIGINT and SIGTERM into KeyboardInterrupt, from the first moment of the process on."""

# What `signal` is made of: a Ctrl-C could come while that is imported.
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
    """Raise KeyboardInterrupt in the calling thread, the main one, whenever one of the signals comes."""
    # Shells start background jobs with SIGINT ignored; like docker, we handle it all the same.
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGALRM):
        _signal.signal(number, _interrupt)
    sys.unraisablehook = _retry_interrupt


def wake_blocking_calls() -> None:
    """Interrupt blocking calls of the calling thread, the main one, whenever a signal comes that is handled.

    That needs help where another thread got the signal, or where it came just before the call. A pipe is
    made, so the standard streams have to be open.
    """
    _signal.signal(_signal.SIGURG, _ignore)
    readable, writable = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(readable, True)
    _signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    _thread.start_new_thread(_wake, (readable, _thread.get_ident()))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _ignore(_number: int, _frame: object) -> None:
    pass


def _retry_interrupt(error: "UnraisableHookArgs") -> None:
    """Raise a KeyboardInterrupt again a bit later, where Python could only drop it."""
    if error.exc_type is KeyboardInterrupt:
        _signal.setitimer(_signal.ITIMER_REAL, RETRY_DELAYS[0])
    else:
        sys.__unraisablehook__(error)


def _wake(readable: int, main: int) -> None:
    """Interrupt the blocking call of the main thread, a few times, whenever a signal is handled."""
    while True:
        for number in os.read(readable, 64):
            if number != _signal.SIGURG:  # ours
                for pause in RETRY_DELAYS:
                    time.sleep(pause)
                    _signal.pthread_kill(main, _signal.SIGURG)
