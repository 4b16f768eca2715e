"""Networks: who reaches whom, who learns whose name, and what a file may ask of them."""

import json
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import free_port, http_answers, wait_until
from tests.scenarios.reach import SAYS, addresses, answers, host_address, look_up, outside_server

pytestmark = pytest.mark.usefixtures("busybox_image")

APART = f"""
x-says: &says {SAYS}
services:
  a: {{<<: *says, hostname: a, networks: {{front: {{aliases: [alpha]}}}}}}
  b: {{<<: *says, hostname: b, networks: {{back: {{aliases: [beta]}}}}}}
  both: {{<<: *says, hostname: both, networks: {{front: , back: {{aliases: [deep]}}}}}}
  shut: {{<<: *says, hostname: shut, networks: [closed]}}
  near: {{<<: *says, hostname: near, networks: [closed, back]}}
networks:
  front:
  back:
  closed: {{internal: true}}
"""


def test_networks_and_projects_are_apart(make_project: MakeProject) -> None:
    first = make_project(APART)
    second = make_project(
        f"services:\n  a: {{hostname: other, {_inline()}}}\n  c: {{{_inline()}}}\n"
    )
    first.up()
    second.up()
    at = {name: addresses(first, name) for name in ("a", "b", "both", "shut", "near")}
    other = addresses(second, "a")["eth0"]
    c = addresses(second, "c")["eth0"]
    own_gateway = at["a"]["eth0"].rpartition(".")[0] + ".1"
    back_gateway = at["b"]["eth0"].rpartition(".")[0] + ".1"
    other_gateway = other.rpartition(".")[0] + ".1"

    # By name: neighbours only.
    everybody = (
        "a",
        "alpha",
        "b",
        "beta",
        "both",
        "deep",
        "shut",
        "near",
        "c",
        f"{second.name}-a-1",
    )
    assert look_up(first, "a", *everybody) == {
        "a": {at["a"]["eth0"]},
        "alpha": {at["a"]["eth0"]},
        "both": {at["both"]["eth1"]},
    }
    assert set(look_up(first, "b", *everybody)) == {"b", "beta", "both", "deep", "near"}
    # Who is on two networks knows all of both, and his neighbours do not thereby know each other.
    seen = look_up(first, "both", *everybody)
    assert set(seen) == {"a", "alpha", "b", "beta", "both", "deep", "near"}
    assert seen["deep"] == {at["both"]["eth0"]}
    assert set(look_up(first, "near", *everybody)) == {
        "b",
        "beta",
        "both",
        "deep",
        "shut",
        "near",
    }
    assert set(look_up(first, "shut", *everybody)) == {"shut", "near"}
    # The same name means somebody else in the other project.
    assert look_up(second, "c", "a", "both", "alpha") == {"a": {other}}

    # By address: neighbours only, whoever knows the others' addresses.
    urls = [f"{address}/who" for each in at.values() for address in each.values()]
    urls += [f"{other}/who", f"{c}/who"]
    with ThreadPoolExecutor() as pool:  # what is dropped takes time
        who = ((first, "a"), (first, "both"), (first, "shut"), (second, "c"))
        bodies = list(pool.map(lambda each: answers(*each, *urls), who))
    assert set(bodies[0].values()) == {"a", "both"}
    assert set(bodies[1].values()) == {"a", "b", "both", "near"}
    assert set(bodies[2].values()) == {"shut", "near"}
    assert set(bodies[3]) == {f"{other}/who", f"{c}/who"}

    # Another network's gateway answers nobody, so it tells no names either.
    assert look_up(first, "a", "a", server=own_gateway)
    assert not look_up(first, "a", "b", server=back_gateway)
    assert not look_up(first, "a", "a", server=other_gateway)
    pinged = "for to; do ping -c 1 -W 1 $to >/dev/null 2>&1 && echo $to; done; true"
    to = (own_gateway, back_gateway, other_gateway)
    assert first.exec("a", "sh", "-c", pinged, "ping", *to).ok().stdout.split() == [own_gateway]


def _inline() -> str:
    says = json.loads(json.dumps(SAYS)).strip().splitlines()
    return ", ".join(line.strip() for line in says)


