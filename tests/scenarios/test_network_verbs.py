"""`cntnr network`: networks that several projects share, and those of projects."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused
from tests.scenarios.reach import SAYS, addresses, answers, look_up

pytestmark = pytest.mark.usefixtures("busybox_image")

SHARED = f"""
services:
  NAME: {{{", ".join(line.strip() for line in SAYS.strip().splitlines())}, hostname: NAME}}
networks:
  default: {{external: true, name: shared}}
"""


def shared(make_project: MakeProject, name: str) -> Project:
    return make_project(SHARED.replace("NAME", name))


def networks(project: Project, *words: str) -> list[str]:
    listed = project.cntnr("network", "ls", "--format", "{{.Name}}", *words).ok()
    return [name for name in listed.stdout.split() if name != "bridge"]  # docker's own


def inspected(project: Project, name: str) -> "dict[str, object]":
    described: dict[str, object] = project.cntnr("network", "inspect", name).ok().json[0]
    return described


def test_projects_meet_on_an_external_network(make_project: MakeProject) -> None:
    first, second = shared(make_project, "a"), shared(make_project, "b")
    refused = first.compose("up", "-d")
    assert_refused(refused, "network shared declared as external, but could not be found")
    assert "cntnr network create shared" in refused.stderr
    identity = first.cntnr("network", "create", "shared", "--label", "team=x").ok().stdout.strip()
    assert re.fullmatch("[0-9a-f]{64}", identity)
    with ThreadPoolExecutor() as pool:  # both need its bridge at the same moment
        list(pool.map(Project.up, (first, second)))
    assert answers(first, "a", "b/who") == {"b/who": "b"}
    assert answers(second, "b", "a/who") == {"a/who": "a"}

    described = inspected(first, "shared")
    containers = described["Containers"]
    assert isinstance(containers, dict)
    names = {f"{first.name}-a-1", f"{second.name}-b-1"}
    assert {one["Name"] for one in containers.values()} == names
    [address] = [one["IPv4Address"] for one in containers.values() if "-a-1" in one["Name"]]
    assert address == f"{addresses(first, 'a')['eth0']}/20"
    in_use = first.cntnr("network", "rm", "shared")
    assert_refused(in_use, "network shared has active endpoints", f'name:"{first.name}-a-1"')

    # The end of a project leaves the network, and the other project on it.
    first.down()
    assert answers(second, "b", "b/who") == {"b/who": "b"}
    assert not look_up(second, "b", "a")
    assert networks(second) == ["shared"]
    first.up()
    assert answers(second, "b", "a/who") == {"a/who": "a"}
    parts.kill_supervisor(first)
    first.compose("restart", "-t", "0").ok()
    assert answers(second, "b", "a/who") == {"a/who": "a"}
    first.down()
    second.down()
    assert inspected(first, "shared")["Id"] == identity
    assert first.cntnr("network", "rm", "shared").ok().stdout == "shared\n"


def test_a_network_is_removed_while_other_projects_run(make_project: MakeProject) -> None:
    project = shared(make_project, "a")
    other = make_project("services: {a: {image: busybox, command: sleep 100, stop_signal: KILL}}")
    own = f"{other.name}_default"
    project.cntnr("network", "create", "shared").ok()
    other.up()
    project.up()
    project.down()
    servers = len(parts.find(project.user, "dnsmasq"))
    project.cntnr("network", "rm", "shared").ok()
    assert len(parts.find(project.user, "dnsmasq")) == servers - 1
    place = project.user.inside("networks")
    assert place is not None
    assert [path.name for path in place.glob("*.json")] == [f"{own}.json"]
    # A project's own network: removed where nothing runs on it, and made again by `up`.
    assert_refused(project.cntnr("network", "rm", own), "has active endpoints")
    assert project.cntnr("network", "prune", "-f").ok().stdout == ""
    other.compose("stop", "-t", "0").ok()
    assert project.cntnr("network", "prune", "-f").ok().stdout == ""  # a stopped container is on it
    project.cntnr("network", "remove", own).ok()
    assert networks(project) == []
    other.up()
    assert networks(project) == [own]


def test_options_of_create(make_project: MakeProject) -> None:
    project = shared(make_project, "a")
    words = (
        "--subnet=10.99.0.0/24", "--gateway=10.99.0.9", "--ip-range=10.99.0.128/25",
        "--aux-address=router=10.99.0.200", "--internal", "--attachable", "--label=a=b", "--label=c",
        "--opt=com.docker.network.driver.mtu=1400", "--driver=bridge", "--ipam-driver=default", "--ipv4",
    )  # fmt: skip
    created = project.cntnr(
        "network", "create", *words, "--opt=a=b", "--ipam-opt=c=d", "shared"
    ).ok()
    assert "warning: --opt a has no effect" in created.stderr
    assert "warning: --ipam-opt c=d has no effect" in created.stderr
    described = inspected(project, "shared")
    assert described["IPAM"] == {
        "Driver": "default",
        "Options": {},
        "Config": [
            {
                "Subnet": "10.99.0.0/24",
                "IPRange": "10.99.0.128/25",
                "Gateway": "10.99.0.9",
                "AuxiliaryAddresses": {"router": "10.99.0.200"},
            }
        ],
    }
    assert (described["Internal"], described["Attachable"]) == (True, True)
    assert described["Labels"] == {"a": "b", "c": ""}
    assert described["Options"] == {"com.docker.network.driver.mtu": "1400", "a": "b"}
    project.up()
    assert addresses(project, "a")["eth0"] == "10.99.0.128"
    link = project.exec("a", "ip", "link", "show", "eth0").ok().stdout
    assert "mtu 1400" in link
    assert "default" not in project.exec("a", "ip", "route").ok().stdout
    project.down()
    project.cntnr("network", "rm", "shared").ok()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("taken",), "network with name taken already exists"),
        (("host",), "operation is not permitted on predefined host network"),
        (("a/b",), "cannot name a network"),
        (("--driver", "macvlan", "n"), "driver macvlan is not available without root"),
        (("--ipam-driver", "dhcp", "n"), "there is no IPAM driver dhcp"),
        (("--gateway", "10.1.1.1", "n"), "no matching subnet for gateway 10.1.1.1"),
        (("--subnet", "foo", "n"), "subnet foo"),
        (("--subnet", "10.98.0.128/25", "n"), "overlaps network taken"),
        (("--ipv6", "n"), "--ipv6"),
        (("--subnet", "fd00::/64", "n"), "fd00::/64 is a subnet of IPv6"),
        (("--subnet", "10.1.0.0/24,10.2.0.0/24", "n"), "a network has one subnet"),
        (("--ipv4=false", "n"), "without IPv4 addresses"),
        (("--label", "=x", "n"), "empty name"),
        (("--config-only", "n"), "--config-only"),
        (("-o", "com.docker.network.driver.mtu=1", "n"), "driver.mtu cannot be '1'"),
    ],
)
def test_create_refuses(make_project: MakeProject, words: tuple[str, ...], error: str) -> None:
    project = make_project()
    project.cntnr("network", "create", "--subnet", "10.98.0.0/24", "taken").ok()
    refused = project.cntnr("network", "create", *words)
    assert refused.returncode != 0
    assert error in refused.stderr
    assert networks(project) == ["taken"]
    project.cntnr("network", "rm", "taken").ok()


def test_ls_inspect_rm_and_prune(make_project: MakeProject) -> None:
    project = make_project()
    assert not parts.find(project.user, "holder's parent")
    ids = {
        name: project.cntnr("network", "create", *words, name).ok().stdout.strip()
        for name, words in {"n-a": ("--label", "x=1"), "n-b": ("--label", "x=2"), "m": ()}.items()
    }
    assert not parts.find(project.user, "holder's parent")  # a network alone needs no process
    assert networks(project) == ["m", "n-a", "n-b"]
    assert networks(project, "--filter", "name=n-") == ["n-a", "n-b"]
    assert networks(project, "--filter", "label=x") == ["n-a", "n-b"]
    assert networks(project, "--filter", "label=x=2") == ["n-b"]
    assert networks(project, "--filter", f"id={ids['m'][:20]}") == ["m"]
    assert networks(project, "--filter", "driver=macvlan") == []
    assert networks(project, "--filter", "type=builtin") == []
    assert networks(project, "-f", "type=custom", "-f", "scope=local", "-f", "dangling=true") == [
        "m",
        "n-a",
        "n-b",
    ]
    assert_refused(
        project.cntnr("network", "ls", "--filter", "foo=bar"), "invalid filter 'foo=bar'"
    )
    table = project.cntnr("network", "list").ok().stdout.splitlines()
    assert table[0].split() == ["NETWORK", "ID", "NAME", "DRIVER", "SCOPE"]
    assert table[1].split() == [ids["m"][:12], "m", "bridge", "local"]
    quiet = project.cntnr("network", "ls", "-q", "--no-trunc").ok().stdout.split()
    assert quiet == [ids["m"], ids["n-a"], ids["n-b"]]
    [row] = project.cntnr("network", "ls", "--format", "json", "-f", "name=n-a").ok().json_lines
    assert (row["ID"], row["Labels"], row["IPv6"]) == (ids["n-a"][:12], "x=1", "false")

    mixed = project.cntnr("network", "inspect", ids["m"][:12], "nope")
    assert mixed.returncode == 1
    assert [one["Name"] for one in json.loads(mixed.stdout)] == ["m"]
    assert "network nope not found" in mixed.stderr
    formatted = project.cntnr("network", "inspect", "-v", "-f", "{{.Name}} {{.Internal}}", "m").ok()
    assert formatted.stdout == "m false\n"
    subnets = "{{range .IPAM.Config}}{{.Subnet}}{{end}} {{(index .IPAM.Config 0).Gateway}}"
    shown = project.cntnr("network", "inspect", "--format", subnets, "m").ok().stdout.split()
    assert [one.rpartition(".")[0] for one in shown][1] == shown[0].rpartition(".")[0]

    removed = project.cntnr("network", "rm", "nope", ids["m"][:12])
    assert (removed.returncode, removed.stdout) == (1, "m\n")
    assert "network nope not found" in removed.stderr
    project.cntnr("network", "rm", "-f", "nope").ok()
    pruned = project.cntnr(
        "network", "prune", "-f", "--filter", "label!=x=2", "--filter", "until=0s"
    )
    assert pruned.ok().stdout == "Deleted Networks:\nn-a\n\n"
    assert project.cntnr("network", "prune", "-f", "--filter", "until=1h").ok().stdout == ""
    asked = project.cntnr("network", "prune", stdin="n\n").ok()
    assert "WARNING! This will remove all custom networks" in asked.stderr
    assert networks(project) == ["n-b"]
    assert project.cntnr("network", "prune", stdin="y\n").ok().stdout.split()[-1] == "n-b"
    assert networks(project) == []
