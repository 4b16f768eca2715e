"""Published ports: where they are reached, who has them, and that they are free again."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, free_port, http_answers, http_get, wait_until
from tests.scenarios.reach import SAYS, host_address, is_refused

pytestmark = pytest.mark.usefixtures("busybox_image")

# Answers on three TCP ports with the port's number, and sends back what it gets by UDP.
ECHO = """
import http.server, socket, threading

class Say(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.server.server_port).encode())
    def log_message(self, *words):
        pass

for port in (8000, 8001, 8002):
    server = http.server.ThreadingHTTPServer(("", port), Say)
    threading.Thread(target=server.serve_forever).start()
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind(("", 9000))
while True:
    said, sender = wire.recvfrom(2000)
    wire.sendto(said, sender)
"""


def run_of_ports(count: int) -> int:
    """Find the first of some free ports in a row."""
    while True:
        first = free_port()
        with contextlib.ExitStack() as held:
            try:
                for number in range(first, first + count):
                    probe = held.enter_context(socket.socket())
                    probe.bind(("", number))
            except OSError:
                continue
            return first


def has_ipv6() -> bool:
    """Return whether this machine reaches itself by IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def echo(address: str, port: int, text: bytes) -> bytes:
    """Send a datagram, again and again until it comes back."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as wire:
        wire.settimeout(0.5)

        def ask() -> bytes:
            wire.sendto(text, (address, port))
            try:
                return wire.recv(2000)
            except OSError:
                return b""

        return bytes(wait_until(ask, what=f"an answer by UDP from {address}:{port}"))


def test_ports_are_published_as_the_file_says(
    make_project: MakeProject, debian_images: dict[str, str]
) -> None:
    first, everywhere, local, udp = run_of_ports(2), free_port(), free_port(), free_port()
    outside = host_address()
    text = f"""
services:
  echo:
    image: {debian_images["python"]}
    command: ["python3", "-c", {json.dumps(ECHO)}]
    init: true
    ports:
      - "{everywhere}:8000"
      - "127.0.0.1:{local}:8000"
      - "{first}-{first + 1}:8001-8002"
      - "{udp}:9000/udp"
      - target: 8002
        host_ip: {outside}
      - "8001"
"""
    project = make_project(text)
    project.up()
    assert http_answers(f"http://127.0.0.1:{everywhere}/") == "8000"
    assert http_get(f"http://{outside}:{everywhere}/") == "8000"
    assert http_get(f"http://127.0.0.1:{local}/") == "8000"
    assert is_refused(outside, local)
    assert [http_get(f"http://127.0.0.1:{first + n}/") for n in (0, 1)] == ["8001", "8002"]
    assert echo("127.0.0.1", udp, b"one") == b"one"
    assert echo(outside, udp, b"two") == b"two"
    [row] = project.ps()
    seen = {
        (publisher["URL"], publisher["TargetPort"], publisher["Protocol"]): publisher[
            "PublishedPort"
        ]
        for publisher in row["Publishers"]
    }
    chosen = seen[outside, 8002, "tcp"]  # any free one, on the one address
    assert http_get(f"http://{outside}:{chosen}/") == "8002"
    assert is_refused("127.0.0.1", chosen)
    assert project.published("echo", 8000) == f"0.0.0.0:{everywhere}"
    assert (
        project.compose("port", "--protocol", "udp", "echo", "9000").stdout.strip()
        == f"0.0.0.0:{udp}"
    )
    missing = project.compose("port", "echo", "80")
    assert missing.returncode == 1
    assert "no port 80/tcp" in missing.stderr
    ephemeral = {
        publisher["PublishedPort"]
        for publisher in row["Publishers"]
        if (publisher["TargetPort"], publisher["PublishedPort"] - first)
        not in ((8001, 0), (8002, 1))
        and publisher["TargetPort"] == 8001
    }
    assert len(ephemeral) == 1  # the same number by both families
    assert http_get(f"http://127.0.0.1:{ephemeral.pop()}/") == "8001"
    if has_ipv6():
        assert http_get(f"http://[::1]:{everywhere}/") == "8000"
        assert echo("::1", udp, b"six") == b"six"
        assert seen["::", 8000, "tcp"] == everywhere
        assert is_refused("::1", local)

    # Stopped, they are free; started, they are back.
    project.compose("stop", "-t", "1").ok()
    for number in (everywhere, local, first, first + 1):
        assert is_refused("127.0.0.1", number)
    assert project.compose("port", "echo", "8000").returncode == 1
    project.compose("start").ok()
    assert http_answers(f"http://127.0.0.1:{local}/") == "8000"
    # Ended by itself, they are free as well.
    project.compose("kill").ok()
    wait_until(lambda: is_refused("127.0.0.1", everywhere), what="the port is free")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("0.0.0.0", everywhere))


def test_a_port_is_shared_by_protocol_and_by_address(make_project: MakeProject) -> None:
    port, outside = free_port(), host_address()
    says = SAYS.strip().replace("\n", "\n  ")
    project = make_project(
        f"""
services:
  one:
    {says}
    ports: ["127.0.0.1:{port}:80"]
  two:
    {says}
    ports: ["{outside}:{port}:80"]
  three:
    {says}
    ports: ["127.0.0.1:{port}:9/udp"]
"""
    )
    project.up()
    ids = {row["Service"]: row["ID"][:12] for row in project.ps()}
    assert http_answers(f"http://127.0.0.1:{port}/who").strip() == ids["one"]
    assert http_answers(f"http://{outside}:{port}/who").strip() == ids["two"]
    taken = project.compose("run", "--rm", "-p", f"127.0.0.1:{port}:80", "three", "true")
    assert taken.returncode != 0
    assert f"in use by container {project.name}-one-1 of project" in taken.stderr


def test_replicas_share_a_range(make_project: MakeProject) -> None:
    first = run_of_ports(3)
    project = make_project(
        f"""
