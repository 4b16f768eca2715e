"""Input of the CNI hook in a bundle, and results of the plugins."""

from pathlib import Path

import pytest

from cntnr_compose.networks import cni, conflists
from cntnr_compose.networks.cni import Interface, interface_config

ETH0 = Interface(
    name="eth0", network="p_default", bridge="br-1", subnet="10.128.0.0/20", gateway="10.128.0.1",
    address="10.128.0.2", mac="02:42:0a:80:00:02", mtu=65520, default_route=True,
)  # fmt: skip
ANSWER = """{"cniVersion":"0.4.0","interfaces":[{"name":"br-1","mac":"aa"},{"name":"eth0","sandbox":"/x"}],
"ips":[{"version":"4","interface":2,"address":"10.128.0.2/20","gateway":"10.128.0.1"}],"dns":{}}"""


def test_the_plugins_give_the_address_that_was_chosen() -> None:
    conf = interface_config(ETH0)
    assert conf["args"]["cni"]["ips"] == ["10.128.0.2"]
    assert conf["runtimeConfig"] == {"mac": "02:42:0a:80:00:02"}
    assert conf["ipam"]["ranges"] == [[{"subnet": "10.128.0.0/20", "gateway": "10.128.0.1"}]]
    assert conf["ipam"]["dataDir"] == "/run/cntnr/leases"


def test_only_one_network_leads_outside() -> None:
    assert interface_config(ETH0)["ipam"]["routes"] == [{"dst": "0.0.0.0/0"}]
    other = Interface(**{**fields(ETH0), "default_route": False})
    assert interface_config(other)["ipam"]["routes"] == []


def test_answers_are_read_by_interface(tmp_path: Path) -> None:
    cni.write_configs(tmp_path, [(ETH0, conflists.find_conflist("p_default"))])
    (tmp_path / "cni/eth0.result").write_text(ANSWER)
    (tmp_path / "cni/eth1.error").write_text('{"code": 11, "msg": "no more addresses"}')
    assert [one.ips[0].address for one in cni.read_results(tmp_path).values()] == ["10.128.0.2/20"]
    assert cni.read_failure(tmp_path) == "eth1: no more addresses"


def test_half_an_answer_is_none(tmp_path: Path) -> None:
    cni.write_configs(tmp_path, [(ETH0, conflists.find_conflist("p_default"))])
    (tmp_path / "cni/eth0.result").write_text(ANSWER[:40])
    assert cni.read_results(tmp_path) == {}
    assert cni.read_failure(tmp_path) == ""


def test_the_hooks_need_nothing_but_a_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cni, "plugin_folder", lambda: tmp_path)
    hooks = cni.oci_hooks("abc")
    assert set(hooks) == {"prestart", "poststop"}
    first = hooks["prestart"][0]
    assert (first["path"], first["args"][0], first["args"][-2]) == ("/bin/sh", "sh", "add")
    assert f"CNI_PATH={tmp_path}" in first["env"]


def fields(interface: Interface) -> dict[str, object]:
    return {name: getattr(interface, name) for name in interface.__struct_fields__}


def test_addresses_are_told_by_network(tmp_path: Path) -> None:
    second = Interface(**{**fields(ETH0), "name": "x1", "network": "p_b"})
    conflist = conflists.find_conflist("p_default")
    cni.write_configs(tmp_path, [(ETH0, conflist), (second, conflist)])
    (tmp_path / "cni/eth0.result").write_text('{"ips": [{"address": "10.0.0.2/20"}]}')
    (tmp_path / "cni/x1.result").write_text('{"ips": [')
    assert cni.read_addresses(tmp_path) == {ETH0.network: "10.0.0.2"}
