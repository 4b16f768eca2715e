"""Have a supervisor run a process of `exec` with our streams: it starts the runtime, and tells the exit code.

So the command need not enter the holder, nor the scope, which alone takes 26 ms. Every plain `cntnr exec`
imports this module, so it imports little.
"""

import _json  # what `json` is made of, whose import takes 5 ms
import _socket  # likewise
import struct

from cntnr_compose.core import oci_runtimes
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.files import folders, plain_json
from cntnr_compose.host import socket_peer
from cntnr_compose.host.children import foreground
from cntnr_compose.model.version import HANDED_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cntnr_compose.core.frozen import Tree

MAX_REPLY = 1 << 12


class NotTaken(Exception):
    """The supervisor does not run the process: the ordinary way does, or says what is wrong."""


class ExitCodeLost(CntnrError):
    """What waits for a process was killed."""

    exit_code = 125

    def __init__(self) -> None:
        super().__init__("the exit code is not known: what waited for the process was killed")


def run(project: str, request: "Tree", *, interactive: bool) -> tuple[int, bytes]:
    """Run the process of a `PrepareExec`, as `foreground.run_elsewhere` does.

    Raises `NotTaken`, `ExitCodeLost`.
    """
    try:
        process = HandedProcess(project)
    except (OSError, CntnrError) as error:  # there is no supervisor, or its folder is not ours
        raise NotTaken from error
    try:
        return foreground.run_elsewhere(
            process,
            lambda streams: process.start(request, streams),
            interactive=interactive,
            is_withheld=oci_runtimes.is_exec_error,
        )
    finally:
        process.close()


class HandedProcess:
    """A process that a supervisor runs for us; its descriptor becomes readable when it ends."""

    def __init__(self, project: str) -> None:
        """Connect to the supervisor of a project. Raises `OSError`, `Stranger`."""
        self._project = project
        path = f"{folders.holder()}/inside/{folders.supervisor_file(project, 'exec')}"
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        try:
            self._socket.connect(path)
            socket_peer.check_own_user(self._socket, path)
        except BaseException:
            self._socket.close()
            raise

    def start(self, request: "Tree", streams: tuple[int, int, int]) -> None:
        """Ask for the process of a `PrepareExec`. Raises `NotTaken`."""
        message = encode(
            {
                "version": HANDED_VERSION,
                "project": self._project,
                "process": {"type": "exec", **request},
            }
        )
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("3i", *streams))
        try:
            self._socket.sendmsg([message.encode()], [rights])
        except (OSError, UnicodeError) as error:  # it is too long, or no text; a stream is closed
            raise NotTaken from error

    def fileno(self) -> int:
        """Return the descriptor, for poll."""
        return int(self._socket.fileno())

    def send_signal(self, number: int) -> None:
        """Send the process a signal, unless it has ended, or the supervisor."""
        try:
            self._socket.send(bytes([number]))
        except OSError:
            return

    def wait(self) -> int:
        """Wait for its end; return its exit code, or the negative number of a signal.

        Raises `NotTaken`, `ExitCodeLost`.
        """
        try:
            reply = self._socket.recv(MAX_REPLY)
        except ConnectionError:
            reply = b""
        if not reply:
            raise ExitCodeLost
        code = plain_json.parse_tree(reply).get("code")
        if code is None:
            raise NotTaken
        return int(code)

    def close(self) -> None:
        """Disconnect; a process that runs goes on."""
        self._socket.close()


def encode(value: "str | bool | list[str] | tuple[str, ...] | Tree") -> str:
    """Encode a value as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode(key)}:{encode(value[key])}" for key in value) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    return _json.encode_basestring(value)