services:
  web:
    {SAYS.strip().replace(chr(10), chr(10) + "  ")}
    scale: 3
    ports: ["{first}-{first + 2}:80"]
"""
    )
    project.up()
    ids = {row["ID"][:12]: row for row in project.ps()}
    hostnames = [http_answers(f"http://127.0.0.1:{first + n}/who").strip() for n in range(3)]
    assert set(hostnames) == set(ids)
    # `port --index` tells who is where.
    for index in (1, 2, 3):
        address = project.compose("port", "--index", str(index), "web", "80").ok().stdout.strip()
        hostname = http_get(f"http://127.0.0.1:{address.rpartition(':')[2]}/who").strip()
        assert ids[hostname]["Name"] == f"{project.name}-web-{index}"
    full = project.compose("up", "-d", "--scale", "web=4")
    assert full.returncode == 1
    assert "in use" in full.stderr
    assert len([row for row in project.ps() if row["State"] == "running"]) == 3
    project.up("--scale", "web=2")
    free = [n for n in range(3) if is_refused("127.0.0.1", first + n)]
    assert len(free) == 1
    project.up("--scale", "web=3")
    assert http_answers(f"http://127.0.0.1:{first + free[0]}/who").strip() not in hostnames


@contextlib.contextmanager
def listening(
    user: User | None, port: int, kind: str = "STREAM"
) -> Iterator[subprocess.Popen[str]]:
    """Run a process that listens on a port, as a user or as the one who runs the suite."""
    code = (
        "import socket, sys, time\n"
        f"s = socket.socket(socket.AF_INET, socket.SOCK_{kind}); s.bind(('', {port}))\n"
        f"s.listen() if {kind == 'STREAM'} else None\n"
        "print('ready', flush=True); time.sleep(60)\n"
    )
    argv = (sys.executable if user is None else f"{user.venv}/bin/python", "-c", code)
    start = (
        user.popen if user else lambda *words, **more: subprocess.Popen(words, text=True, **more)
    )
    with start(*argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def web(port: str, more: str = "") -> str:
    says = SAYS.strip().replace("\n", "\n  ")
    return f"services:\n  web:\n    {says}\n    ports: [{port!r}]\n{more}"


def test_a_port_in_use_is_told_with_who_has_it(make_project: MakeProject, user: User) -> None:
    port = free_port()
    project = make_project(web(f"{port}:80"))
    with listening(user, port) as process:
        taken = project.compose("up", "-d")
        assert taken.returncode == 1
        name = Path(f"/proc/{process.pid}/comm").read_text().strip()
        assert f"cannot publish port {port}" in taken.stderr
        assert f"in use by {name} (process {process.pid})" in taken.stderr
        assert project.states() == {f"{project.name}-web-1": "created"}
    if os.getuid() == 0:
        with listening(None, port):
            assert "in use by a process of another user" in project.compose("up", "-d").stderr
    project.up()  # free again: what was half-made is no obstacle

    other = make_project(web(f"127.0.0.1:{port}:80"))
    taken = other.compose("up", "-d")
    assert taken.returncode == 1
    assert f"in use by container {project.name}-web-1 of project {project.name}" in taken.stderr
    assert http_answers(f"http://127.0.0.1:{port}/who")
    project.down()
    other.up()
    assert http_answers(f"http://127.0.0.1:{port}/who")


def test_a_udp_port_in_use_is_told_too(make_project: MakeProject, user: User) -> None:
    port = free_port()
    project = make_project(web(f"{port}:80/udp"))
    with listening(user, port, "DGRAM") as process:
        taken = project.compose("up", "-d")
    assert taken.returncode == 1
    assert f"(process {process.pid})" in taken.stderr


def test_a_low_port_is_refused_with_the_setting_that_allows_it(make_project: MakeProject) -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if lowest <= 80:
        pytest.skip("this machine lets everybody use port 80")
    project = make_project(web("80:80"))
    refusal = project.compose("up", "-d")
    assert refusal.returncode == 1
    assert "compose.yaml:" in refusal.stderr
    assert f"ordinary users may use ports from {lowest} on" in refusal.stderr
    assert "net.ipv4.ip_unprivileged_port_start=80" in refusal.stderr
    assert project.ps() == []


def test_an_address_of_another_machine_is_refused(make_project: MakeProject) -> None:
    port = free_port()
    project = make_project(web(f"203.0.113.9:{port}:80"))
    refusal = project.compose("up", "-d")
    assert refusal.returncode == 1
    assert f"port {port} on 203.0.113.9: this machine has no such address" in refusal.stderr


def test_run_publishes_what_it_is_asked_to(make_project: MakeProject) -> None:
    port, other = free_port(), free_port()
    project = make_project(web(f"{port}:80"))
    project.compose("run", "-d", "--name", "quiet", "web").ok()
    assert is_refused("127.0.0.1", port)
    project.compose("run", "-d", "--service-ports", "--name", "loud", "web").ok()
    assert http_answers(f"http://127.0.0.1:{port}/who")
    project.compose("run", "-d", "-p", f"127.0.0.1:{other}:80", "--name", "own", "web").ok()
    assert http_answers(f"http://127.0.0.1:{other}/who")
    project.down("--remove-orphans")
    assert is_refused("127.0.0.1", port)
    assert is_refused("127.0.0.1", other)
