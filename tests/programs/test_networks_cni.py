"""The hook of a bundle, run by a shell against fake plugins."""

import json
import subprocess
from pathlib import Path

import pytest

from cntnr_compose.host import distribution
from cntnr_compose.networks import cni, conflists
from cntnr_compose.networks.cni import Interface
from cntnr_compose.networks.plugins.plugin_chain import Conflist

ETH0 = Interface(
    name="eth0", network="p_a", bridge="br-1", subnet="10.0.0.0/24", gateway="10.0.0.1"
)
# Each notes how it was called, and answers with its name put to those that it was given.
PLUGIN = """#!/bin/sh
exec 3>>"$CALLS"
printf "%s %s %s %s " "${0##*/}" "$CNI_COMMAND" "$CNI_IFNAME" "${CNI_NETNS:--}" >&3
{ tr -d '\\n'; echo; } >&3
[ "${0##*/}" != "$FAILS" ] || { echo '{"msg": "it fails"}'; exit 1; }
printf '{\\n"by": "%s",\\n"ips": [{"address": "10.0.0.2/24"}]\\n}\\n' "${0##*/}"
"""
STATE = '{"ociVersion":"1.0.2","id":"abc","status":"creating","pid":42,"bundle":"%s"}'
CRUN_STATE = """{
  "ociVersion": "1.0",
  "id": "abc",
  "pid": 42,
  "root": "%s\\/rootfs",
  "bundle": "%s",
  "annotations": {
    "cntnr.name": "web"
  }
}
"""


