"""The network of a RUN: a way out, and nothing of what else is on this machine."""

import socket
import subprocess
from pathlib import Path

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, wait_until
from tests.scenarios.reach import addresses, host_address, outside_server
from tests.scenarios.test_build import make_build_project, run

pytestmark = pytest.mark.usefixtures("busybox_image")

SECRET = """
services:
  vault:
    image: busybox
    command: ["sh", "-c", "mkdir /srv; hostname >/srv/who; exec httpd -f -p 80 -h /srv"]
    networks: [closed]
    stop_signal: KILL
  asks:
    image: busybox
    command: sh -c 'while :; do wget -q -O /dev/null http://vault/who; sleep 0.1; done'
    networks: [closed]
    stop_signal: KILL
networks: {closed: {internal: true}}
"""


def test_a_step_sees_nothing_of_the_projects(make_project: MakeProject) -> None:
    other = make_project(SECRET)
    other.up()
    (address,) = addresses(other, "vault").values()
    bridge = address.rpartition(".")[0] + ".1"
    web = make_build_project(
        make_project,
        f"""\
        FROM busybox
        RUN ls /sys/class/net >/links; ip -o -4 addr | awk '{{print $2}}' >/addresses; \\
          for who in {address} {bridge}; do \\
            timeout 2 wget -q -O - http://$who/who; timeout 1 ping -c 1 $who | grep from; \\
            timeout 1 nslookup -type=a vault $who | grep '^Name'; \\
          done >/answers 2>/dev/null; true
        """,
    )
    web.compose("build").ok()
    assert run(web, "cat /links /addresses /answers") == ["eth0", "lo", "lo", "eth0"]


def test_a_step_reaches_the_outside_and_finds_names(make_project: MakeProject) -> None:
    outside = host_address()
    with outside_server(outside) as port:
        web = make_build_project(
            make_project,
            f"""\
            FROM busybox
            RUN wget -q -O /greetings http://{outside}:{port}/ && cat /etc/resolv.conf >/resolver
            RUN --network=none ! wget -q -O - http://{outside}:{port}/ && ls /sys/class/net >/links
            """,
        )
        web.compose("build").ok()
    assert run(web, "cat /greetings /links /resolver") == [
        "greetings from outside", "lo", "nameserver 10.0.2.3",
    ]  # fmt: skip


def test_a_step_finds_the_names_that_the_machine_finds(make_project: MakeProject) -> None:
    name = "deb.debian.org"
    web = make_build_project(
        make_project, f"FROM busybox\nRUN nslookup -type=a {name} >/names; true\n"
    )
    web.compose("build").ok()
    try:
        there = {str(output[4][0]) for output in socket.getaddrinfo(name, 80, socket.AF_INET)}
    except socket.gaierror:
        there = set()
    output = run(web, "sed -n '/^Name:/,$ s/^Address: *//p' /names")
    assert bool(output) == bool(there), output


def test_localhost_is_the_steps_own(make_project: MakeProject) -> None:
    outside = host_address()
    with outside_server("127.0.0.1") as port, outside_server(outside) as other:
        web = make_build_project(
            make_project,
            f"""\
            FROM busybox AS a
            RUN ! wget -q -O - http://127.0.0.1:{port}/ && ! wget -q -O - http://10.0.2.2:{port}/
            RUN mkdir /s && echo mine >/s/who && httpd -p 80 -h /s && sleep 1 \\
              && wget -q -O /seen http://localhost/who && wget -q -O /out http://{outside}:{other}/
            FROM busybox AS b
            RUN mkdir /s && echo mine too >/s/who && httpd -p 80 -h /s && sleep 1 \\
              && wget -q -O /seen http://localhost/who
            """,
            compose="services: {a: {build: {target: a}}, b: {build: {target: b}}}\n",
        )
        web.compose("build").ok()
    assert run(web, "cat /seen /out", service="a") == ["mine", "greetings from outside"]
    assert run(web, "cat /seen", service="b") == ["mine too"]


def test_host_means_the_machines_network_where_the_file_says_so(make_project: MakeProject) -> None:
    with outside_server("127.0.0.1") as port:
        dockerfile = f"""\
        FROM busybox
        RUN --network=host wget -q -O /a http://127.0.0.1:{port}/
        """
        web = make_build_project(make_project, dockerfile)
        failed = web.compose("build")
        assert failed.returncode == 1
        assert "Dockerfile:2: network.host is not allowed" in failed.stderr
        web.write(
            "compose.yaml",
            """\
services:
  web: {build: {context: ., network: host}}
  other: {build: {context: ., dockerfile_inline: "FROM busybox\\nRUN ls /sys/class/net >/b"}}
""",
        )
        web.compose("build").ok()
    assert run(web, "cat /a") == ["greetings from outside"]
    assert run(web, "cat /b", service="other") == ["eth0", "lo"]


def test_nothing_of_it_stays(make_project: MakeProject, user: User) -> None:
    other = make_project(
        "services: {one: {image: busybox, command: sleep 1000, stop_signal: KILL}}"
    )
    other.up()
    (held,) = parts.find(user, "holder's child")
    links = Path(f"/proc/{held.pid}/net/dev").read_text().count(":")
    uplinks = len(parts.find(user, "uplink"))
    web = make_build_project(make_project, "FROM busybox\nRUN echo now; sleep 1000\n")
    with (web.folder / "out").open("wb") as out:
        running = user.popen(
            "cntnr", "compose", "build", cwd=web.folder, stdout=out, stderr=out,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    wait_until(lambda: "web now" in (web.folder / "out").read_text(), what="the step runs")
    assert len(parts.find(user, "uplink")) == uplinks + 1
    parts.kill_all(user, "builder")
    assert running.wait(10) != 0
    wait_until(lambda: len(parts.find(user, "uplink")) == uplinks, what="its uplink ends with it")
    assert Path(f"/proc/{held.pid}/net/dev").read_text().count(":") == links
