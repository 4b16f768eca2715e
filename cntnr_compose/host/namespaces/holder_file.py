"""Find the user's holder by its file. Imports little: `ps` does so before it has imported a library."""

from cntnr_compose.core.files import folders, plain_json
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.host import proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    H = TypeVar("H", bound="HolderPids")


class HolderPids(Frozen):
    """The pids of a running holder: ``parent`` and ``child`` on the host, ``payload`` inside."""

    parent: int
    child: int
    payload: int
    born: tuple[int, int]  # start times of parent and child, in ticks

    @property
    def id(self) -> str:
        """Identify this holder among all, also among later ones with the same pids."""
        return f"{self.child}-{self.born[1]}"

    def start_times(self) -> tuple[int, int]:
        """Look up the start times of parent and child; 0 for one that is gone."""
        return proc.start_time(self.parent), proc.start_time(self.child)

    def root(self, path: str) -> str:
        """Return where a path inside the holder is seen from outside (proc(5), "root")."""
        return f"/proc/{self.child}/root{path}"

    def nsenter_argv(self, argv: "Sequence[str]") -> list[str]:
        """Build the command that runs ``argv`` inside the holder, from outside."""
        return [
            "nsenter", "-U", "--preserve-credentials", "-m", "-p",
            "--wdns=/",
            "-t", str(self.child),
            *argv,
        ]  # fmt: skip


def find_holder(kind: "type[H]") -> "H | None":
    """Find the user's running holder, also where the runtime folder was emptied or is another one.

    Raises `UnsafeRuntimeDirectory`.
    """
    for folder in (folders.holder(), folders.holder_state()):
        holder = _read(f"{folder}/holder.json", kind)
        if holder is not None:
            return holder
    return None


def _read(path: str, kind: "type[H]") -> "H | None":
    tree = plain_json.read_tree(path) or {}
    try:
        pids = {name: int(tree[name]) for name in ("parent", "child", "payload")}
        parent, child = tree["born"]
    except (KeyError, TypeError, ValueError):
        return None  # there is none, or its file is another version's
    holder = kind(**pids, born=(parent, child))
    # A start time of 0 is that of no process: such a file was written while the holder was killed.
    return holder if holder.start_times() == holder.born and all(holder.born) else None
