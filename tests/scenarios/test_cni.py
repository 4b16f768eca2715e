"""CNI configuration lists of the user's own: what containers get of them, and what is refused."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused

pytestmark = pytest.mark.usefixtures("busybox_image")
Leftovers = Callable[[], list[str]]

STACK = """
services:
  a: &a {image: busybox, command: sleep 1000, stop_signal: KILL, networks: [front, back]}
  b: {<<: *a, networks: [back]}
networks: {front: , back: }
"""
TUNING = {"type": "tuning", "sysctl": {"net.core.somaxconn": "321"}, "mac": "02:00:00:00:00:99"}


@pytest.fixture
def lists(user: User) -> Iterator[Path]:
    """Yield the folder of the user's own CNI configuration lists."""
    folder = user.home / ".config/cntnr/cni/net.d"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(user.home / ".config/cntnr")


def write(user: User, file: Path, name: str, *others: Any, **bridge: Any) -> None:
    plugins = [{"type": "bridge", **bridge}, *others]
    tree = {"cniVersion": "1.0.0", "name": name, "plugins": plugins}
    file.write_text(json.dumps(tree, indent=2))
    user.own(user.home / ".config/cntnr")


def read_interface(project: Project, service: str, interface: str) -> tuple[str, str, str]:
    """Return a container's MTU, MAC address, and a sysctl of its network."""
    at = f"/sys/class/net/{interface}"
    files = (f"{at}/mtu", f"{at}/address", "/proc/sys/net/core/somaxconn")
    mtu, mac, most = project.exec(service, "cat", *files).ok().stdout.split()
    return mtu, mac, most


def test_a_list_of_the_user_s_is_used_for_all_networks(
    make_project: MakeProject, leftovers: Leftovers, lists: Path
) -> None:
    project = make_project(STACK)
    way = {"dst": "10.99.0.0/16"}
    write(
        project.user, lists / "a.conflist", "cntnr-bridge", TUNING, mtu=1400, ipam={"routes": [way]}
    )
    project.up()
    assert read_interface(project, "b", "eth0") == ("1400", "02:00:00:00:00:99", "321")
    assert read_interface(project, "a", "eth1")[0] == "1400"
    routes = project.exec("b", "ip", "route").ok().stdout
    assert "10.99.0.0/16 via " in routes
    project.exec("b", "ping", "-c", "1", "-W", "2", routes.split()[2]).ok()
    # What a container got it keeps until it is started again.
    write(project.user, lists / "a.conflist", "cntnr-bridge", TUNING | {"mac": "02:00:00:00:00:98"})
    project.compose("restart", "-t", "0", "b").ok()
    assert read_interface(project, "b", "eth0") == ("1400", "02:00:00:00:00:98", "321")
    project.down()
    assert leftovers() == []
    project.up()
    assert read_interface(project, "b", "eth0")[0] == "65520"


def test_a_list_may_be_for_one_network_alone(make_project: MakeProject, lists: Path) -> None:
    project = make_project(STACK)
    write(project.user, lists / "a.conflist", f"{project.name}_front", TUNING, mtu=1300)
    project.up()
    assert read_interface(project, "b", "eth0")[0] == "65520"
    sizes = {read_interface(project, "a", name)[0] for name in ("eth0", "eth1")}
    assert sizes == {"65520", "1300"}


def test_the_folder_may_be_said_by_netconfpath(make_project: MakeProject, lists: Path) -> None:
    project = make_project(STACK)
    write(project.user, lists / "a.conflist", "cntnr-bridge", mtu=1300)
    (project.folder / "lists").mkdir()
    write(project.user, project.folder / "lists/b.conflist", "cntnr-bridge", mtu=1200)
    project.up(env={"NETCONFPATH": str(project.folder / "lists")})
    assert read_interface(project, "b", "eth0")[0] == "1200"


def test_what_the_compose_file_says_counts_more(make_project: MakeProject, lists: Path) -> None:
    option = "{driver_opts: {com.docker.network.driver.mtu: 1500}}"
    project = make_project(STACK.replace("back: }", f"back: {option}}}"))
    write(project.user, lists / "a.conflist", "cntnr-bridge", mtu=1300)
    project.up("b")
    assert read_interface(project, "b", "eth0")[0] == "1500"


def test_a_list_that_cannot_be_used_is_refused(
    make_project: MakeProject, leftovers: Leftovers, lists: Path
) -> None:
    project = make_project(STACK)
    file = lists / "a.conflist"
    file.write_text('{"cniVersion": "0.4.0",\n "name" }')
    project.user.own(file)
    where = f"error: {file}:2:9: no JSON: Expecting ':' delimiter"
    assert_refused(project.compose("up", "-d"), where, "hint: correct the file, or remove it")
    write(project.user, file, "cntnr-bridge", {"type": "bandwith"})
    message = assert_refused(
        project.compose("up", "-d"), "there is no CNI plugin bandwith in /", "hint: "
    )
    assert f"error: {file}:9:7: " in message
    # A plugin that fails is heard, and what those before it made is taken back.
    write(project.user, file, "cntnr-bridge", {"type": "tuning", "sysctl": {"net.no.such": "1"}})
    assert_refused(project.compose("up", "-d", "b"), "eth0: ")
    project.down()
    assert leftovers() == []
    file.unlink()
    project.up()


def test_the_engine_reads_the_list_that_is_shipped(make_project: MakeProject) -> None:
    project = make_project(STACK)
    shipped = project.user.tree / "contrib/cni/cntnr-bridge.conflist"
    before = shipped.read_text()
    tree = json.loads(before)
    tree["plugins"][0]["mtu"] = 1399
    try:
        shipped.write_text(json.dumps(tree))
        project.up()
        assert read_interface(project, "b", "eth0")[0] == "1399"
    finally:
        shipped.write_text(before)