def test_an_internal_network_leads_nowhere(make_project: MakeProject) -> None:
    project = make_project(
        APART.replace("hostname: a,", "hostname: a, extra_hosts: ['outside:host-gateway'],")
    )
    address = host_address()
    project.up("a", "near", "shut")
    with outside_server(address) as port:
        outside = f"{address}:{port}/"
        assert answers(project, "a", outside) == {outside: "greetings from outside"}
        assert answers(project, "a", f"outside:{port}/")  # by its extra_hosts
        assert answers(project, "near", outside)  # through its other network
        assert not answers(project, "shut", outside)
    routes = project.exec("shut", "ip", "route").ok().stdout
    assert "default" not in routes
    assert project.exec("near", "ip", "route").ok().stdout.count("default") == 1
    # Nobody asks the world for a name on behalf of the shut: not even the holder's own resolver.
    assert not look_up(project, "shut", "localhost.localdomain", "example.org")
    assert not look_up(project, "shut", "example.org", server="10.0.2.3")


NAMES = f"""
x-says: &says {SAYS}
services:
  web: {{<<: *says, hostname: box, networks: {{one: {{aliases: [www, shared]}}, two: {{aliases: [www2]}}}}}}
  mail:
    <<: *says
    container_name: post-office
    networks: {{one: {{aliases: [shared]}}}}
    links: ["web:frontend", "web"]
  many: {{<<: *says, scale: 3, networks: [one]}}
networks: {{one: , two: }}
"""


def test_a_container_has_all_its_names(make_project: MakeProject) -> None:
    project = make_project(NAMES)
    project.up()
    web, mail = addresses(project, "web"), addresses(project, "mail")["eth0"]
    short = {row["Service"]: row["ID"][:12] for row in project.ps()}
    own = ("web", f"{project.name}-web-1", short["web"], "www", "frontend")
    addresses_by_name = look_up(
        project, "mail", *own, "WEB", "www2", "box", "web.", "mail", "post-office", "shared"
    )
    assert {name: addresses_by_name.pop(name) for name in own} == {
        name: {web["eth0"]} for name in own
    }
    assert addresses_by_name == {
        "WEB": {web["eth0"]},  # names have no case
        "web.": {web["eth0"]},
        "mail": {mail},
        "post-office": {mail},
        "shared": {mail, web["eth0"]},
    }
    assert answers(project, "mail", "frontend/who", "shared/who").keys() == {
        "frontend/who",
        "shared/who",
    }
    backwards = project.exec("mail", "nslookup", web["eth0"]).ok().stdout
    assert "name = " in backwards
    assert project.name in backwards or "web" in backwards


def test_every_replica_answers_to_the_name(make_project: MakeProject) -> None:
    project = make_project(NAMES)
    project.up("many", "web")
    replicas = {addresses(project, "many", index=number)["eth0"] for number in (1, 2, 3)}
    assert look_up(project, "web", "many")["many"] == replicas
    bodies = answers(project, "web", *(f"{address}/who" for address in replicas))
    assert set(bodies.values()) == {row["ID"][:12] for row in project.ps("many")}
    # The order changes from answer to answer, so that who takes the first one meets each of them.
    ask = 'nslookup -type=a many | sed -n "/^Name:/,\\$ s/^Address: *//p" | head -n 1'
    loop = f"for n in $(seq 60); do {ask}; done | sort -u"
    assert set(project.exec("web", "sh", "-c", loop).ok().stdout.split()) == replicas

    project.up("--scale", "many=1", "many")
    assert look_up(project, "web", "many")["many"] == {addresses(project, "many")["eth0"]}
    project.up("--scale", "many=4", "many")
    assert len(look_up(project, "web", "many")["many"]) == 4


def test_names_follow_a_restart_and_go_with_the_container(make_project: MakeProject) -> None:
    project = make_project(NAMES)
    project.up("web", "mail")
    project.compose("restart", "-t", "0", "web").ok()
    after = addresses(project, "web")["eth0"]
    assert look_up(project, "mail", "web", "www", "frontend") == {
        "web": {after},
        "www": {after},
        "frontend": {after},
    }
    assert answers(project, "mail", "web/who") == {"web/who": "box"}

    project.compose("stop", "-t", "0", "web").ok()
    assert set(look_up(project, "mail", "web", "www", "frontend", "shared")) == {"shared"}
    project.compose("start", "web").ok()
    assert look_up(project, "mail", "web") == {"web": {addresses(project, "web")["eth0"]}}

    project.compose("kill", "web").ok()
    wait_until(lambda: not look_up(project, "mail", "web"), what="the name is gone")
    project.up("--force-recreate", "web")
    assert look_up(project, "mail", "web") == {"web": {addresses(project, "web")["eth0"]}}
    project.compose("rm", "-fs", "web").ok()
    assert not look_up(project, "mail", "web")


