"""The host's resolv.conf is found below rootlesskit's mounts."""

from pathlib import Path

from cntnr_compose.host import network


def test_the_hosts_resolver_is_read_through_links_from_where_they_lay(tmp_path: Path) -> None:
    etc, run = tmp_path / "etc", tmp_path / "run"
    (etc / ".ro12").mkdir(parents=True)
    run.mkdir()
    (run / "stub").write_text("nameserver 127.0.0.53\n")
    (etc / "resolv.conf").write_text("nameserver 10.0.2.3\n")
    (etc / ".ro12/resolv.conf").symlink_to("../run/stub")
    assert network.host_resolv_conf(etc) == "nameserver 127.0.0.53\n"
    (etc / ".ro12/resolv.conf").unlink()
    assert network.host_resolv_conf(etc) == "nameserver 10.0.2.3\n"
