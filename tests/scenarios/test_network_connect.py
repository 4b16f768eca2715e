"""`cntnr network connect` and `disconnect`: networks of containers that run, and of those that do not."""

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, assert_refused, free_port, http_get
from tests.scenarios.reach import SAYS, addresses, answers, is_refused, look_up

pytestmark = [pytest.mark.runtimes, pytest.mark.usefixtures("busybox_image")]

SERVICE = ", ".join(line.strip() for line in SAYS.strip().splitlines())


def service(name: str, more: str = "") -> str:
    return f"services: {{{name}: {{{SERVICE}, hostname: {name}{more}}}}}"


def network(project: Project, *words: str) -> Result:
    return project.cntnr("network", *words)


def container_id(project: Project) -> str:
    [container] = project.ps()
    return str(container["ID"])


def routes(project: Project, name: str) -> list[str]:
    return project.exec(name, "ip", "route").ok().stdout.splitlines()


def test_a_running_container_is_on_a_network_until_it_leaves(make_project: MakeProject) -> None:
    first, second = make_project(service("a")), make_project(service("b"))
    first.up()
    second.up()
    container = f"{first.name}-a-1"
    network(first, "create", "--subnet", "10.97.0.0/24", "meet").ok()
    joined = network(
        first, "connect", "--alias", "first,erste", "--alias", "premier", "--ip", "10.97.0.50",
        "--driver-opt", "com.docker.network.endpoint.ifname=meet0", "--gw-priority", "-1",
        "meet", container,
    ).ok()  # fmt: skip
    assert (joined.stdout, joined.stderr) == ("", "")
    assert addresses(first, "a")["meet0"] == "10.97.0.50"
    assert_refused(network(first, "connect", "meet", container), "already exists in network meet")
    identity = network(first, "inspect", "-f", "{{.Id}}", "meet").ok().stdout.strip()
    network(
        second, "connect", "--link", f"{container}:it", identity[:12], f"{second.name}-b-1"
    ).ok()

    # Names on it resolve on both sides, those of a link on one; those of the other networks do not.
    reached = answers(second, "b", *(f"{name}/who" for name in ("a", "erste", "premier", "it")))
    assert reached == dict.fromkeys(("a/who", "erste/who", "premier/who", "it/who"), "a")
    assert look_up(first, "a", "b", "it").keys() == {"b"}
    assert look_up(first, "a", "b", server="127.0.0.11").keys() == {"b"}
    default = next(line for line in routes(first, "a") if line.startswith("default"))
    assert "eth0" in default  # of two networks that with the higher priority leads outside
    assert {one["Name"] for one in endpoints(first, "meet")} == {container, f"{second.name}-b-1"}

    # It stays after a restart, and after `up`, which would only miss a network of the file.
    first.compose("restart", "-t", "0").ok()
    assert addresses(first, "a")["meet0"] == "10.97.0.50"
    parts.kill_supervisor(first)
    first.up()
    assert answers(second, "b", "premier/who") == {"premier/who": "a"}
    assert_refused(network(first, "rm", "meet"), "has active endpoints")

    network(first, "disconnect", "meet", container).ok()
    assert addresses(first, "a").keys() == {"eth0"}
    assert not look_up(second, "b", "a", "premier")
    assert_refused(network(first, "disconnect", "meet", container), "is not connected to network")
    first.compose("restart", "-t", "0").ok()
    assert addresses(first, "a").keys() == {"eth0"}
    network(second, "disconnect", "-f", "meet", f"{second.name}-b-1").ok()
    network(first, "rm", "meet").ok()


def endpoints(project: Project, name: str) -> list[dict[str, str]]:
    described = network(project, "inspect", name).ok().json[0]
    return list(described["Containers"].values())


def test_up_misses_a_network_of_the_file_only(make_project: MakeProject) -> None:
    port = free_port()
    text = service("a", f', ports: ["127.0.0.1:{port}:80"]')
    project = make_project(text)
    project.up()
    own, container = f"{project.name}_default", f"{project.name}-a-1"
    network(project, "create", "--internal", "inner").ok()
    network(project, "connect", "inner", container).ok()
    before = container_id(project)
    project.up()
    assert container_id(project) == before

    # The network whose address its ports led to: they follow, and so does the way outside.
    network(project, "disconnect", own, container).ok()
    assert addresses(project, "a").keys() == {"eth1"}
    assert not [line for line in routes(project, "a") if line.startswith("default")]
    assert http_get(f"http://127.0.0.1:{port}/who") == "a\n"
    network(project, "disconnect", "inner", container).ok()
    assert addresses(project, "a") == {}
    assert is_refused("127.0.0.1", port)
    network(project, "connect", own, container).ok()
    assert addresses(project, "a").keys() == {"eth0"}
    assert [line for line in routes(project, "a") if line.startswith("default")]
    assert http_get(f"http://127.0.0.1:{port}/who") == "a\n"

    network(project, "disconnect", own, container).ok()
    again = project.up()
    assert "Recreate" in again.stderr
    assert container_id(project) != before
    assert addresses(project, "a").keys() == {"eth0"}
    network(project, "rm", "inner").ok()


