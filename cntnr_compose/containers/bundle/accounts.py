"""The users and groups that an image or a running container knows: its /etc/passwd and /etc/group."""

import contextlib
from collections.abc import Iterator

from cntnr_compose.containers.spec.users import UserUnknown
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes
from cntnr_compose.host.openat2 import NOT_A_REGULAR_FILE, Root

MAX_ACCOUNT_FILE_SIZE: Bytes = 1 << 20  # of either file; some twenty thousand users


class AccountsUnreadable(CntnrError):
    """A user or group is named, and the file that would have it cannot be read."""

    hint = "use a number, which needs no look at the file"

    def __init__(self, error: UserUnknown, why: str) -> None:
        super().__init__(
            f"unable to find {error.subject}: /etc/{error.file} in the container cannot be read: {why}"
        )


class AccountsUnfit(CntnrError):
    """A file of users is a pipe or a device: runc, which always opens it, would wait for ever."""

    hint = "every program that is started looks its user up there; make it a file, or remove it"

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot run a program: /etc/{name} in the container is no regular file")


@contextlib.contextmanager
def read_accounts(root: Root, *, runs: bool = True) -> Iterator[tuple[str, str]]:
    """Give both files for a block that looks users up; a file that cannot be read is empty.

    ``runs`` tells that a program is run afterwards. Raises `AccountsUnfit`, and `AccountsUnreadable`
    where the block misses somebody in a file that could not be read.
    """
    found = {name: _read_text(root, name, runs=runs) for name in ("passwd", "group")}
    try:
        yield found["passwd"][0], found["group"][0]
    except UserUnknown as error:
        why = found[error.file][1]
        if why:
            raise AccountsUnreadable(error, why) from error
        raise


def _read_text(root: Root, name: str, *, runs: bool) -> tuple[str, str]:
    """Read a file; give its text, and why it could not be read."""
    try:
        return root.read(f"etc/{name}", MAX_ACCOUNT_FILE_SIZE).decode(errors="replace"), ""
    except (FileNotFoundError, NotADirectoryError):
        return "", ""
    except OSError as error:
        if runs and error.errno == NOT_A_REGULAR_FILE:
            raise AccountsUnfit(name) from error
        return "", error.strerror or str(error)