CHOSEN = f"""
x-says: &says {SAYS}
services:
  fixed:
    <<: *says
    mac_address: "02:00:00:00:00:07"
    networks:
      lan: {{ipv4_address: 10.77.0.5, interface_name: lan0}}
      side: {{mac_address: "02:00:00:00:00:08", priority: 5, gw_priority: 10}}
  free: {{<<: *says, networks: [lan]}}
networks:
  lan:
    name: the-lan
    ipam: {{config: [{{subnet: 10.77.0.0/24, gateway: 10.77.0.254, ip_range: 10.77.0.128/28}}]}}
    driver_opts: {{com.docker.network.driver.mtu: "1400", com.docker.network.bridge.name: br-lan}}
  side:
"""
GUEST = f"""
services:
  guest: {{networks: [theirs], {_inline()}}}
networks:
  theirs: {{name: the-lan, external: true}}
"""


def test_a_changed_network_is_made_anew_and_names_are_still_found(
    make_project: MakeProject,
) -> None:
    project = make_project(APART)
    project.up("a", "both", "b")
    project.write("compose.yaml", APART.replace("  back:\n", "  back: {internal: true}\n"))
    changed = project.up("-t", "0", "a", "both", "b")
    assert f"Network {project.name}_back  Removed" in changed.stderr
    # The one on two networks asks a resolver that follows the new one.
    assert set(look_up(project, "both", "a", "b", "beta")) == {"a", "b", "beta"}
    assert answers(project, "both", "a/who", "b/who") == {"a/who": "a", "b/who": "b"}
    assert "default" not in project.exec("b", "ip", "route").ok().stdout


NAME_SERVER = """
import socket, struct

wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind(("", 53))
while True:
    asked, sender = wire.recvfrom(2000)
    question = asked[12 : asked.index(b"\\0", 12) + 5]
    head = asked[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0)
    answer = b"\\xc0\\x0c" + struct.pack("!2HIH", 1, 1, 0, 4) + socket.inet_aton("10.1.2.3")
    wire.sendto(head + question + answer, sender)
"""


def test_other_names_are_asked_of_the_server_that_a_service_chooses(
    make_project: MakeProject, debian_images: dict[str, str]
) -> None:
    project = make_project(
        f"""
services:
  names:
    image: {debian_images["python"]}
    command: ["python3", "-c", {json.dumps(NAME_SERVER)}]
    init: true
    networks: {{lan: {{ipv4_address: 10.55.0.53}}}}
  one: {{{_inline()}, networks: [lan], dns: 10.55.0.53}}
  two: {{{_inline()}, networks: [lan, side], dns: [10.55.0.53]}}
  far: {{{_inline()}, networks: [side]}}
networks:
  lan: {{ipam: {{config: [{{subnet: 10.55.0.0/24}}]}}}}
  side:
"""
    )
    project.up()
    elsewhere = "cntnr.example.org"
    wait_until(lambda: look_up(project, "one", elsewhere) == {elsewhere: {"10.1.2.3"}})
    assert look_up(project, "two", elsewhere) == {elsewhere: {"10.1.2.3"}}
    # Neighbours are found all the same, and no name without a dot is asked elsewhere.
    assert set(look_up(project, "one", "two", "names", "far", "nobody")) == {"two", "names"}
    assert set(look_up(project, "two", "one", "far", "nobody")) == {"one", "far"}


def test_addresses_and_interfaces_are_as_the_file_says(make_project: MakeProject) -> None:
    here, guest = make_project(CHOSEN), make_project(GUEST)
    refusal = guest.compose("up", "-d")
    assert refusal.returncode == 1
    assert "network the-lan declared as external, but could not be found" in refusal.stderr

    here.up()
    fixed, free = addresses(here, "fixed"), addresses(here, "free")
    assert fixed["lan0"] == "10.77.0.5"
    assert ip_address(free["eth0"]) in ip_network("10.77.0.128/28")
    links = here.exec("fixed", "ip", "-o", "link").ok().stdout.splitlines()
    [lan] = [line for line in links if " lan0" in line]
    [side] = [line for line in links if " lan0" not in line and " lo:" not in line]
    assert "mtu 1400" in lan
    assert "02:00:00:00:00:08" in side
    routes = here.exec("fixed", "ip", "route").ok().stdout
    assert "default via 10.77" not in routes  # gw_priority chose the other
    assert here.exec("free", "ip", "route").ok().stdout.startswith("default via 10.77.0.254 ")

    # Another project joins by the network's name, and leaves it where it is.
    guest.up()
    assert look_up(guest, "guest", "fixed", "free") == {
        "fixed": {"10.77.0.5"},
        "free": set(free.values()),
    }
    assert set(look_up(here, "free", "guest")) == {"guest"}
    assert answers(guest, "guest", "free/who")
    busy = here.down()
    assert "Resource is still in use" in busy.stderr
    assert answers(guest, "guest", "guest/who")
    # When they have gone it goes too, without another word.
    guest.down()
    wait_until(lambda: not parts.supervisors(here), what="nothing is left of the network's project")
    assert "could not be found" in guest.compose("up", "-d").stderr


