"""Log drivers: syslog is sent for real, others keep their output here and say so."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import assert_refused, wait_until
from tests.scenarios.parts import kill_supervisor


class Receiver:
    """A syslog server of this test, which keeps what it gets."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.text = ""
        threading.Thread(target=self._receive, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _receive(self) -> None:
        try:
            while True:
                if self._server.type == socket.SOCK_DGRAM:
                    self.text += self._server.recv(1 << 16).decode() or "END"
                else:
                    connection, _ = self._server.accept()
                    threading.Thread(target=self._read, args=[connection], daemon=True).start()
                if self.text.endswith("END"):
                    return
        except OSError:
            return

    def _read(self, connection: socket.socket) -> None:
        with connection:
            while block := connection.recv(1 << 16):
                self.text += block.decode()


def listen(family: int, kind: int, address: object) -> Receiver:
    server = socket.socket(family, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(address)  # type: ignore[arg-type]
    if kind == socket.SOCK_STREAM:
        server.listen()
    return Receiver(server)


@pytest.fixture
def udp() -> Iterator[Receiver]:
    receiver = listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
    yield receiver
    receiver.close()


def test_output_goes_to_syslog_by_udp_tcp_and_unix_sockets(
    make_project: MakeProject, busybox_image: str, udp: Receiver
) -> None:
    project = make_project()
    tcp = listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
    paths = [project.folder / name for name in ("datagrams", "stream")]
    datagrams = listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(paths[0]))
    stream = listen(socket.AF_UNIX, socket.SOCK_STREAM, str(paths[1]))
    for path in paths:
        project.user.own(path)
    project.write(
        "compose.yaml",
        f"""
        x-small: &small {{image: {busybox_image}, command: sh -c "echo out; echo err >&2; printf rest"}}
        services:
          udp:
            <<: *small
            logging:
              driver: syslog
              options: {{syslog-address: "udp://127.0.0.1:{udp.port}", tag: "{{{{.Name}}}}"}}
          tcp:
            <<: *small
            logging:
              driver: syslog
              options:
                syslog-address: tcp://127.0.0.1:{tcp.port}
                syslog-format: rfc5424
                syslog-facility: local0
          datagrams:
            <<: *small
            logging: {{driver: syslog, options: {{syslog-address: "unixgram://{paths[0]}"}}}}
          stream:
            <<: *small
            logging: {{driver: syslog, options: {{syslog-address: "unix://{paths[1]}"}}}}
        """,
    )
    warned = project.up().stderr
    assert "syslog" not in warned
    for receiver in (udp, tcp, datagrams, stream):
        wait_until(lambda receiver=receiver: "rest" in receiver.text)
    assert "<27>" in udp.text
    assert "udp-1[" in udp.text
    assert "<134>1 " in tcp.text
    assert (
        tcp.text.count("out") == datagrams.text.count(": err") == stream.text.count(": rest") == 1
    )
    assert sorted(project.compose("logs", "--no-log-prefix", "tcp").stdout.split()) == [
        "out",
        "rest",
    ]
    for receiver in (tcp, datagrams, stream):
        receiver.close()


def test_nothing_is_lost_while_server_or_supervisor_are_gone(
    make_project: MakeProject, busybox_image: str
) -> None:
    first = listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
    port = first.port
    first.close()
    project = make_project(f"""
        services:
          a:
            image: {busybox_image}
            command: sh -c 'for i in $$(seq 1000); do echo line $$i; sleep 0.2; done'
            stop_signal: KILL
            logging: {{driver: syslog, options: {{syslog-address: "tcp://127.0.0.1:{port}"}}}}
        """)
    warned = project.up().stderr
    assert (
        f"syslog server tcp://127.0.0.1:{port} cannot be reached yet (connection refused)" in warned
    )
    second = listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port))
    wait_until(lambda: "line 1\n" in second.text and "line 5\n" in second.text)
    kill_supervisor(project)
    wait_until(lambda: project.logs_count("line 20"))
    project.compose("ps").ok()  # another supervisor
    wait_until(lambda: "line 20\n" in second.text)
    project.compose("stop").ok()
    numbers = [int(row.split()[-1]) for row in second.text.splitlines()]
    assert sorted(set(numbers)) == list(range(1, numbers[-1] + 1))
    assert numbers[-1] == project.logs_count("line ")
    second.close()


def test_other_drivers_keep_output_here_with_a_line(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, command: echo hello}}
        services:
          fluentd: {{<<: *small, logging: {{driver: fluentd, options: {{fluentd-address: x, tag: y}}}}}}
          gelf: {{<<: *small, logging: {{driver: gelf, options: {{gelf-address: "udp://x"}}}}}}
          journald: {{<<: *small, logging: {{driver: journald}}}}
        """)
    warned = project.up().stderr
    for driver in ("fluentd", "gelf"):
        assert warned.count(f"nothing is sent to {driver}; output is kept in files") == 1
    has_journal = Path("/run/systemd/journal/socket").exists()
    assert ("there is no journal here" in warned) is not has_journal
    wait_until(lambda: project.logs_count("hello") == 3)
    for driver, says in (
        ("jsonfile", "no log driver named 'jsonfile' is registered"),
        ("grafana/loki-docker-driver:latest", "is registered; there are json-file, local"),
        ("awslogs", "nothing can be sent to awslogs here"),
    ):
        project.write("other.yaml", f"services: {{gelf: {{logging: {{driver: '{driver}'}}}}}}")
        refused = project.compose("-f", "compose.yaml", "-f", "other.yaml", "up", "-d", "gelf")
        assert_refused(refused, "services.gelf.logging: cannot be honoured", says)
        refused = project.cntnr("run", "--rm", "--log-driver", driver, busybox_image, "true")
        assert_refused(refused, "--log-driver", says, code=125)
