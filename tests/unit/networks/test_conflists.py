"""CNI configuration lists: which one a network gets, and what is refused of a user's own."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.host import distribution
from cntnr_compose.networks import cni, conflists
from cntnr_compose.networks.cni import Interface
from cntnr_compose.networks.plugins import conflist_file
from cntnr_compose.networks.plugins.conflist_file import ConflistInvalid, PluginMissing

ETH0 = Interface(
    name="eth0", network="p_default", bridge="br-1", subnet="10.128.0.0/20", gateway="10.128.0.1",
    mtu=1400, mac="02:00:00:00:00:07", default_route=True,
)  # fmt: skip


@pytest.fixture(autouse=True)
def user_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the user's lists; the plugins are bridge, host-local and tuning."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("NETCONFPATH", raising=False)
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name in ("bridge", "host-local", "tuning"):
        (plugins / name).touch(mode=0o755)
    monkeypatch.setattr(distribution, "CNI_FOLDERS", (plugins,))
    folder = tmp_path / "cntnr/cni/net.d"
    folder.mkdir(parents=True)
    return folder


def conflist_text(name: str, *others: Any, **bridge: Any) -> str:
    plugins = [{"type": "bridge", **bridge}, *others]
    return json.dumps({"cniVersion": "1.0.0", "name": name, "plugins": plugins}, indent=2)


def test_the_list_that_is_shipped_is_as_cni_wants_it() -> None:
    conflist = conflists.find_conflist("p_default")
    assert conflist.is_shipped
    tree = json.loads(Path(conflist.file).read_text())
    assert set(tree) == {"cniVersion", "name", "plugins"}
    assert [one["type"] for one in tree["plugins"]] == ["bridge"]
    assert tree["plugins"][0]["ipam"] == {"type": "host-local"}
    folder = Path(__file__).parents[3] / "contrib/cni"
    assert Path(conflist.file).resolve() == folder / "cntnr-bridge.conflist"


def test_a_list_is_chosen_by_its_name(user_lists: Path) -> None:
    (user_lists / "a.conflist").write_text(conflist_text("cntnr-bridge"))
    (user_lists / "b.conflist").write_text(conflist_text("p_back"))
    (user_lists / "c.json").write_text("no list")
    chosen = {
        name: Path(conflists.find_conflist(name).file).name for name in ("p_default", "p_back")
    }
    assert chosen == {"p_default": "a.conflist", "p_back": "b.conflist"}


def test_the_folder_may_be_said_by_the_variable_of_cni(
    user_lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (user_lists / "a.conflist").write_text(conflist_text("cntnr-bridge", mtu=1400))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.conflist").write_text(conflist_text("cntnr-bridge", mtu=1300))
    assert conflists.find_conflist("p_default").mtu == 1400
    monkeypatch.setenv("NETCONFPATH", str(elsewhere))
    assert conflists.find_conflist("p_default").mtu == 1300
    monkeypatch.setenv("NETCONFPATH", str(tmp_path / "nowhere"))
    assert conflists.find_conflist("p_default").is_shipped


def test_a_change_is_seen_and_what_has_not_changed_is_not_read_again(
    user_lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (user_lists / "a.conflist").write_text(conflist_text("cntnr-bridge", mtu=1400))
    assert conflists.find_conflist("p_default").mtu == 1400
    monkeypatch.setattr(conflist_file, "read_conflist", lambda _: pytest.fail("it was read again"))
    assert conflists.find_conflist("p_default").mtu == 1400
    monkeypatch.undo()
    monkeypatch.setenv("NETCONFPATH", str(user_lists))
    (user_lists / "a.conflist").write_text(conflist_text("cntnr-bridge", mtu=68))
    os.utime(user_lists / "a.conflist", ns=(1, 1))
    assert conflist_file.read_folder(user_lists)["cntnr-bridge"].mtu == 68


def test_what_is_known_of_an_interface_is_laid_over_the_file(
    user_lists: Path, tmp_path: Path
) -> None:
    route = {"dst": "10.99.0.0/16"}
    tuning = {"type": "tuning", "name": "own", "capabilities": {"mac": True}, "sysctl": {"a": "b"}}
    text = conflist_text(
        "cntnr-bridge", tuning, mtu=9000, hairpinMode=True, ipam={"routes": [route]}
    )
    (user_lists / "a.conflist").write_text(text)
    cni.write_configs(tmp_path, [(ETH0, conflists.find_conflist("p_default"))])
    bridge = json.loads((tmp_path / "cni/eth0.conf").read_text())
    assert (bridge["cniVersion"], bridge["name"], bridge["type"]) == (
        "1.0.0",
        "p_default",
        "bridge",
    )
    assert (bridge["bridge"], bridge["mtu"], bridge["hairpinMode"]) == ("br-1", 1400, True)
    assert bridge["ipam"]["type"] == "host-local"
    assert bridge["ipam"]["routes"] == [route, {"dst": "0.0.0.0/0"}]
    [line] = (tmp_path / "cni/eth0.add").read_text().splitlines()
    assert line.startswith('tuning "')
    assert json.loads("{" + line.partition(" ")[2]) == {
        "cniVersion": "1.0.0",
        "name": "p_default",
        "type": "tuning",
        "capabilities": {"mac": True},
        "runtimeConfig": {"mac": "02:00:00:00:00:07"},
        "sysctl": {"a": "b"},
    }
    backwards = (tmp_path / "cni/eth0.del").read_text().splitlines()
    assert [one.partition(" ")[0] for one in backwards] == ["tuning", "bridge"]


def test_the_list_that_is_shipped_costs_no_further_file(tmp_path: Path) -> None:
    cni.write_configs(tmp_path, [(ETH0, conflists.find_conflist("p_default"))])
    assert [path.name for path in (tmp_path / "cni").iterdir()] == ["eth0.conf"]


BRIDGE = '{"type": "bridge", %s}'
LIST = '{"cniVersion": "0.4.0", "name": "cntnr-bridge",\n "plugins": [%s]}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"cniVersion": "0.4.0",\n  "name" "x"}', "2:10: no JSON: Expecting ':' delimiter"),
        ("", "1:1: no JSON: Expecting value"),
        ("[]", "1:1: a CNI configuration list is an object with `name` and `plugins`"),
        ('{"cniVersion": "0.1.0",\n "plugins": []}', "1:2: cniVersion must be one of 0.3.0, "),
        ('{"cniVersion": "0.4.0", "name": 7,\n "plugins": []}', "1:25: name must be a network's"),
        (LIST % "", "2:2: the first plugin must be bridge"),
        (LIST % '{"type": "ptp"}', "2:15: the first plugin must be bridge"),
        (
            LIST % '{"type": "../../x"}',
            "2:15: a plugin must have a type, which is a program's name",
        ),
        (LIST % '"bridge"', "2:14: a plugin must have a type"),
        (LIST % (BRIDGE % '"mtu": "9000"'), "2:33: mtu must be a number from 68 to 65520"),
        (LIST % (BRIDGE % '"mtu": true'), "2:33: mtu must be a number"),
        (LIST % (BRIDGE % '"bridge": "br0"'), "2:33: bridge cannot be said in this file"),
        (LIST % (BRIDGE % '"ipMasq": true'), "2:33: ipMasq cannot be said in this file"),
        (LIST % (BRIDGE % '"ipam": 7'), "2:33: ipam must be an object"),
        (LIST % (BRIDGE % '"ipam": {"type": "dhcp"}'), "2:42: ipam must be host-local"),
        (LIST % (BRIDGE % '"ipam": {"subnet": "x"}'), "2:42: subnet cannot be said in this file"),
        (LIST % (BRIDGE % '"ipam": {"routes": 7}'), "2:42: routes must be a list"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    user_lists: Path, text: str, says: str
) -> None:
    (user_lists / "a.conflist").write_text(text)
    with pytest.raises(ConflistInvalid) as caught:
        conflists.find_conflist("p_default")
    assert str(caught.value).startswith(f"{user_lists}/a.conflist:{says}")
    assert caught.value.hint


def test_two_lists_of_one_name_are_refused(user_lists: Path) -> None:
    for name in "ab":
        (user_lists / f"{name}.conflist").write_text(conflist_text("cntnr-bridge"))
    with pytest.raises(
        ConflistInvalid, match=r'b\.conflist:3:3: a\.conflist has the name "cntnr-b'
    ):
        conflists.find_conflist("p_default")


def test_a_plugin_that_is_not_installed_is_named(user_lists: Path, tmp_path: Path) -> None:
    (user_lists / "a.conflist").write_text(conflist_text("cntnr-bridge", {"type": "bandwith"}))
    with pytest.raises(PluginMissing) as caught:
        conflists.find_conflist("p_default")
    where = f"{user_lists}/a.conflist:9:7"
    assert str(caught.value) == f"{where}: there is no CNI plugin bandwith in {tmp_path}/plugins"
    assert "has bridge, host-local, tuning" in caught.value.hint


def test_what_is_no_file_is_not_waited_for(user_lists: Path) -> None:
    os.mkfifo(user_lists / "a.conflist")
    with pytest.raises(ConflistInvalid, match="it is not a file of at most 1 MiB"):
        conflists.find_conflist("p_default")