def test_docker_s_bridge_and_networks_by_name(make_project: MakeProject) -> None:
    port = free_port()
    project = make_project(
        f"services:\n  a: {{{_inline()}, network_mode: bridge, ports: ['127.0.0.1:{port}:80']}}\n"
        f"  b: {{{_inline()}}}\n"
    )
    there = make_project(f"services:\n  c: {{{_inline()}, network_mode: {project.name}_default}}\n")
    missing = there.compose("up", "-d")
    assert missing.returncode == 1
    assert f"network {project.name}_default" in missing.stderr
    project.up()
    assert http_answers(f"http://127.0.0.1:{port}/who")
    assert not look_up(project, "a", "b")
    assert "default via" in project.exec("a", "ip", "route").ok().stdout
    there.up()
    assert answers(there, "c", "b/who").keys() == {"b/who"}


@pytest.mark.parametrize(
    ("networks", "says"),
    [
        ("{one: {driver: macvlan}}", "driver"),
        ("{one: {driver: overlay}}", "driver"),
        ("{one: {driver_opts: {com.docker.network.bridge.name: tap0}}}", "bridge.name"),
        ("{one: {ipam: {config: [{subnet: 10.9.0.0/33}]}}}", "subnet"),
        ("{one: {ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.8.0.1}]}}}", "gateway"),
        ("{one: {ipam: {config: [{subnet: 10.9.0.0/24, ip_range: 10.8.0.0/28}]}}}", "ip_range"),
    ],
)
def test_what_cannot_be_had_is_refused(make_project: MakeProject, networks: str, says: str) -> None:
    project = make_project(
        f"services:\n  a: {{networks: [one], {_inline()}}}\nnetworks: {networks}\n"
    )
    refusal = project.compose("up", "-d")
    assert refusal.returncode == 1
    assert says in refusal.stderr
    assert "one" in refusal.stderr
    assert "Traceback" not in refusal.stderr
    assert project.ps() == []


def test_addresses_that_clash_are_refused(make_project: MakeProject) -> None:
    pool = "networks: {lan: {ipam: {config: [{subnet: 10.66.0.0/24}]}}}\n"
    text = "services:\n" + "".join(
        f"  {name}: {{networks: {{lan: {{ipv4_address: {address}}}}}, {_inline()}}}\n"
        for name, address in (
            ("a", "10.66.0.9"),
            ("b", "10.66.0.9"),
            ("c", "10.67.0.9"),
            ("d", "10.66.0.1"),
        )
    )
    here, other = (
        make_project(text + pool),
        make_project(f"services: {{a: {{networks: [lan], {_inline()}}}}}\n{pool}"),
    )
    here.up("a")
    taken = here.compose("up", "-d", "b")
    assert taken.returncode == 1
    assert "10.66.0.9" in taken.stderr
    assert f"{here.name}-b-1" in taken.stderr
    outside = here.compose("up", "-d", "c")
    assert outside.returncode == 1
    assert "cannot give address 10.67.0.9" in outside.stderr
    assert "10.66.0.0/24" in outside.stderr
    gateway = here.compose("up", "-d", "d")
    assert gateway.returncode == 1
    assert "address 10.66.0.1 on network" in gateway.stderr
    assert "the gateway has it" in gateway.stderr
    overlap = other.compose("up", "-d")
    assert overlap.returncode == 1
    assert f"subnet 10.66.0.0/24 overlaps network {here.name}_lan" in overlap.stderr
    assert answers(here, "a", "a/who")


def test_resolver_settings_reach_the_container(make_project: MakeProject) -> None:
    project = make_project(
        f"services:\n  a: {{{_inline()}, dns_search: [corp.example, lab.example], "
        "dns_opt: [ndots:2, use-vc]}\n"
        f"  b: {{{_inline()}, dns: 192.0.2.53, dns_search: .}}\n"
        f"  lone: {{{_inline()}, network_mode: none}}\n"
    )
    project.up()
    a = project.exec("a", "cat", "/etc/resolv.conf").ok().stdout.splitlines()
    assert "search corp.example lab.example" in a
    [options] = [line for line in a if line.startswith("options ")]
    assert {"ndots:2", "use-vc"} <= set(options.split())
    assert "ndots:0" not in options
    b = project.exec("b", "cat", "/etc/resolv.conf").ok().stdout
    assert "search" not in b
    assert look_up(project, "b", "a", "b").keys() == {
        "a",
        "b",
    }  # a server of its own hides nobody
    assert addresses(project, "lone") == {}
