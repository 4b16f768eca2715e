"""All mistakes are told at once, whichever pass finds them, and none that only follow from others."""

import re
from pathlib import Path

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from tests.unit.compose.world import load_texts


def reported_paths(folder: Path, texts: dict[str, str] | str) -> list[str]:
    """Return lines and paths of all diagnostics, in order."""
    with pytest.raises(ComposeFileInvalid) as caught:
        load_texts(folder, texts)
    lines = []
    for diagnostic in caught.value.diagnostics:
        assert diagnostic.location is not None
        file = diagnostic.location.file.removeprefix(f"{folder}/")
        lines.append(f"{file}:{diagnostic.location.line} {'.'.join(map(str, diagnostic.path))}")
    return lines


ERROR_OF_EACH_PASS = """\
services:
  web:
    image: "${NONE:?}"
    prots: 5
    ports: ["80:80", abc, "99999:1"]
    depends_on: [dbb]
    healthcheck:
      interval: 5x
      timeout: 7y
  db: {image: x, networks: [bck], volumes: ["a::"]}
  twice: {image: x, extends: nobody}
networks:
  front: {drivr: x}
secrets:
  s: {}
"""


def test_mistakes_of_every_pass_are_told_together(tmp_path: Path) -> None:
    reported = [
        re.sub(r"^compose.yaml:", "", path) for path in reported_paths(tmp_path, ERROR_OF_EACH_PASS)
    ]
    assert reported == [
        "3 services.web.image",
        "4 services.web.prots",
        "5 services.web.ports.1",
        "5 services.web.ports.2",
        "6 services.web.depends_on.dbb",
        "8 services.web.healthcheck.interval",
        "9 services.web.healthcheck.timeout",
        "10 services.db.networks.bck",
        "10 services.db.volumes.0",
        "11 services.twice.extends",
        "13 networks.front.drivr",
        "15 secrets.s",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {image: x, networks: [n]}}\nnetworks: {n: 5}\n",
        "services: {a: {image: x, depends_on: [b]}, b: 5}\n",
        "services: {a: {image: [x]}}\n",
        "services: {a: {image: x, profiles: debug, depends_on: [b]}, b: {image: x, profiles: [p]}}",
        "services: {a: {extends: nobody}}\n",
        "services: {a: {image: x, volumes: [{type: volume, source: v, target: 5}, {target: 6}]}}",
    ],
    ids=["network", "service", "image", "profiles", "extends", "mounts"],
)
def test_what_follows_from_a_mistake_is_not_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ComposeFileInvalid) as caught:
        load_texts(tmp_path, text)
    words = "undefined|neither|already mounted"
    assert not [one for one in caught.value.diagnostics if re.search(words, one.message)]


def test_each_file_is_looked_at_though_another_is_no_yaml(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": "services: {a: {image: x, networks: [n]}}\nnetworks: {n: }\nx: [\n",
        "compose.override.yaml": "services:\n  a: {prots: 5}\n  b: {image: x, depends_on: [c]}\n",
    }
    reported = reported_paths(tmp_path, texts)
    assert reported[0].startswith("compose.yaml:")
    assert reported[1:] == ["compose.override.yaml:2 services.a.prots"]


def test_mistakes_of_included_and_of_later_files_are_told_together(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": "include: [sub.yaml]\nservices:\n  a: {image: x, prots: 5}\n",
        "sub.yaml": "services:\n  b: {image: x, imgae: y}\n",
        "compose.override.yaml": "services:\n  a:\n    ports: [abc]\n",
    }
    reported = reported_paths(tmp_path, texts)
    assert reported == [
        "sub.yaml:2 services.b.imgae",
        "compose.yaml:3 services.a.prots",
        "compose.override.yaml:3 services.a.ports.0",
    ]


def test_mistakes_of_entries_are_told_once_beside_those_of_types(tmp_path: Path) -> None:
    text = "services:\n  a: {image: x, stop_grace_period: zz}\nconfigs:\n  c: {name: x}\n"
    assert reported_paths(tmp_path, text) == [
        "compose.yaml:2 services.a.stop_grace_period",
        "compose.yaml:4 configs.c",
    ]


def test_a_mistake_in_the_name_hides_no_other(tmp_path: Path) -> None:
    reported = reported_paths(tmp_path, 'name: "${"\nservices: {a: {image: x, prots: 5}}\n')
    assert "compose.yaml:2 services.a.prots" in reported


def test_lists_are_merged_once_though_it_is_tried_again(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": 'services: {a: {image: x, ports: ["80"], tmpfs: [/a]}}\n',
        "compose.override.yaml": 'services: {a: {volumes: ["a::"], tmpfs: [/b]}}\n',
    }
    assert reported_paths(tmp_path, texts) == ["compose.override.yaml:1 services.a.volumes.0"]


def test_many_mistakes_are_told_as_a_number(tmp_path: Path) -> None:
    keys = "".join(f"  k{number}: 1\n" for number in range(150))
    with pytest.raises(ComposeFileInvalid, match="more mistakes"):
        load_texts(tmp_path, f"services:\n  a: {{image: x}}\n{keys}")


def test_what_comes_of_a_chain_of_services_is_told_where_it_is_written(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": """\
services:
  last: {extends: api}
  api:
    extends: {file: base.yaml, service: web}
    ports: ["1:1", "k:2"]
  web: {image: i, hostname: [a]}
  odd: {extends: nobody}
""",
        "base.yaml": """\
services:
  x: {ports: ["80"], user: [u]}
  web: {extends: x, image: i, hostname: web}
""",
    }
    assert reported_paths(tmp_path, texts) == [
        "compose.yaml:5 services.last.ports.2",
        "compose.yaml:5 services.api.ports.2",
        "compose.yaml:6 services.web.hostname",
        "compose.yaml:7 services.odd.extends",
        "base.yaml:2 services.last.user",
        "base.yaml:2 services.api.user",
    ]


def test_no_mistake_is_told_at_the_place_of_another_item(tmp_path: Path) -> None:
    text = (
        "services:\n  a:\n    image: x\n    volumes:\n      - 'a::'\n      - good:/g\n"
        "      - nowhere:/n\n    configs:\n      - none\nvolumes: {good: }\n"
    )
    reported = reported_paths(tmp_path, text)
    assert reported == [
        "compose.yaml:5 services.a.volumes.0",
        "compose.yaml:9 services.a.configs.0",
    ]
    assert "compose.yaml:6 services.a.volumes.1" in reported_paths(
        tmp_path, text.replace("      - 'a::'\n", "")
    )


def test_documents_before_one_that_is_no_yaml_are_looked_at(tmp_path: Path) -> None:
    text = "services: {a: {image: x, prots: 5}}\n---\nservices: {\n"
    reported = reported_paths(tmp_path, text)
    assert reported[0] == "compose.yaml:1 services.a.prots"
    assert len(reported) == 2


def test_other_files_are_looked_at_though_one_is_no_mapping(tmp_path: Path) -> None:
    texts = {"compose.yaml": "[]\n", "compose.override.yaml": "services: {a: {prots: 5}}\n"}
    assert reported_paths(tmp_path, texts)[1:] == ["compose.override.yaml:1 services.a.prots"]
