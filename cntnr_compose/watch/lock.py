"""Hold the lock of the only command that watches a project."""

import os

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files


class AlreadyWatched(CntnrError):
    """Another command watches the project already."""

    def __init__(self, project: str, pid: str) -> None:
        super().__init__(
            f'cannot take exclusive lock for project "{project}": '
            f"process with PID {pid} is still running"
        )


class WatchLock:
    """The lock of a project, with our pid in it."""

    def __init__(self, project: str) -> None:
        """Acquire it. Raises `AlreadyWatched`."""
        self._path = paths.watch_lock(project)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = files.acquire_lock(self._path)
        if descriptor is None:
            raise AlreadyWatched(project, self._path.read_text(errors="replace").strip())
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Release it."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
