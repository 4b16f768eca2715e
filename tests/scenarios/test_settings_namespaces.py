"""What a container shares: networks, processes and memory of others and of the host; names of hosts."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until
from tests.scenarios.oneshots import run_and_read_logs

pytestmark = pytest.mark.runtimes


class Hello(BaseHTTPRequestHandler):
    """Answer every request with one line."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from the host\n")

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextlib.contextmanager
def served(address: str) -> Iterator[int]:
    """Serve on an address of the host as long as the block runs; yield the port."""
    server = HTTPServer((address, 0), Hello)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def own_address() -> str:
    """Return the address from which the host talks to others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.fail("this host has no address but that of loopback")
        return str(probe.getsockname()[0])


def test_extra_hosts_reach_a_server_of_the_host(
    make_project: MakeProject, busybox_image: str
) -> None:
    with served(own_address()) as port:
        project = make_project(f"""
            services:
              list:
                image: {busybox_image}
                extra_hosts: ["host.docker.internal:host-gateway", "fixed:192.0.2.7", "six=::1"]
                command:
                  - sh
                  - -c
                  - |
                    wget -q -O - http://host.docker.internal:{port}/
                    grep -E 'fixed|six$$|localhost$$' /etc/hosts | tr '\\t' ' '
              mapping:
                image: {busybox_image}
                extra_hosts: {{one: 192.0.2.1, two: [192.0.2.2, 192.0.2.3]}}
                command: ["sh", "-c", "grep -E 'one|two' /etc/hosts | sort | tr '\\t' ' '"]
            """)
        assert run_and_read_logs(project) == {
            "list": ["hello from the host", "127.0.0.1 localhost", "192.0.2.7 fixed", "::1 six"],
            "mapping": ["192.0.2.1 one", "192.0.2.2 two", "192.0.2.3 two"],
        }


def test_networks_of_nobody_and_of_the_host(make_project: MakeProject, busybox_image: str) -> None:
    with served("127.0.0.1") as port:
        project = make_project(f"""
            x-look: &look
              image: {busybox_image}
              command:
                - sh
                - -c
                - |
                  sed -n 's/^ *\\(.*\\):.*/\\1/p' /proc/net/dev | sort | tr '\\n' ' '; echo
                  wget -q -O - http://127.0.0.1:{port}/ 2>/dev/null || echo nobody
                  hostname
            services:
              none: {{<<: *look, network_mode: none, hostname: alone}}
              bridge: {{<<: *look, hostname: bridged}}
              host: {{<<: *look, network_mode: host}}
            """)
        output = run_and_read_logs(project)
    interfaces = sorted(name for _, name in socket.if_nameindex())
    assert output["none"] == ["lo ", "nobody", "alone"]
    assert output["bridge"] == ["eth0 lo ", "nobody", "bridged"]
    assert output["host"][0].split() == interfaces
    assert output["host"][1:] == ["hello from the host", socket.gethostname()]
    assert {row["Service"]: row["Networks"] for row in project.ps()} == {
        "none": "none",
        "bridge": f"{project.name}_default",
        "host": "host",
    }


def answers(project: Project, service: str) -> str:
    """Fetch from the server of ``main`` inside a container, by 127.0.0.1."""
    result = project.exec(service, "wget", "-q", "-O", "-", "http://127.0.0.1:8000/")
    return result.stdout.strip()


def test_network_of_a_service_survives_its_restart_and_its_recreation(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        services:
          main:
            image: {busybox_image}
            init: true
            command: ["sh", "-c", "echo $$WORD >/index.html; exec httpd -f -p 8000 -h /"]
            environment: {{WORD: first}}
          side:
            image: {busybox_image}
            init: true
            network_mode: service:main
            command: ["sleep", "1000"]
          asks:
            image: {busybox_image}
            init: true
            command: ["sleep", "1000"]
        """
    project = make_project(text)
    project.up()
    wait_until(lambda: answers(project, "side") == "first", what="the server answers its neighbour")
    assert project.exec("side", "wget", "-q", "-O", "-", "http://main:8000/").stdout == "first\n"

    project.compose("restart", "-t", "0", "main").ok()
    wait_until(lambda: answers(project, "side") == "first", what="it does after a restart")

    project.write("compose.yaml", text.replace("WORD: first", "WORD: second"))
    before = {row["Service"]: row["ID"] for row in project.ps()}
    project.up("-t", "0")
    wait_until(lambda: answers(project, "side") == "second", what="it does after a change")
    after = {row["Service"]: row["ID"] for row in project.ps()}
    assert after["asks"] == before["asks"]
    assert after["main"] != before["main"]
    assert project.exec("asks", "wget", "-q", "-O", "-", "http://main:8000/").stdout == "second\n"


def test_processes_and_memory_of_a_service_are_shared(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-main: &main
          image: {busybox_image}
          command: ["sh", "-c", "echo shared >/dev/shm/word; sleep 100; true"]
        x-look: &look
          image: {busybox_image}
          command:
            - sh
            - -c
            - |
              ps -o args | grep -c '^sleep 100'
              cat /dev/shm/word 2>/dev/null || echo none
          depends_on:
            main: {{condition: service_healthy}}
        services:
          main:
            <<: *main
            ipc: shareable
            healthcheck: {{test: "test -e /dev/shm/word", interval: 100ms}}
          apart: {{<<: *look}}
          pid: {{<<: *look, pid: "service:main"}}
          ipc: {{<<: *look, ipc: "service:main"}}
          container: {{<<: *look, pid: "container:CONTAINER", ipc: "container:CONTAINER"}}
          none: {{<<: *look, ipc: none}}
        """)
    text = (project.folder / "compose.yaml").read_text()
    project.write("compose.yaml", text.replace("CONTAINER", f"{project.name}-main-1"))
    project.up()
    states = project.states()
    wait_until(
        lambda: list(project.states().values()).count("exited") == 5, what="all but one have ended"
    )
    assert states[f"{project.name}-main-1"] == "running"
    lines: dict[str, list[str]] = {}
    for line in project.compose("logs", "--no-color").ok().stdout.splitlines():
        source, _, content = line.partition("| ")
        lines.setdefault(source.strip(), []).append(content)
    assert lines == {
        "apart-1": ["0", "none"],
        "pid-1": ["1", "none"],
        "ipc-1": ["0", "shared"],
        "container-1": ["1", "shared"],
        "none-1": ["0", "none"],
    }


def test_namespaces_of_the_host_are_told_to_be_less(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          pid: {{image: {busybox_image}, pid: host, command: "true"}}
          uts: {{image: {busybox_image}, uts: host, command: hostname}}
          userns: {{image: {busybox_image}, userns_mode: keep-id, command: "true"}}
        """)
    stderr = project.up().stderr
    assert stderr.count("services.pid.pid: shows the processes of all containers") == 1
    assert stderr.count("services.userns.userns_mode: keep-id is not honoured") == 1
    wait_until(lambda: project.logs_count(socket.gethostname()) == 1)
    project.down()
    project.write(
        "compose.yaml",
        f"""
        services:
          one: {{image: {busybox_image}, pid: "service:two", command: "true"}}
        """,
    )
    failed = project.compose("up", "-d")
    project.write("compose.yaml", "services: {}")
    assert failed.returncode == 1
    assert '"two"' in failed.stderr
