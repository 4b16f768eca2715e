"""Read the users and groups of an image or a running container: its /etc/passwd and /etc/group."""

import contextlib
from collections.abc import Iterator

from cntnr_compose.containers.spec.users import UserUnknown
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes
from cntnr_compose.host.openat2 import NOT_A_REGULAR_FILE, Root

MAX_ACCOUNT_FILE_SIZE: Bytes = 1 << 20  # some twenty thousand users


class AccountsUnreadable(CntnrError):
    """A user or group is given by name, and the file to look it up in cannot be read."""

    hint = "use a number, which needs no look at the file"

    def __init__(self, error: UserUnknown, why: str) -> None:
        super().__init__(
            f"unable to find {error.subject}: /etc/{error.file} in the container cannot be read: {why}"
        )


class AccountsUnfit(CntnrError):
    """passwd or group is a pipe or a device: runc, which always opens it, would wait for ever."""

    hint = "every program that is started looks its user up there; make it a file, or remove it"

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot run a program: /etc/{name} in the container is no regular file")


@contextlib.contextmanager
def read_accounts(root: Root, *, runs: bool = True) -> Iterator[tuple[str, str]]:
    """Yield the content of both files to a block that looks users up; empty if it cannot be read.

    ``runs`` tells that a program is run afterwards. Raises `AccountsUnfit`, and `AccountsUnreadable`
    if the block raises `UserUnknown` because of a file that could not be read.
    """
    contents = {name: _read_text(root, name, runs=runs) for name in ("passwd", "group")}
    try:
        yield contents["passwd"][0], contents["group"][0]
    except UserUnknown as error:
        why = contents[error.file][1]
        if why:
            raise AccountsUnreadable(error, why) from error
        raise


def _read_text(root: Root, name: str, *, runs: bool) -> tuple[str, str]:
    """Read a file; return its text, and why it could not be read."""
    try:
        return root.read(f"etc/{name}", MAX_ACCOUNT_FILE_SIZE).decode(errors="replace"), ""
    except (FileNotFoundError, NotADirectoryError):
        return "", ""
    except OSError as error:
        if runs and error.errno == NOT_A_REGULAR_FILE:
            raise AccountsUnfit(name) from error
        return "", error.strerror or str(error)
