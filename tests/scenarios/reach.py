"""Check from inside containers what they reach: each other, names, and the outside."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.scenarios.lib import Project

# A service that serves its own host name as /who. Killed, since sh ignores SIGTERM.
SAYS = """
  image: busybox
  command: ["sh", "-c", "mkdir /srv; hostname >/srv/who; exec httpd -f -p 80 -h /srv"]
  stop_signal: SIGKILL
"""
# Debian's static busybox crashes at `wget -T`.
_ASK = """
for target; do
  { answer=$(timeout 2 wget -q -O - "http://$target" 2>/dev/null) && echo "$target $answer"; } &
done
wait
"""
_LOOK_UP = """
server=$1; shift
for name; do
  timeout 2 nslookup -type=a "$name" $server 2>/dev/null |
    sed -n '/^Name:/,$ s/^Address: *//p' | sed "s/^/$name /"
done
true
"""


def answers(project: Project, service: str, *targets: str, index: int = 1) -> dict[str, str]:
    """Fetch each ``HOST[:PORT]/PATH`` from inside a container; return the bodies of those that answered."""
    words = ("exec", "-T", "--index", str(index), service, "sh", "-c", _ASK, "ask", *targets)
    lines = project.compose(*words).ok().stdout.splitlines()
    return dict(line.partition(" ")[::2] for line in lines)


def look_up(
    project: Project, service: str, *names: str, server: str = "", index: int = 1
) -> dict[str, set[str]]:
    """Look up names from inside a container; return the addresses of those that exist."""
    words = ("exec", "-T", "--index", str(index), service, "sh", "-c", _LOOK_UP, "look", server)
    addresses_by_name: dict[str, set[str]] = {}
    for line in project.compose(*words, *names).ok().stdout.splitlines():
        name, _, address = line.partition(" ")
        addresses_by_name.setdefault(name, set()).add(address)
    return addresses_by_name


def addresses(project: Project, service: str, *, index: int = 1) -> dict[str, str]:
    """Return a container's IPv4 addresses by interface."""
    words = ("exec", "-T", "--index", str(index), service, "ip", "-o", "-4", "addr")
    rows = [line.split() for line in project.compose(*words).ok().stdout.splitlines()]
    return {row[1]: row[3].partition("/")[0] for row in rows if row[1] != "lo"}


def is_refused(address: str, port: int) -> bool:
    """Return whether a connection to a TCP port fails."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        return probe.connect_ex((address, port)) != 0


def host_address() -> str:
    """Return an address of this machine that others can reach, without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


class _Greeter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"greetings from outside\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing."""


@contextlib.contextmanager
def outside_server(address: str) -> Iterator[int]:
    """Serve "greetings from outside" on an address of this machine; yield the port."""
    with ThreadingHTTPServer((address, 0), _Greeter) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
