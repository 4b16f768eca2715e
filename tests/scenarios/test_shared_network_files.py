"""A container that shares another one's network has its hostname, hosts and resolv.conf, as in docker."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project

FILES = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")


def names(project: Project, service: str) -> list[str]:
    """Return what a container calls itself: its hostname and domain, and the files that names come from."""
    script = "hostname; cat /proc/sys/kernel/domainname; echo $HOSTNAME"
    words = [project.exec(service, "sh", "-c", script).ok().stdout]
    return [*words, *(project.exec(service, "cat", file).ok().stdout for file in FILES)]


def test_names_are_those_of_the_owner_of_the_network(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(
        f"""
        x-common: &common
          image: {busybox_image}
          command: sleep 1000
          stop_signal: KILL
        services:
          owner:
            <<: *common
            hostname: box
            domainname: example.org
            extra_hosts: ["outside:192.0.2.7"]
          service: {{<<: *common, network_mode: "service:owner"}}
          container:
            <<: *common
            network_mode: container:shared-owner-1
            depends_on: [owner]
          chain: {{<<: *common, network_mode: "service:service"}}
          own: {{<<: *common, network_mode: "service:owner", hostname: other}}
        """,
        name="shared",
    )
    project.up()
    owner = names(project, "owner")
    assert owner[0].split() == ["box", "example.org", "box"]
    assert owner[1] == "box\n"
    assert "192.0.2.7\toutside\n" in owner[2]
    assert "box.example.org box\n" in owner[2]
    for service in ("service", "container", "chain"):
        assert names(project, service) == owner, service
    assert names(project, "own")[0].split()[0] == "other"

    # Addresses that come later are seen by all, since the files are the same ones.
    project.exec("owner", "sh", "-c", "echo 192.0.2.8 later >>/etc/hosts").ok()
    assert "later" in project.exec("chain", "cat", "/etc/hosts").ok().stdout


def test_the_owner_of_the_network_may_be_of_another_project(
    make_project: MakeProject, busybox_image: str
) -> None:
    common = f"image: {busybox_image}, command: sleep 1000, stop_signal: KILL"
    owner = make_project(
        f"""
        services:
          box: {{{common}, hostname: box}}
          side: {{{common}, network_mode: "service:box"}}
        """,
        name="owners",
    )
    owner.up()
    box = owner.ps("box")[0]["ID"]
    other = make_project(
        f"""
        services:
          name: {{{common}, network_mode: "container:owners-box-1"}}
          id: {{{common}, network_mode: "container:{box}", pid: "container:owners-box-1"}}
          chain: {{{common}, network_mode: "container:owners-side-1"}}
          gone: {{{common}, network_mode: "container:owners-gone-1", profiles: [gone]}}
        """,
        name="others",
    )
    other.up()
    for service in ("name", "id", "chain"):
        assert names(other, service) == names(owner, "box"), service
    refused = other.compose("up", "-d", "gone")
    assert refused.returncode == 1
    assert "network_mode container:owners-gone-1 does not run" in refused.stderr
    other.compose("--profile", "gone", "down").ok()


def test_keys_that_a_shared_network_leaves_without_effect_are_refused(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          box: {{image: {busybox_image}, command: sleep 1000, stop_signal: KILL}}
          side:
            image: {busybox_image}
            network_mode: service:box
            ports: ["80"]
        """)
    refused = project.compose("up", "-d")
    assert refused.returncode == 1
    assert "conflicting options: port publishing and the container type network mode" in (
        refused.stderr
    )
    assert "compose.yaml:7:" in refused.stderr
    assert project.states() == {}
    project.compose("config", "-q").ok()
    project.up("box")
