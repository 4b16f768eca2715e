"""Find the changes of files in batches: by notifications, and by a look at everything after each burst.

The kernel drops notifications when its queue is full, and there are none of files in a folder that is made
and filled at once. What it drops always follows what it did not: so after each burst, one look at all files.
"""

import time
from collections.abc import Callable

from cntnr_compose.core.values import Seconds
from cntnr_compose.watch.file_events import EventsLost, FolderEvents, NotifiedFolders
from cntnr_compose.watch.file_tree import FileTree

LOOK_AFTER: Seconds = 1  # without a change, after a burst
LOOK_SHARE = 20  # a look at everything is at most this part of the time
POLL_INTERVAL: Seconds = 1  # where the kernel does not notify
LONGEST_WAIT: Seconds = 60

StartEvents = Callable[[set[str], Callable[[], bool]], FolderEvents]


class FileChanges:
    """The changes of a tree of files, one batch after the other."""

    def __init__(
        self,
        tree: FileTree,
        *,
        is_stopped: Callable[[], bool] = lambda: False,
        on_polling: Callable[[str], None] = lambda _why: None,
        start: StartEvents = NotifiedFolders,
    ) -> None:
        """Watch a tree; ``on_polling`` hears why files are compared each second instead."""
        self._tree = tree
        self._is_stopped = is_stopped
        self._on_polling = on_polling
        self._start = start
        self._events: FolderEvents | None = None
        self._folders: set[str] = set()
        self._pending: set[str] = set()
        self._look_at = 0.0  # when to look at everything, 0: not needed
        self._is_polling = False
        self._follow_folders()
        self._pending |= self._tree.look_at_all()  # what changed before it was watched

    def close(self) -> None:
        """Stop watching."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def next_batch(self, timeout: Seconds = LONGEST_WAIT) -> set[str]:
        """Wait for changed paths; empty where there were none in this time, or when it is to stop."""
        end = time.monotonic() + timeout
        while not self._pending and not self._is_stopped():
            now = time.monotonic()
            if now >= end:
                break
            self._pending |= self._wait(min(end, self._look_at or end) - now)
        batch, self._pending = self._pending, set()
        return batch

    def _wait(self, timeout: Seconds) -> set[str]:
        """Wait for notifications or for the time of a look at everything; return what changed."""
        if self._is_polling:
            time.sleep(min(max(timeout, 0), POLL_INTERVAL))
            return self._look_at_all()
        assert self._events is not None
        try:
            paths = self._events.wait(timeout)
        except EventsLost:
            self.close()
            return self._look_at_all()
        if paths:
            changes = self._tree.look_at(paths)
            changes |= self._follow_folders()
            self._look_at = max(self._look_at, time.monotonic() + LOOK_AFTER)
            return changes
        if self._look_at and time.monotonic() >= self._look_at:
            return self._look_at_all()
        return set()

    def _look_at_all(self) -> set[str]:
        started = time.monotonic()
        changes = self._tree.look_at_all() | self._follow_folders()
        now = time.monotonic()
        # After a change there may be more that was missed.
        self._look_at = now + max(LOOK_AFTER, LOOK_SHARE * (now - started)) if changes else 0.0
        return changes

    def _follow_folders(self) -> set[str]:
        """Watch the folders that there are now; return what changed in new ones before they were watched."""
        changes: set[str] = set()
        while not self._is_polling:
            folders = self._tree.folders_to_watch()
            new = folders - self._folders
            if not new and len(folders) == len(self._folders) and self._events is not None:
                break
            if not self._watch(folders):
                continue
            changes |= self._tree.look_into(new)
        return changes

    def _watch(self, folders: set[str]) -> bool:
        """Watch exactly these folders: the new ones before the old ones are left alone."""
        try:
            events = self._start(folders, self._is_stopped)
        except FileNotFoundError:  # gone meanwhile
            self._pending |= self._tree.look_at_all()
            return False
        except OSError as error:
            self.close()
            self._is_polling = True
            self._on_polling(str(error))
            return False
        self.close()
        self._events, self._folders = events, folders
        return True
