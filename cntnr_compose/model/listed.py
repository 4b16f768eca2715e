"""What `ps` shows of a container, without the rest of its record.

Imports nothing heavy: `ps` lists containers before it has imported a library.
"""

from cntnr_compose.core.frozen import Frozen, Seconds

RUNNING_STATES = frozenset({"running", "restarting", "paused"})
# A published port: address of this host, port of the container, port of this host, protocol.
Publication = tuple[str, int, int, str]


class ListedContainer(Frozen):
    """A container as lists show it; fields mean what those of `Record` and `Status` mean."""

    id: str
    name: str
    image: str = ""
    image_id: str = ""
    command: tuple[str, ...] = ()
    created: Seconds = 0
    exposed: tuple[str, ...] = ()  # by the service or the image: ``80``, ``53/udp``, ``80-90``
    auto_remove: bool = False
    state: str = "created"
    holder: str = ""
    pid: int = 0
    started: Seconds = 0
    finished: Seconds = 0
    exit_code: int = 0
    health: str = ""
    oom_killed: bool = False
    published: tuple[Publication, ...] = ()

    @property
    def is_running(self) -> bool:
        """Tell whether it runs, or will run again by itself."""
        return self.state in RUNNING_STATES

    @property
    def is_alive(self) -> bool:
        """Tell whether there is something of it in the holder that its status names."""
        return self.is_running or bool(self.pid)

    @property
    def needs_supervisor(self) -> bool:
        """Tell whether a supervisor has to run for its status to be right."""
        return self.is_alive or self.auto_remove
