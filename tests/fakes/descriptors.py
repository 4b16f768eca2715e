"""Look at the open files of this process."""

import contextlib
import os


def open_files(prefix: str) -> list[str]:
    """List open files whose path begins so, to see none left; other tests open and close others meanwhile."""
    targets = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            targets.append(os.readlink(f"/proc/self/fd/{number}"))
    return [target for target in targets if target.startswith(prefix)]
