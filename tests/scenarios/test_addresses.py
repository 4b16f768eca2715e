"""A container keeps its address, and nobody gets one that is meant for another."""

import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, free_port, http_answers, rounds, wait_until
from tests.scenarios.reach import SAYS, addresses, answers, look_up

pytestmark = pytest.mark.usefixtures("busybox_image")

STAYS = f"""
x-says: &says {SAYS}
services:
  backend:
    image: busybox
    command: ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"]
    restart: always
    networks: [default, side]
  other: {{<<: *says, scale: 2}}
networks: {{default: , side: }}
"""


def interfaces(project: Project, service: str) -> dict[str, str]:
    """Return a container's MAC addresses by IPv4 address."""
    at = addresses(project, service)
    words = "for i; do cat /sys/class/net/$i/address; done"
    output = project.exec(service, "sh", "-c", words, "look", *at).ok().stdout.split()
    return dict(zip(at.values(), output, strict=True))


def test_a_container_keeps_its_addresses(make_project: MakeProject) -> None:
    project = make_project(STAYS)
    project.up()
    first = interfaces(project, "backend")
    assert len(first) == 2
    for address, hardware in first.items():
        octets = "".join(f":{int(octet):02x}" for octet in address.split("."))
        assert hardware == f"02:42{octets}"

    project.compose("restart", "-t", "0").ok()
    assert interfaces(project, "backend") == first
    # While it does not run nobody else gets its address.
    project.compose("stop", "-t", "0", "backend").ok()
    project.up("--no-deps", "--scale", "other=5", "other")
    project.compose("start", "backend").ok()
    assert interfaces(project, "backend") == first

    identity, restarts = project.ps("backend")[0]["ID"], _restarts(project)
    project.exec("backend", "kill", "1")
    wait_until(lambda: _restarts(project) > restarts, what="it has been restarted")
    assert project.ps("backend")[0]["ID"] == identity
    assert interfaces(project, "backend") == first

    project.up("-t", "0", "--force-recreate")
    assert project.ps("backend")[0]["ID"] != identity
    assert interfaces(project, "backend") == first
    every = [addresses(project, "other", index=number)["eth0"] for number in (1, 2)]
    assert len({*every, *first}) == 4


def _restarts(project: Project) -> int:
    return int(parts.statuses(project)[f"{project.name}-backend-1"].get("restarts", 0))


def test_up_works_whatever_was_killed(make_project: MakeProject) -> None:
    project = make_project(STAYS)
    project.up()
    first = interfaces(project, "backend")
    project.compose("stop", "-t", "0", "backend").ok()
    parts.kill_supervisor(project)
    project.up("--scale", "other=4")
    assert interfaces(project, "backend") == first
    parts.kill_all(project.user, "holder's parent")
    project.up("--scale", "other=4")
    every = [addresses(project, "other", index=number)["eth0"] for number in (1, 2, 3, 4)]
    assert len({*every, *interfaces(project, "backend")}) == 6


def test_neighbours_and_ports_reach_it_at_once_after_a_restart(make_project: MakeProject) -> None:
    port = free_port()
    project = make_project(f"""
x-says: &says {SAYS}
services:
  fixed:
    <<: *says
    ports: ["127.0.0.1:{port}:80"]
    networks: {{lan: {{ipv4_address: 10.67.3.9}}}}
  near: {{<<: *says, networks: [lan]}}
networks: {{lan: {{ipam: {{config: [{{subnet: 10.67.3.0/24}}]}}}}}}
""")
    project.up()
    wait_until(lambda: http_answers(f"http://127.0.0.1:{port}/who"))
    assert answers(project, "near", "10.67.3.9/who")
    for _ in range(2):
        project.compose("restart", "-t", "0", "fixed").ok()
        began = time.monotonic()
        wait_until(lambda: http_answers(f"http://127.0.0.1:{port}/who"), timeout=3)
        wait_until(lambda: answers(project, "near", "10.67.3.9/who"), timeout=3)
        assert time.monotonic() - began < 3