class Bundle:
    """A bundle with a network, and what its plugins were called with."""

    def __init__(self, base: Path) -> None:
        self.folder, self._base = base / "bundle", base
        (base / "plugins").mkdir()
        for name in ("bridge", "host-local", "tuning", "bandwidth"):
            (base / "plugins" / name).write_text(PLUGIN)
            (base / "plugins" / name).chmod(0o755)
        self.folder.mkdir()

    def hook(
        self, verb: str, fails: str = "", interface: str = "", state: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        [hook] = cni.oci_hooks("abc")["prestart" if verb == "add" else "poststop"]
        env = dict(one.split("=", 1) for one in hook["env"])
        env |= {"CALLS": str(self._base / "calls"), "FAILS": fails}
        return subprocess.run(
            [*hook["args"], *filter(None, [interface])],
            executable=hook["path"],
            env=env,
            input=state or STATE % self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[tuple[str, dict[str, object]]]:
        """Give the calls so far: plugin, command, interface and namespace; the configuration."""
        calls = []
        for line in (self._base / "calls").read_text().splitlines():
            *words, conf = line.split(" ", 4)
            calls.append((" ".join(words), json.loads(conf)))
        return calls


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    bundle = Bundle(tmp_path)
    monkeypatch.setattr(distribution, "CNI_FOLDERS", (tmp_path / "plugins",))
    monkeypatch.setenv("NETCONFPATH", str(tmp_path / "net.d"))
    return bundle


def with_conflists(*interfaces: Interface) -> list[tuple[Interface, Conflist]]:
    return [(interface, conflists.find_conflist(interface.network)) for interface in interfaces]


def chain(tmp_path: Path, *others: str) -> None:
    plugins = [{"type": "bridge"}, *({"type": one, "says": "a b  %s\n\\"} for one in others)]
    (tmp_path / "net.d").mkdir()
    tree = {"cniVersion": "1.0.0", "name": "cntnr-bridge", "plugins": plugins}
    (tmp_path / "net.d/a.conflist").write_text(json.dumps(tree))


def test_one_plugin_is_called_once_and_the_address_given_back(bundle: Bundle) -> None:
    cni.write_configs(bundle.folder, with_conflists(ETH0))
    assert bundle.hook("add").returncode == 0
    assert bundle.hook("del").returncode == 0
    (add, conf), (delete, _) = bundle.calls()
    assert (add, delete) == ("bridge ADD eth0 /proc/42/ns/net", "host-local DEL eth0 -")
    assert conf == cni.plugin_configs(ETH0, conflists.find_conflist("p_a"))[0]


def test_the_state_of_crun_is_read_too(bundle: Bundle) -> None:
    cni.write_configs(bundle.folder, with_conflists(ETH0))
    folder = str(bundle.folder).replace("/", "\\/")
    assert bundle.hook("add", state=CRUN_STATE % (folder, folder)).returncode == 0
    [(add, _)] = bundle.calls()
    assert add == "bridge ADD eth0 /proc/42/ns/net"


def test_plugins_are_chained_and_called_backwards_in_the_end(
    bundle: Bundle, tmp_path: Path
) -> None:
    chain(tmp_path, "tuning", "bandwidth")
    names = ("eth0", "-x", ".y", "z.conf")
    cni.write_configs(
        bundle.folder, with_conflists(*(Interface(**fields(name=name)) for name in names))
    )
    assert bundle.hook("add").returncode == 0
    for name in names:
        calls = [one for one in bundle.calls() if f" {name} " in one[0]]
        assert [one.split()[0] for one, _ in calls] == ["bridge", "tuning", "bandwidth"]
        previous = [conf.get("prevResult", {}).get("by") for _, conf in calls]
        assert previous == [None, "bridge", "tuning"]
        assert all(conf.get("says", "a b  %s\n\\") == "a b  %s\n\\" for _, conf in calls)
        assert {(conf["name"], conf["cniVersion"]) for _, conf in calls} == {("p_a", "1.0.0")}
    assert cni.read_results(bundle.folder).keys() == set(names)
    assert cni.read_addresses(bundle.folder) == {"p_a": "10.0.0.2"}

    before = len(bundle.calls())
    assert bundle.hook("del", fails="tuning").returncode == 0  # the others are called all the same
    for name in names:
        deletions = [one for one in bundle.calls()[before:] if f" {name} " in one[0]]
        called = [f"{plugin} DEL {name} -" for plugin in ("bandwidth", "tuning", "bridge")]
        assert [one for one, _ in deletions] == called
        assert {conf["prevResult"]["by"] for _, conf in deletions} == {"bandwidth"}
        assert deletions[-1][1]["ipam"]["type"] == "host-local"


def test_one_interface_of_a_container_that_lives_comes_and_goes(
    bundle: Bundle, tmp_path: Path
) -> None:
    eth1 = Interface(**fields(name="eth1", network="p_b"))
    cni.write_configs(bundle.folder, with_conflists(ETH0, eth1))
    assert bundle.hook("add", interface="eth1").returncode == 0
    assert bundle.hook("del", interface="eth1").returncode == 0
    assert [one for one, _ in bundle.calls()] == [
        "bridge ADD eth1 /proc/42/ns/net", "bridge DEL eth1 /proc/42/ns/net",
    ]  # fmt: skip
    assert cni.read_interfaces(bundle.folder) == {"p_a": "eth0", "p_b": "eth1"}
    cni.remove_interface_files(bundle.folder, "eth1")
    assert cni.read_interfaces(bundle.folder) == {"p_a": "eth0"}
    assert [path.name for path in (bundle.folder / "cni").iterdir()] == ["eth0.conf"]

    chain(tmp_path, "tuning")
    cni.write_configs(bundle.folder, with_conflists(eth1))
    assert bundle.hook("add", interface="eth1").returncode == 0
    assert bundle.hook("del", interface="eth1").returncode == 0
    assert [one for one, _ in bundle.calls()[-2:]] == [
        f"{plugin} DEL eth1 /proc/42/ns/net" for plugin in ("tuning", "bridge")
    ]


def fields(**changes: object) -> dict[str, object]:
    return {name: getattr(ETH0, name) for name in ETH0.__struct_fields__} | changes


@pytest.mark.parametrize("name", ["eth0", "-x"])
@pytest.mark.parametrize("plugin", ["bridge", "tuning"])
def test_a_plugin_that_fails_says_why_and_ends_the_chain(
    bundle: Bundle, tmp_path: Path, plugin: str, name: str
) -> None:
    chain(tmp_path, "tuning", "bandwidth")
    cni.write_configs(bundle.folder, with_conflists(Interface(**fields(name=name))))
    ended = bundle.hook("add", fails=plugin)
    assert (ended.returncode, ended.stderr) == (1, '{"msg": "it fails"}\n')
    assert cni.read_failure(bundle.folder) == f"{name}: it fails"
    assert bundle.calls()[-1][0].startswith(plugin)
    assert bundle.hook("del").returncode == 0
    last = [conf.get("prevResult") for _, conf in bundle.calls()[-3:]]
    assert all((one or {}).get("by") == (None if plugin == "bridge" else "bridge") for one in last)
