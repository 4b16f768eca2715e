"""127.0.0.11 answers names in every container, as public configurations expect; links are their own."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import free_port, http_answers, wait_until
from tests.scenarios.reach import SAYS, addresses, look_up

pytestmark = pytest.mark.usefixtures("busybox_image")
DOCKERS = "127.0.0.11"

EVERYWHERE = f"""
x-says: &says {SAYS}
services:
  a: {{<<: *says}}
  both: {{<<: *says, networks: [side, default]}}
  shut: {{<<: *says, networks: [closed]}}
  near: {{<<: *says, networks: [closed]}}
  chosen: {{<<: *says, dns: 192.0.2.53}}
  guest: {{image: busybox, command: sleep 900, stop_signal: KILL, network_mode: "service:a"}}
  far: {{<<: *says, networks: {{side: {{interface_name: lan0}}}}}}
networks:
  default:
  side:
  closed: {{internal: true}}
"""


def test_it_answers_wherever_a_container_is(make_project: MakeProject) -> None:
    project = make_project(EVERYWHERE)
    project.up()
    names = ("a", "both", "far", "near", "shut", "chosen", "nobody")
    seen = {
        "a": {"a", "both", "chosen"},
        "guest": {"a", "both", "chosen"},
        "both": {"a", "both", "far", "chosen"},
        "shut": {"near", "shut"},
        "chosen": {"a", "both", "chosen"},
        "far": {"both", "far"},
    }
    for service, expected in seen.items():
        addresses_by_name = look_up(project, service, *names, server=DOCKERS)
        assert set(addresses_by_name) == expected, service
        assert addresses_by_name == look_up(project, service, *names), service
    project.compose("restart", "-t", "0", "a", "both").ok()
    addresses_by_name = look_up(project, "both", "a", "far", server=DOCKERS)
    assert addresses_by_name == {
        "a": {addresses(project, "a")["eth0"]},
        "far": {addresses(project, "far")["lan0"]},
    }
    project.up("-t", "0", "--force-recreate", "--no-deps", "chosen")
    assert set(look_up(project, "chosen", "a", server=DOCKERS)) == {"a"}


ASK = """
import socket, struct

def ask(name, kind):
    with socket.socket(socket.AF_INET, kind) as wire:
        wire.settimeout(2)
        wire.connect(("127.0.0.11", 53))
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
        asked = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack("!B2H", 0, 1, 1)
        if kind == socket.SOCK_STREAM:
            wire.sendall(struct.pack("!H", len(asked)) + asked)
            size = struct.unpack("!H", wire.recv(2))[0]
            return socket.inet_ntoa(wire.recv(size)[-4:])
        wire.send(asked)
        return socket.inet_ntoa(wire.recv(600)[-4:])

print(ask("web", socket.SOCK_DGRAM), ask("web", socket.SOCK_STREAM))
"""


def test_it_answers_by_udp_and_tcp(
    make_project: MakeProject, debian_images: dict[str, str], user: object
) -> None:
    assert user
    project = make_project(f"""
services:
  web: {{image: busybox, command: sleep 900, stop_signal: KILL, networks: [default, side]}}
  one:
    image: {debian_images["python"]}
    command: [sleep, "900"]
    stop_signal: KILL
    user: "65534"
    cap_drop: [ALL]
    read_only: true
  two:
    image: {debian_images["python"]}
    command: [sleep, "900"]
    stop_signal: KILL
    networks: [side, shut]
networks: {{default: , side: , shut: {{internal: true}}}}
""")
    project.up()
    at = addresses(project, "web")
    for service, address in (("one", at["eth0"]), ("two", at["eth1"])):
        output = project.exec(service, "python3", "-c", ASK).ok().stdout.split()
        assert output == [address, address]


def test_nothing_is_opened_for_it(make_project: MakeProject) -> None:
    project = make_project(EVERYWHERE)
    project.up("a", "both")
    look = "cat /proc/sys/net/ipv4/conf/*/route_localnet"
    assert set(project.exec("a", "sh", "-c", look).ok().stdout.split()) == {"0"}
    # What listens on 127.0.0.1 is still reached there, and by nobody else.
    project.exec("a", "sh", "-c", "httpd -p 127.0.0.1:81 -h /srv").ok()
    script = "wget -q -O - http://127.0.0.1:81/who"
    assert project.exec("a", "sh", "-c", script).ok().stdout.strip()
    inside = addresses(project, "a")["eth0"]
    reach = f"ip route add 127.0.0.0/8 via {inside}; timeout 2 {script}"
    assert project.exec("both", "sh", "-c", reach).returncode != 0


NGINX = """
events {}
http {
  resolver 127.0.0.11 valid=1s;
  server {
    listen 80;
    location /fixed/ { proxy_pass http://backend/; }
    location /asked/ { set $to other; rewrite /asked/(.*) /$1 break; proxy_pass http://$to; }
  }
}
"""


def test_a_proxy_finds_its_backend_after_a_restart(
    make_project: MakeProject, debian_images: dict[str, str]
) -> None:
    port = free_port()
    project = make_project(
        f"""
x-says: &says {SAYS}
services:
  backend: {{<<: *says, hostname: backend}}
  other: {{<<: *says, hostname: other}}
  proxy:
    image: {debian_images["nginx"]}
    command: [nginx, -g, "daemon off;", -c, /nginx.conf]
    ports: ["127.0.0.1:{port}:80"]
    volumes: ["./nginx.conf:/nginx.conf:ro"]
    depends_on: [backend]
    stop_signal: KILL
""",
        files={"nginx.conf": NGINX},
    )

    def answer(way: str) -> str:
        return http_answers(f"http://127.0.0.1:{port}/{way}/who").strip()

    project.up()
    for again in (
        lambda: None,
        lambda: project.compose("restart", "-t", "0", "backend", "other").ok(),
        lambda: project.up("-t", "0", "--force-recreate", "--no-deps", "other", "backend"),
    ):
        again()
        wait_until(lambda: answer("fixed") == "backend", what="the address that nginx knows")
        wait_until(lambda: answer("asked") == "other", what="the address that nginx asks for")
