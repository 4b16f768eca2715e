"""Machines with networks of other kinds: made in a network namespace, where the machine is all there is."""

import hashlib
from collections.abc import Callable

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, free_port

# A container that is published, and reaches the machine by a name.
SERVICE = """
services:
  web:
    image: {image}
    command: ["sh", "-c", "mkdir /srv; echo published >/srv/who; exec httpd -f -p 80 -h /srv"]
    stop_signal: SIGKILL
    ports: ["127.0.0.1:{port}:80"]
    extra_hosts: ["machine:host-gateway"]
"""
# The interface of all but the machine without a network.
CABLE = """
ip link add enp0s3 type veth peer name cable; ip link set enp0s3 up; ip link set cable up
"""
# Name servers answer for `named.test`; what the machine serves is on the first address.
SERVE = """
ip link set lo up
mkdir -p www; echo greetings >www/who
busybox httpd -f -p 8000 -h www & served=$!
PATH=$PATH:/usr/sbin dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --no-daemon --bind-interfaces \\
  --address=/named.test/192.0.2.7 --user= --group= --pid-file="$PWD/dns.pid" \\
  --listen-address="$RESOLVER" 2>dns.log & served="$served $!"
trap 'cat dns.log >&2; kill $served' EXIT
printf '%s\\n' "$RESOLV_CONF" >resolv.conf
mount --bind resolv.conf /etc/resolv.conf
"""
# What is asked of such a machine; each answer is a line.
ASK = """
export XDG_RUNTIME_DIR=$PWD/run; mkdir -m 700 run
say() { echo "$1: $(timeout 20 sh -c "$2" 2>&1 | tail -n 1)"; }
setpriv --ambient-caps=-all --inh-caps=-all cntnr compose up -d
say port "curl -s http://127.0.0.1:$PORT/who"
say outside 'cntnr compose exec -T web wget -q -O - http://machine:8000/who'
say name 'cntnr compose exec -T web nslookup -type=a named.test | grep Address'
say "own name" 'cntnr compose exec -T web nslookup -type=a web | grep Address'
say resolver "grep nameserver run/cntnr/holder/inside/../../etc/resolv.conf"
$THEN
say doctor 'cntnr doctor | grep " $TOLD "'
cntnr compose down -t 0
"""

EVERYTHING = {
    "port": "published",
    "outside": "greetings",
    "name": "Address: 192.0.2.7",
    "own name": "Address: 10.128.0.2",
}
SUBNETS = "ok       subnets          {} leads out; the machine has no such"


class Machine:
    """A machine with another network; its users have one id."""

    def __init__(self, project: Project, port: int) -> None:
        self.project = project
        self.port = port  # where the container is published

    def ask(self, setup: str, **environment: str) -> dict[str, str]:
        """Set the network up, ask everything on it; return the answers by question."""
        namespaces = ("--user", "--map-current-user", "--keep-caps", "--mount", "--net", "--uts")
        script = f"{setup}\nmount --bind /dev/null /etc/subuid\n{SERVE}\n{ASK}"
        argv = ("unshare", *namespaces, "sh", "-ec", script)
        env = {"TOLD": "subnets", "THEN": "true", "PORT": str(self.port)} | environment
        result = self.project.user.run(*argv, cwd=self.project.folder, env=env)
        lines = result.ok().stdout.splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)


@pytest.fixture
def machine(make_project: MakeProject, busybox_image: str) -> Machine:
    """Make the project that is brought up on the machine."""
    port = free_port()
    project = make_project(SERVICE.format(image=busybox_image, port=port))
    project.compose("pull").ok()
    return Machine(project, port)


def test_a_machine_whose_own_network_is_slirp4netns_s(
    machine: Machine, leftovers: Callable[[], list[str]]
) -> None:
    """VirtualBox, Vagrant and qemu give their machines 10.0.2.15, the gateway .2 and the resolver .3."""
    setup = f"""{CABLE}
ip address add 10.0.2.15/24 dev enp0s3; ip address add 10.0.2.3/32 dev lo
ip route add default via 10.0.2.2
"""
    environment = {"RESOLVER": "10.0.2.3", "RESOLV_CONF": "nameserver 10.0.2.3"}
    environment["THEN"] = "ip route add 10.128.0.0/24 dev enp0s3"  # it comes when the holder runs
    bridge = f"br-{hashlib.sha256(f'{machine.project.name}_default'.encode()).hexdigest()[:12]}"
    assert machine.ask(setup, **environment) == {
        **EVERYTHING,
        "resolver": "nameserver 198.18.0.3",
        "doctor": "reduced  subnets          one of containers and one of the machine overlap: "
        f"10.128.0.0/20 ({bridge}) and 10.128.0.0/24",
    }
    assert leftovers() == []


def test_a_machine_whose_name_servers_have_ipv6_alone(
    machine: Machine, leftovers: Callable[[], list[str]]
) -> None:
    setup = f"""{CABLE}
ip address add 192.168.7.15/24 dev enp0s3; ip route add default via 192.168.7.1
ip address add fd77::53/64 dev enp0s3 nodad
"""
    environment = {"RESOLVER": "fd77::53", "RESOLV_CONF": "nameserver fd77::53"}
    assert machine.ask(setup, **environment) == {
        **EVERYTHING,
        "resolver": "nameserver fd00::3",
        "doctor": SUBNETS.format("10.0.2.0/24"),
    }
    assert leftovers() == []


def test_a_machine_with_systemd_resolved_that_gets_another_name(
    machine: Machine, leftovers: Callable[[], list[str]]
) -> None:
    """Its resolv.conf is a link into /run, and names a server that only the machine itself reaches."""
    setup = f"""{CABLE}
ip address add 192.168.7.15/24 dev enp0s3; ip route add default via 192.168.7.1
mkdir -p etc/upper etc/work
layers="lowerdir=/etc,upperdir=$PWD/etc/upper,workdir=$PWD/etc/work,userxattr"
mount -t overlay -o "$layers" overlay /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/resolve; touch /run/systemd/resolve/stub-resolv.conf
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
"""
    environment = {
        "RESOLVER": "127.0.0.53",
        "RESOLV_CONF": "nameserver 127.0.0.53\noptions edns0 trust-ad",
        "THEN": "hostname other",
    }
    assert machine.ask(setup, **environment) == {
        **EVERYTHING,
        "resolver": "nameserver 10.0.2.3",
        "doctor": SUBNETS.format("10.0.2.0/24"),
    }
    assert leftovers() == []


def test_a_machine_without_a_network(machine: Machine, leftovers: Callable[[], list[str]]) -> None:
    """Published ports answer; the only address of the machine is one that containers may not reach."""
    environment = {"RESOLVER": "127.0.0.1", "RESOLV_CONF": "", "TOLD": "way out"}
    told = machine.ask("", **environment)
    assert "unreachable" in told.pop("outside")
    assert told == {
        "port": "published",
        "own name": "Address: 10.128.0.2",
        "name": "",
        "resolver": "nameserver 10.0.2.3",
        "doctor": "reduced  way out          this machine has no IPv4 address but those of its loopback",
    }
    assert leftovers() == []
