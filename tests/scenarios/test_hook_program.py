"""`cntnr-hook` connects containers that runc and crun start themselves, outside of cntnr."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios import bundles
from tests.scenarios.lib import ROOT, User, free_port, http_answers

Leftovers = Callable[[], list[str]]
RUNTIMES = ("runc", "crun")
TELL = (
    "ip route; cat /sys/class/net/eth0/mtu /proc/sys/net/core/somaxconn /etc/resolv.conf /etc/hosts;"
    " echo page >/index.html; echo ready; exec httpd -f -p 80"
)


@pytest.fixture
def folder(user: User) -> Iterator[Path]:
    """Yield a folder for bundles, on whose path lists of the user's own lie, too."""
    folder = user.base / "by-hand"
    lists = user.home / ".config/cntnr/cni/net.d"
    lists.mkdir(parents=True)
    shutil.copy(ROOT / "contrib/cni/examples/own.conflist", lists)
    folder.mkdir()
    user.own(user.home / ".config/cntnr")
    user.own(folder)
    yield folder
    shutil.rmtree(folder)
    shutil.rmtree(user.home / ".config/cntnr")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_bundle_by_hand_has_the_networks_of_the_user_s_lists(
    user: User, folder: Path, leftovers: Leftovers, runtime: str
) -> None:
    port = free_port()
    hook = [
        *("--hostname", "web", "--domainname", "home.test", "--dns-search", "a.test"),
        *("--dns-opts", "ndots:3", "--hosts-entry", "db=10.9.9.9"),
        *("-p", f"127.0.0.1:{port}:80", "own", "bridge"),
    ]
    bundle = bundles.write_bundle(user, folder / runtime, "sh", "-c", TELL, hook=hook)
    with bundles.running(user, runtime, bundle, f"h-{runtime}") as process:
        told = bundles.output_of(process, "ready")
        # The first list: its MTU, its sysctl (tuning), its name server; and a second interface.
        assert "default via 10.77.0.1 dev eth0" in told
        assert "10.88.0.0/16 dev eth1" in told
        assert "\n1400\n321\n" in told
        assert "nameserver 9.9.9.9\nsearch a.test\noptions ndots:3\n" in told
        assert "10.9.9.9\tdb\n" in told
        assert "10.77.0.2\tweb.home.test web\n" in told
        assert http_answers(f"http://127.0.0.1:{port}/index.html") == "page\n"
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", port))  # on the address alone that was asked for
    bundles.call(user, runtime, "delete", "-f", f"h-{runtime}")
    bundles.wait_for_no_files(bundle / "cni")
    assert leftovers() == []


def test_what_cannot_be_connected_does_not_start(
    user: User, folder: Path, leftovers: Leftovers
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        hook = ["-p", f"127.0.0.1:{port}:80", "bridge"]
        bundle = bundles.write_bundle(user, folder / "b", "echo", "it runs", hook=hook)
        done = bundles.call(user, "runc", "run", "-b", str(bundle), "taken")
    assert done.returncode != 0
    assert f"cannot publish port 127.0.0.1:{port}/tcp" in done.stderr
    assert "it runs" not in done.stdout
    with bundles.changed_config(bundle) as config:
        config["hooks"]["prestart"][0]["args"] = ["cntnr-hook", "net", "init", "nowhere"]
    done = bundles.call(user, "runc", "run", "-b", str(bundle), "nowhere")
    assert "no CNI configuration list is named nowhere" in done.stderr
    # A folder of the bundle that leads elsewhere is not written to.
    (folder / "elsewhere").mkdir()
    shutil.rmtree(bundle / "cni", ignore_errors=True)
    (bundle / "cni").symlink_to(folder / "elsewhere")
    with bundles.changed_config(bundle) as config:
        config["hooks"]["prestart"][0]["args"] = ["cntnr-hook", "net", "init", "bridge"]
    done = bundles.call(user, "runc", "run", "-b", str(bundle), "linked")
    assert f"cannot use {bundle}/cni" in done.stderr
    assert list((folder / "elsewhere").iterdir()) == []
    assert leftovers() == []


def test_root_of_a_namespace_has_one_bridge_for_all_its_containers(
    user: User, folder: Path, leftovers: Leftovers
) -> None:
    web = bundles.write_bundle(user, folder / "web", "httpd", "-f", "-p", "80", hook=["bridge"])
    (web / "rootfs/index.html").write_text("page\n")
    ask = (
        "i=0; until wget -qO- http://10.88.0.2/index.html;"
        " do i=$((i+1)); [ $i -lt 40 ] || exit 1; sleep 0.1; done"
    )
    client = bundles.write_bundle(user, folder / "client", "sh", "-c", ask, hook=["bridge"])
    for bundle in (web, client):
        with bundles.changed_config(bundle) as config:  # root there has all ids already
            del config["linux"]["uidMappings"], config["linux"]["gidMappings"]
            spaces = config["linux"]["namespaces"]
            config["linux"]["namespaces"] = [one for one in spaces if one["type"] != "user"]
    user.own(folder)
    script = (
        f"runc --root /run/r run -d -b {web} web </dev/null >/dev/null 2>/run/e"
        f" || {{ cat /run/e; exit 1; }}; runc --root /run/r run -b {client} client; code=$?;"
        f" runc --root /run/r kill web KILL; sleep 0.2; runc --root /run/r delete -f web; exit $code"
    )
    argv = ["rootlesskit", "--net=slirp4netns", "--disable-host-loopback", "--copy-up=/etc", "--copy-up=/run",
            "--copy-up=/var/lib", "--pidns", "sh", "-c", script]  # fmt: skip
    done = user.run(*argv, timeout=60)
    assert done.ok().stdout == "page\n"
    assert json.loads((web / "config.json").read_text())["hooks"]["poststop"]
    for bundle in (web, client):
        bundles.wait_for_no_files(bundle / "cni")
    assert leftovers() == []