def test_a_stopped_container_is_on_a_network_from_its_next_start(make_project: MakeProject) -> None:
    project = make_project(service("a"))
    project.up()
    project.compose("stop", "-t", "0").ok()
    container = f"{project.name}-a-1"
    network(project, "create", "--subnet", "10.97.1.0/24", "later").ok()
    network(project, "connect", "--ip", "10.97.1.7", "later", container).ok()
    network(project, "connect", "--ip", "10.97.1.9", "later", container).ok()  # the last one counts
    project.compose("start").ok()
    assert "10.97.1.9" in addresses(project, "a").values()
    project.compose("stop", "-t", "0").ok()
    network(project, "disconnect", "later", container).ok()
    network(project, "rm", "later").ok()
    project.compose("start").ok()
    assert len(addresses(project, "a")) == 1


def test_containers_of_no_project_leave_the_default_network(make_project: MakeProject) -> None:
    place = make_project()
    words = ("run", "-d", "--stop-signal", "KILL", "busybox", "sleep", "1000")
    made = [place.cntnr(*words).ok().stdout.strip() for _ in "ab"]
    network(place, "create", "apart").ok()
    for identity in made:
        network(place, "connect", "--alias", f"c{identity[:5]}", "apart", identity[:10]).ok()
        network(place, "disconnect", "bridge", identity).ok()
    first, other = made
    ping = ("run", "--rm", "--network", "apart", "busybox", "ping", "-c", "1", "-w", "3")
    place.cntnr(*ping, f"c{first[:5]}").ok()
    place.cntnr("restart", "-t", "0", first, other).ok()
    place.cntnr(*ping, f"c{other[:5]}").ok()
    names = network(place, "ls", "-f", "type=builtin", "--format", "{{.Name}}").ok().stdout
    assert names == "bridge\n"
    network(place, "connect", "bridge", first).ok()
    assert len(endpoints(place, "bridge")) == 1
    refused = network(place, "connect", "--alias", "x", "bridge", other)
    assert_refused(refused, "user-defined networks only")
    assert_refused(network(place, "connect", "host", other), "connected to host network")
    assert_refused(network(place, "disconnect", "none", other), "disconnected from none network")
    place.cntnr("rm", "-f", *made).ok()
    network(place, "rm", "apart").ok()


def test_what_cannot_be_connected_is_told(make_project: MakeProject) -> None:
    project = make_project(f"""
services:
  a: {{{SERVICE}}}
  none: {{{SERVICE}, network_mode: none}}
  host: {{{SERVICE.replace("-p 80", "-p 18431")}, network_mode: host}}
""")
    project.up()
    network(project, "create", "--subnet", "10.97.2.0/24", "net").ok()
    a, none, host = (f"{project.name}-{name}-1" for name in ("a", "none", "host"))
    cases = [
        (("net", "absent"), "No such container: absent"),
        (("absent", a), "network absent not found"),
        (("net", none), "in private (none) mode"),
        (("net", host), "sharing network namespace"),
        (("--ip", "10.1.1.1", "net", a), "it is not in 10.97.2.0/24"),
        (("--ip", "10.97.2.1", "net", a), "the gateway has it"),
        (("--ip", "ten", "net", a), 'invalid address "ten"'),
        (("--alias", "a b", "net", a), "invalid network alias"),
        (("--driver-opt", "x=y", "net", a), 'unknown driver option "x=y"'),
        (("--driver-opt", "com.docker.network.endpoint.ifname=eth0", "net", a), "eth0"),
        (("--ip6", "fd00::2", "net", a), "--ip6"),
        (("--link-local-ip", "169.254.3.4", "net", a), "--link-local-ip"),
    ]
    for words, text in cases:
        assert_refused(network(project, "connect", *words), text)
    assert addresses(project, "a").keys() == {"eth0"}
    assert endpoints(project, "net") == []
    network(project, "rm", "net").ok()
