"""`cntnr-hook`: the state that it reads, lists by name, ports, names, and folders that it does not trust."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.host import distribution
from cntnr_compose.networks.dns import name_files
from cntnr_compose.networks.hook import bundle_folder, connection, lists, names, uplink
from cntnr_compose.networks.hook.bundle_folder import BundleUnsafe
from cntnr_compose.networks.hook.names import ConnectionRequest, ConnectionResult
from cntnr_compose.networks.hook.ports import PublishInvalid, parse_publish
from cntnr_compose.networks.hook.state import StateInvalid, parse_state
from cntnr_compose.networks.plugins.conflist_file import ConflistInvalid, PluginMissing

STATE = {"ociVersion": "1.0.2", "id": "web", "pid": 42, "bundle": "/b"}


def test_the_state_is_passed_on_as_one_line() -> None:
    state = parse_state(json.dumps(STATE, indent=2).encode())
    assert (state.id, state.pid, state.bundle) == ("web", 42, "/b")
    assert state.to_line() == b'{"id":"web","pid":42,"bundle":"/b"}\n'
    assert parse_state(b'{"id": "web", "bundle": "/b"}').pid == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON"),
        ("[]", "no JSON object"),
        ("[" * 100_000, "no JSON"),
        ({"id": 7}, "`id`"),
        ({"id": ""}, "`id`"),
        ({"id": 'a"b'}, "`id`"),
        ({"bundle": "b"}, "`bundle`"),
        ({"bundle": '/b","pid":1,"x":"'}, "`bundle`"),
        ({"bundle": "/a\\b"}, "`bundle`"),
        ({"bundle": "/a\nb"}, "`bundle`"),
        ({"pid": "1"}, "`pid`"),
        ({"pid": -1}, "`pid`"),
        ({"pid": True}, "`pid`"),
        (" " * (1 << 20) + "{}", "longer than 1 MiB"),
    ],
)
def test_a_state_that_is_none_is_refused(text: Any, says: str) -> None:
    content = text if isinstance(text, str) else json.dumps(STATE | text)
    with pytest.raises(StateInvalid, match=says):
        parse_state(content.encode())


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the folders lie in which lists are looked for; plugins are there, too."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NETCONFPATH", str(tmp_path / "chosen"))
    monkeypatch.setattr(lists, "SYSTEM_FOLDER", tmp_path / "system")
    for name in ("chosen", "config/cntnr/cni/net.d", "system", "plugins"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("bridge", "host-local", "portmap", "tuning"):
        (tmp_path / "plugins" / name).touch(mode=0o755)
    monkeypatch.setattr(distribution, "CNI_FOLDERS", (tmp_path / "plugins",))
    return tmp_path


def write_list(folder: Path, name: str, *plugins: Any) -> None:
    tree = {"cniVersion": "0.4.0", "name": name, "plugins": plugins or [{"type": "bridge"}]}
    (folder / f"{name}.conflist").write_text(json.dumps(tree))


def test_the_first_folder_that_has_a_list_counts(folders: Path) -> None:
    plugins = lists.plugin_folder()
    order = [folders / "system", folders / "config/cntnr/cni/net.d", folders / "chosen"]
    assert lists.find_list("bridge", plugins).is_shipped
    for folder in order:
        write_list(folder, "bridge")
        assert Path(lists.find_list("bridge", plugins).file).parent == folder


def test_a_list_that_is_nowhere_is_named_with_those_that_are(folders: Path) -> None:
    write_list(folders / "system", "office")
    with pytest.raises(lists.NoSuchList) as caught:
        lists.find_list("ofice", lists.plugin_folder())
    assert str(folders / "system") in str(caught.value)
    assert caught.value.hint == "did you mean office?"
    with pytest.raises(lists.NoSuchList) as caught:
        lists.find_list("qqqqq", lists.plugin_folder())
    assert caught.value.hint == "there is bridge, office"


def test_lists_that_cannot_work_are_refused(folders: Path) -> None:
    write_list(folders / "chosen", "missing", {"type": "bridge"}, {"type": "bandwidth"})
    with pytest.raises(PluginMissing, match="no CNI plugin bandwidth"):
        lists.find_list("missing", lists.plugin_folder())
    (folders / "chosen/empty.conflist").write_text(
        '{"cniVersion": "0.4.0", "name": "empty", "plugins": []}'
    )
    with pytest.raises(ConflistInvalid, match="at least one plugin"):
        lists.find_list("empty", lists.plugin_folder())


def test_ports_go_to_the_plugin_that_maps_them(folders: Path) -> None:
    mappings = parse_publish(("127.0.0.1:8080:80", "53-54:53-54/udp"))
    assert mappings[0] == {
        "hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": "127.0.0.1",
    }  # fmt: skip
    assert [one["hostPort"] for one in mappings[1:]] == [53, 54]
    shipped = lists.find_list("bridge", lists.plugin_folder())
    chain = lists.chain_configs(shipped, mappings, "/leases")
    assert [one["type"] for one in chain] == ["bridge", "portmap"]
    assert chain[0]["ipam"]["dataDir"] == "/leases"
    assert chain[1]["runtimeConfig"] == {"portMappings": mappings}
    assert {one["name"] for one in chain} == {"bridge"}
    assert "runtimeConfig" not in lists.chain_configs(shipped, [], "")[1]
    write_list(folders / "chosen", "plain")
    plain = lists.find_list("plain", lists.plugin_folder())
    assert [one["type"] for one in lists.chain_configs(plain, mappings, "")] == [
        "bridge",
        "portmap",
    ]
    between = uplink.ports_between(mappings)
    assert [one["hostPort"] for one in between] == [20000, 20001, 20002]
    assert not any("hostIP" in one for one in between)


@pytest.mark.parametrize("text", ["80", "8080-8090:80", "[::1]:80:80", "x:80", "1:2:3:4", "0:80"])
def test_ports_that_the_hook_cannot_publish_are_refused(text: str) -> None:
    with pytest.raises(PublishInvalid) as caught:
        parse_publish((text,))
    assert f'invalid argument "{text}" for "-p, --publish" flag' in str(caught.value)


def test_names_are_written_where_they_are_mounted(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name in ("hosts", "resolv.conf"):
        (tmp_path / "etc" / name).touch()
    inode = (tmp_path / "etc/hosts").stat().st_ino
    request = ConnectionRequest(
        networks=("bridge",), hostname="web", domainname="home.test", dns=("10.0.0.1",),
        dns_search=("a.test", "b.test"), dns_opts=("ndots:2",), hosts=(("10.9.9.9", "db"),),
    )  # fmt: skip
    result = ConnectionResult(addresses=("10.88.0.2",), servers=("10.88.0.1",))
    names.write_names(str(tmp_path), request, result, ("10.0.2.3",))
    assert (tmp_path / "etc/hosts").stat().st_ino == inode
    hosts = (tmp_path / "etc/hosts").read_text().splitlines()
    assert hosts[-2:] == ["10.9.9.9\tdb", "10.88.0.2\tweb.home.test web"]
    # One line of `search`, since the last one counts, and no `domain` after it.
    assert (tmp_path / "etc/resolv.conf").read_text().splitlines() == [
        "nameserver 10.0.0.1", "nameserver 10.88.0.1", "search a.test b.test", "options ndots:2",
    ]  # fmt: skip


def test_what_has_no_effect_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = ConnectionResult(addresses=(), servers=())
    names.write_names(str(tmp_path), ConnectionRequest(networks=()), result, ())
    assert capsys.readouterr().err == ""
    request = ConnectionRequest(networks=(), dns=("10.0.0.1",))
    names.write_names(str(tmp_path), request, result, ())
    assert "etc/resolv.conf is not in the bundle" in capsys.readouterr().err


def test_a_domain_alone_is_searched() -> None:
    assert name_files.resolv_conf_text(["1.1.1.1"], (), (), domain="a") == (
        "nameserver 1.1.1.1\nsearch a\n"
    )
    assert "search" not in name_files.resolv_conf_text([], (".",), (), domain="a")


def test_no_link_of_a_bundle_is_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "hosts").write_text("mine")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/cni").symlink_to(victim)
    with (
        pytest.raises(BundleUnsafe),
        bundle_folder.open_folder(str(tmp_path / "b"), "cni", create=True),
    ):
        pass
    (tmp_path / "b/etc").mkdir()
    (tmp_path / "b/etc/hosts").symlink_to(victim / "hosts")
    os.mkfifo(tmp_path / "b/etc/resolv.conf")
    with bundle_folder.open_folder(str(tmp_path / "b"), "etc") as etc:
        assert etc is not None
        for name in ("hosts", "resolv.conf"):
            with pytest.raises(BundleUnsafe):
                etc.write(name, b"theirs", create=False)
        assert not etc.write("absent", b"", create=False)
        assert etc.read("hosts") == b""
    assert (victim / "hosts").read_text() == "mine"
    with bundle_folder.open_folder(str(tmp_path / "nowhere"), "cni") as folder:
        assert folder is None


def test_who_passes_the_namespaces_is_seen_in_config_json(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    assert not connection.has_join_hook(str(tmp_path))
    for text in ("{", "[]", '{"hooks": 7}', '{"hooks": {"createContainer": [7]}}', "[" * 100_000):
        config.write_text(text)
        assert not connection.has_join_hook(str(tmp_path))
    config.write_text('{"hooks": {"createContainer": [{"args": ["cntnr-hook", "net", "join"]}]}}')
    assert connection.has_join_hook(str(tmp_path))


@pytest.mark.parametrize("text", ["", "7", "{}", '{"pid": "x", "born": 1}', '{"pid": 1}'])
def test_half_a_record_of_a_connection_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "cni").mkdir()
    (tmp_path / "cni/uplink.json").write_text(text)
    with bundle_folder.open_folder(str(tmp_path), "cni") as folder:
        assert folder is not None
        assert not uplink.disconnect(folder)


def test_a_process_that_has_the_pid_of_an_earlier_one_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cni").mkdir()
    (tmp_path / "cni/uplink.json").write_text(json.dumps({"pid": os.getpid(), "born": 1}))
    with bundle_folder.open_folder(str(tmp_path), "cni") as folder:
        assert folder is not None
        assert uplink.disconnect(folder)
