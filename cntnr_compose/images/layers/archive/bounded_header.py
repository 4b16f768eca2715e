"""Have `tarfile` refuse headers that would fill the memory, such as a name of a gigabyte.

Pass `BoundedHeader` as its ``tarinfo``. It overrides the method that `tarfile` itself says subclasses may
override: which other ones are called, and how much is read at a time, is other in each version of Python.
"""

import tarfile

from cntnr_compose.core.values import Bytes

MAX_HEADER: Bytes = 1 << 20  # of names and attributes of one member
HAVE_CONTENT = (*tarfile.REGULAR_TYPES, tarfile.GNUTYPE_SPARSE)
TOO_LONG = "a header is too long"


class BoundedHeader(tarfile.TarInfo):
    """A header whose names and attributes have a bounded length."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in HAVE_CONTENT and self.size > MAX_HEADER:
            raise tarfile.ReadError(TOO_LONG)
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return member
