"""Wait for the kernel's notifications of changes in folders. The one home of watchfiles.

Folders are named one by one: watchfiles itself would follow symbolic links out of the tree, and
would not leave out what is ignored.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from cntnr_compose.core.values import Seconds

STEP: Seconds = 0.05  # this long without another notification ends a batch
LONGEST_BATCH: Seconds = 1


class EventsLost(Exception):
    """Notifications cannot be read any more: start again, and look at everything."""


class FolderEvents(Protocol):
    """Notifications of changes in a set of folders."""

    def wait(self, timeout: Seconds) -> set[str]:
        """Wait for a batch of paths that may have changed; empty after the time, or when it is to stop.

        Raises `EventsLost`.
        """
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


class NotifiedFolders:
    """Folders that the kernel watches for us."""

    def __init__(self, folders: Iterable[str], is_stopped: Callable[[], bool]) -> None:
        """Watch folders, without those in them.

        Raises `OSError`, also where the kernel watches no more folders for this user.
        """
        from watchfiles._rust_notify import RustNotify

        self._stop = _StopTest(is_stopped)
        try:
            self._notify = RustNotify(
                sorted(folders),
                False,  # noqa: FBT003 - no debug output
                False,  # noqa: FBT003 - no polling
                0,
                False,  # noqa: FBT003 - not recursive
                True,  # noqa: FBT003 - unreadable folders are passed over
            )
        except (RuntimeError, UnicodeEncodeError) as error:
            raise OSError(str(error)) from error

    def wait(self, timeout: Seconds) -> set[str]:
        """Wait for a batch. Raises `EventsLost`, and KeyboardInterrupt on a signal."""
        step = int(STEP * 1000)
        try:
            batch = self._notify.watch(
                int(LONGEST_BATCH * 1000), step, max(int(timeout * 1000), step), self._stop
            )
        except RuntimeError as error:  # as of a file name that is not UTF-8
            raise EventsLost(str(error)) from error
        if batch == "signal":
            raise KeyboardInterrupt
        return set() if isinstance(batch, str) else {path for _, path in batch}

    def close(self) -> None:
        """Stop watching."""
        self._notify.close()


class _StopTest:
    """What watchfiles asks between two steps whether to go on."""

    def __init__(self, is_stopped: Callable[[], bool]) -> None:
        self.is_set = is_stopped