ORDERS = {
    "fixed last": "depends_on: [any]",
    "fixed at any time": "",
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_chosen_address_is_left_to_who_chose_it(make_project: MakeProject, order: str) -> None:
    project = make_project(f"""
services:
  any: {{image: busybox, command: sleep 900, stop_signal: KILL, scale: 4}}
  fixed:
    image: busybox
    command: sleep 900
    stop_signal: KILL
    networks: {{default: {{ipv4_address: 10.222.9.3}}}}
    {ORDERS[order]}
  later:
    image: busybox
    command: sleep 900
    stop_signal: KILL
    profiles: [more]
    networks: {{default: {{ipv4_address: 10.222.9.4}}}}
networks: {{default: {{ipam: {{config: [{{subnet: 10.222.9.0/28}}]}}}}}}
""")
    for _ in rounds(3):
        project.up()
        assert addresses(project, "fixed") == {"eth0": "10.222.9.3"}
        project.compose("restart", "-t", "0").ok()
        assert addresses(project, "fixed") == {"eth0": "10.222.9.3"}
        project.compose("--profile", "more", "up", "-d").ok()
        assert addresses(project, "later") == {"eth0": "10.222.9.4"}
        assert set(project.states().values()) == {"running"}
        project.compose("--profile", "more", "down").ok()
    project.up("any")
    project.up()
    assert addresses(project, "fixed") == {"eth0": "10.222.9.3"}


def test_a_chosen_address_may_become_another_s_while_its_owner_rests(
    make_project: MakeProject,
) -> None:
    text = """
services:
  any: {image: busybox, command: sleep 900, stop_signal: KILL}
FIXED
networks: {default: {ipam: {config: [{subnet: 10.222.8.0/24}]}}}
"""
    fixed = """
  fixed:
    image: busybox
    command: sleep 900
    stop_signal: KILL
    networks: {default: {ipv4_address: 10.222.8.2}}
"""
    project = make_project(text.replace("FIXED", ""))
    project.up()
    assert addresses(project, "any") == {"eth0": "10.222.8.2"}
    project.write("compose.yaml", text.replace("FIXED", fixed))
    taken = project.compose("up", "-d")
    assert taken.returncode == 1
    assert f"{project.name}-any-1 of project {project.name} has it" in taken.stderr
    project.compose("stop", "-t", "0").ok()
    project.up()
    assert addresses(project, "fixed") == {"eth0": "10.222.8.2"}
    assert addresses(project, "any") == {"eth0": "10.222.8.3"}


def test_ranges_and_aux_addresses_are_kept_to(make_project: MakeProject) -> None:
    project = make_project("""
services:
  any: {image: busybox, command: sleep 900, stop_signal: KILL, scale: 5, networks: [lan]}
networks:
  lan:
    ipam:
      config:
        - subnet: 10.68.0.0/24
          gateway: 10.68.0.65
          ip_range: 10.68.0.64/28
          aux_addresses: {router: 10.68.0.66, printer: 10.68.0.68}
""")
    [row] = [line for line in project.compose("check").stdout.splitlines() if "aux_addr" in line]
    assert row.split()[1] == "honoured"
    project.up()
    taken = {addresses(project, "any", index=number)["eth0"] for number in range(1, 6)}
    assert len(taken) == 5
    assert all(ip_address(one) in ip_network("10.68.0.64/28") for one in taken)
    assert not taken & {"10.68.0.65", "10.68.0.66", "10.68.0.68"}


def test_projects_on_one_network_take_different_addresses(make_project: MakeProject) -> None:
    says = ", ".join(line.strip() for line in SAYS.strip().splitlines())
    first = make_project(f"services:\n  a: {{{says}, scale: 3, networks: [n]}}\n"
                  "networks: {n: {name: shared-net}}\n")  # fmt: skip
    second = make_project(f"services:\n  b: {{{says}, scale: 3, networks: [n]}}\n"
                  "networks: {n: {name: shared-net, external: true}}\n")  # fmt: skip
    first.up()
    second.up()

    def every(scale: int = 3) -> list[str]:
        return [
            addresses(make_project, service, index=number)["eth0"]
            for make_project, service in ((first, "a"), (second, "b"))
            for number in range(1, scale + 1)
        ]

    before = every()
    assert len(set(before)) == 6
    first.compose("stop", "-t", "0").ok()
    second.up("--scale", "b=5")
    second.compose("restart", "-t", "0").ok()
    first.compose("start").ok()
    assert every() == before
    assert look_up(second, "b", "a") == {"a": set(before[:3])}
    with ThreadPoolExecutor() as both:
        more = ((first, "a=6"), (second, "b=6"))
        list(both.map(lambda each: each[0].up("--scale", each[1]), more))
    assert len(set(every(6))) == 12
    assert every() == before
    second.down()
    first.up("--scale", "a=7")
    assert addresses(first, "a", index=7)["eth0"] == min(before[3:], key=ip_address)


def test_an_address_is_left_to_a_service_of_another_project(make_project: MakeProject) -> None:
    small = "image: busybox, command: sleep 900, stop_signal: KILL"
    fixed = "networks: {lan: {ipv4_address: 10.72.0.3}}"
    owner = make_project(
        f"""
services:
  any: {{{small}, networks: [lan]}}
  fixed: {{{small}, {fixed}, profiles: [later]}}
networks: {{lan: {{name: NAME, ipam: {{config: [{{subnet: 10.72.0.0/28}}]}}}}}}
""".replace("NAME", "owner-lan")
    )
    guest = make_project(f"""
services: {{any: {{{small}, networks: [lan], scale: 3}}}}
networks: {{lan: {{name: owner-lan, external: true}}}}
""")
    owner.up()
    try:
        guest.up()
        taken = {addresses(guest, "any", index=number)["eth0"] for number in (1, 2, 3)}
        assert "10.72.0.3" not in taken
        owner.compose("--profile", "later", "up", "-d").ok()
        assert addresses(owner, "fixed") == {"eth0": "10.72.0.3"}
    finally:
        guest.compose("down", "-t", "0").ok()
        owner.compose("--profile", "later", "down", "-t", "0").ok()


def test_services_may_exchange_their_addresses(make_project: MakeProject) -> None:
    def text(a: int, b: int) -> str:
        services = "".join(
            f"  {name}:\n    <<: *says\n    networks: {{lan: {{ipv4_address: 10.71.0.{last}}}}}\n"
            for name, last in (("a", a), ("b", b))
        )
        pool = "ipam: {config: [{subnet: 10.71.0.0/24}]}"
        return f"x-says: &says {SAYS}\nservices:\n{services}networks: {{lan: {{{pool}}}}}\n"

    project = make_project(text(5, 6))
    project.up()
    for a, b in ((6, 5), (5, 7), (7, 5)):
        project.write("compose.yaml", text(a, b))
        project.up()
        assert addresses(project, "a") == {"eth0": f"10.71.0.{a}"}
        assert addresses(project, "b") == {"eth0": f"10.71.0.{b}"}
        assert set(project.states()) == {f"{project.name}-a-1", f"{project.name}-b-1"}
