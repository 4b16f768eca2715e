"""The origin of each value: file and line, whatever the passes made of it."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.compose.render.explain import list_origins
from tests.unit.compose.world import load_texts

Rows = dict[str, str]


def origins(folder: Path, texts: dict[str, str] | str, /, **options: Any) -> Rows:
    """Return the origin of each value, as ``file:line`` and the variables in it."""
    loaded = load_texts(folder, texts, with_provenance=True, **options)
    rows = {}
    for row in list_origins(loaded.tree, loaded.provenance):
        text = " ".join(
            [place_of(row, folder), *(variable(one, folder) for one in row["Variables"])]
        )
        rows[row["Path"]] = text.strip()
    return rows


def place_of(row: dict[str, Any], folder: Path) -> str:
    file = row["File"].removeprefix(f"{folder}/")
    return f"{file}:{row['Line']}" if file else row["Otherwise"]


def variable(row: dict[str, Any], folder: Path) -> str:
    return f"{row['Name']}={place_of(row, folder)}"


def test_what_is_written_is_told_and_what_is_not_is_implied(tmp_path: Path) -> None:
    rows = origins(tmp_path, "services:\n  a:\n    image: x\n    build: .\n")
    assert rows["services.a.image"] == "compose.yaml:3"
    assert rows["services.a.build.context"] == "compose.yaml:4"
    assert rows["services.a.build.dockerfile"] == "implied"
    assert rows["services.a.networks.default"] == "implied"


def test_the_file_that_wins_is_told(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": "services:\n  a:\n    image: x\n    command: [a, b]\n    labels: [k=1]\n",
        "compose.override.yaml": "services:\n  a:\n    image: y\n    command: [c]\n"
        "    labels:\n      m: 2\n",
    }
    rows = origins(tmp_path, texts)
    assert rows["services.a.image"] == "compose.override.yaml:3"
    assert rows["services.a.command.0"] == "compose.override.yaml:4"
    assert rows["services.a.labels.k"] == "compose.yaml:5"
    assert rows["services.a.labels.m"] == "compose.override.yaml:6"


def test_items_of_lists_that_are_sets_keep_their_own_places(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": 'services:\n  a:\n    image: x\n    ports:\n      - "80:80"\n'
        '      - "90-91:90-91"\n    volumes: [vol:/v, ./b:/b]\nvolumes: {vol: }\n',
        "compose.override.yaml": 'services:\n  a:\n    ports: ["80:80", "70:70"]\n'
        "    volumes:\n      - over:/v\nvolumes: {over: }\n",
    }
    rows = origins(tmp_path, texts)
    targets = [rows[f"services.a.ports.{index}.target"] for index in range(4)]
    over = "compose.override.yaml:3"
    assert targets == [over, "compose.yaml:6", "compose.yaml:6", over]
    assert rows["services.a.volumes.0.source"] == "compose.override.yaml:5"
    assert rows["services.a.volumes.1.source"] == "compose.yaml:7"


def test_lists_that_are_printed_in_order_are_found_by_what_they_say(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: x\n    extra_hosts:\n      - b:1.1.1.1\n      - a:2.2.2.2\n"
    rows = origins(tmp_path, text)
    assert rows["services.a.extra_hosts.0"] == "compose.yaml:6"
    assert rows["services.a.extra_hosts.1"] == "compose.yaml:5"


def test_what_anchors_bring_is_where_the_anchor_is(tmp_path: Path) -> None:
    text = "x-a: &a\n  restart: always\nservices:\n  a:\n    <<: *a\n    image: x\n"
    assert origins(tmp_path, text)["services.a.restart"] == "compose.yaml:2"


def test_what_is_extended_is_told_with_its_file(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": "services:\n  a:\n    extends: {file: sub/b.yaml, service: b}\n"
        "    environment: [B=2]\n",
        "sub/b.yaml": "services:\n  b:\n    image: x\n    environment:\n      A: 1\n      B: 1\n"
        "    volumes: [./d:/d]\n",
    }
    rows = origins(tmp_path, texts)
    assert rows["services.a.image"] == "sub/b.yaml:3"
    assert rows["services.a.environment.A"] == "sub/b.yaml:5"
    assert rows["services.a.environment.B"] == "compose.yaml:4"
    assert rows["services.a.volumes.0.source"] == "sub/b.yaml:7"


def test_what_is_reset_is_told_no_more(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": "services:\n  a:\n    image: x\n    labels: [k=1]\n",
        "compose.override.yaml": "services:\n  a:\n    labels: !override\n      - l=1\n",
    }
    rows = origins(tmp_path, texts)
    assert rows["services.a.labels.l"] == "compose.override.yaml:4"
    assert "services.a.labels.k" not in rows


def test_variables_are_told_with_what_sets_them(tmp_path: Path) -> None:
    texts = {
        ".env": "# tags\n\nTAG=1\n",
        "compose.yaml": "services:\n  a:\n    image: ${A}/x:${TAG}${C:-}\n",
    }
    rows = origins(tmp_path, texts)
    assert rows["services.a.image"] == "compose.yaml:3 A=environment TAG=.env:3 C=not set"


def test_the_environment_wins_over_an_env_file(tmp_path: Path) -> None:
    texts = {".env": "A=1\n", "compose.yaml": "services:\n  a:\n    image: $A\n"}
    assert origins(tmp_path, texts)["services.a.image"] == "compose.yaml:3 A=environment"


def test_an_included_project_has_variables_of_its_own(tmp_path: Path) -> None:
    texts = {
        "compose.yaml": "include: [sub/c.yaml]\n",
        "sub/c.yaml": "services:\n  a:\n    image: $C\n    environment:\n      - C\n",
        "sub/.env": "C=1\n",
    }
    rows = origins(tmp_path, texts)
    assert rows["services.a.image"] == "sub/c.yaml:3 C=sub/.env:1"
    assert rows["services.a.environment.C"] == "sub/c.yaml:5 C=sub/.env:1"


@pytest.mark.parametrize("pairs", ["[A]", "{A: }"])
def test_names_without_a_value_are_variables(tmp_path: Path, pairs: str) -> None:
    text = f"services:\n  a:\n    image: x\n    environment: {pairs}\n"
    rows = origins(tmp_path, text)
    assert rows["services.a.environment.A"] == "compose.yaml:4 A=environment"


def test_a_name_that_is_its_own_value_is_no_variable(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: x\n    environment: {A: A}\n"
    assert origins(tmp_path, text)["services.a.environment.A"] == "compose.yaml:4"


@pytest.mark.parametrize("form", ["", "raw"])
def test_what_env_files_bring_is_told_with_its_line(tmp_path: Path, form: str) -> None:
    entry = f"{{path: b.env, format: {form}}}" if form else "b.env"
    texts = {
        "compose.yaml": f"services:\n  a:\n    image: x\n    env_file: [a.env, {entry}]\n"
        "    label_file: l.env\n",
        "a.env": "\nONE=1\nTWO=1\n",
        "b.env": "# comment\n\n\nTWO=2\n",
        "l.env": "k=v\n",
    }
    rows = origins(tmp_path, texts)
    assert rows["services.a.environment.ONE"] == "a.env:2"
    assert rows["services.a.environment.TWO"] == "b.env:4"
    assert rows["services.a.labels.k"] == "l.env:1"


def test_replicas_may_come_from_scale(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: x\n    scale: 2\n    deploy: {mode: replicated}\n"
    assert origins(tmp_path, text)["services.a.deploy.replicas"] == "compose.yaml:4"


def test_the_project_s_name_comes_from_what_wins(tmp_path: Path) -> None:
    text = "services: {a: {image: x}}\n"
    assert origins(tmp_path, text)["name"] == "the directory's name"
    named = f"name: n\n{text}"
    assert origins(tmp_path, named)["name"] == "compose.yaml:1"
    assert origins(tmp_path, named, project_name="p")["name"] == "--project-name"
    chosen = {"COMPOSE_PROJECT_NAME": "p"}
    assert origins(tmp_path, named, environ=chosen)["name"] == "COMPOSE_PROJECT_NAME=environment"


def test_variables_that_are_left_alone_are_not_told(tmp_path: Path) -> None:
    rows = origins(tmp_path, 'services:\n  a:\n    image: "$A"\n', interpolate=False)
    assert rows["services.a.image"] == "compose.yaml:3"


def test_a_file_that_says_that_it_is_not_read_sets_nothing(tmp_path: Path) -> None:
    texts = {
        ".env": "TAG=1\nCOMPOSE_DISABLE_ENV_FILE=1\n",
        "compose.yaml": "services:\n  a:\n    image: x:${TAG:-2}\n",
    }
    rows = origins(tmp_path, texts)
    assert rows["services.a.image"] == "compose.yaml:3 TAG=not set"
