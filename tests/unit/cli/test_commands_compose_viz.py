"""`alpha viz` prints the graph of a project as docker compose does, in the order of names."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run

TEXT = """
name: shop
services:
  web:
    image: busybox
    depends_on: [db]
    links: [cache]
    networks: [front, back]
    ports: ["8080:80", "127.0.0.1:9000:90/udp", "70"]
  db: {image: "a&b", networks: [back]}
  cache: {build: ., network_mode: none}
networks: {front: {}, back: {}}
"""
BARE = """\
digraph "shop" {
\tlayout=dot;
\t"cache" [style="filled" label=<<font point-size="15">cache</font>>];
\t"db" [style="filled" label=<<font point-size="15">db</font>>];
\t"web" [style="filled" label=<<font point-size="15">web</font>>];

\t"web" -> "cache";
\t"web" -> "db";
}

"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)


def viz(cntnr: Run, *words: str) -> str:
    ran = cntnr("compose", "alpha", "viz", *words)
    assert (ran.code, ran.err) == (0, "viz command is EXPERIMENTAL\n")
    return ran.out


def test_services_and_dependencies_are_printed(cntnr: Run) -> None:
    assert viz(cntnr) == BARE
    assert viz(cntnr, "--spaces", "--indentation-size", "3") == BARE.replace("\t", "   ")
    assert '"cache" [' not in viz(cntnr, "db")


def test_parts_are_written_into_the_nodes(cntnr: Run) -> None:
    shown = viz(cntnr, "--image", "--networks", "--ports")
    start, end = '<font point-size="10"><br/><br/><b>', "</font>"
    assert f"{start}Networks:</b><br/>back<br/>front{end}" in shown
    ports = "8080:80 (tcp, ingress)<br/>127.0.0.1:9000:90 (udp, ingress)<br/>:70 (tcp, ingress)"
    assert f"{start}Ports:</b><br/>{ports}{end}" in shown
    assert f"{start}Image:</b><br/>shop-cache{end}" in shown
    assert f"{start}Image:</b><br/>a&amp;b{end}" in shown
    assert shown.count("Networks:") == 2


def test_an_indentation_below_0_is_refused(cntnr: Run) -> None:
    ran = cntnr("compose", "alpha", "viz", "--indentation-size=-1")
    assert ran.code == 1
    assert "invalid indentation size: -1" in ran.err
