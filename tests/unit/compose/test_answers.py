"""Every key, alone and merged from two files: docker compose 2.40.3 gave the answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.compose.world import rendered_service

FOLDER = Path(__file__).parent / "answers"
KEYS = json.loads((FOLDER / "keys.json").read_text())
MERGES = json.loads((FOLDER / "merges.json").read_text())
REST = """
  d1: {image: di1, healthcheck: {test: x}}
  d2: {image: di2}
networks: {n1: , n2: {driver: bridge}}
volumes: {v1: , v2: }
secrets: {s1: {file: ./s1}, s2: {environment: A}}
configs: {c1: {content: "x"}, c2: {file: ./c2}}
models: {m1: {model: a/b}, m2: {model: c}}
"""
FILES = {
    "e1.env": "A=from1\nE1=x$A\n",
    "e2.env": "A=from2\nE2=${B}y\n",
    "l1.label": "lab=1\na=file\n",
}


def base(key: str, value: str) -> str:
    image = "" if key == "image" else "    image: b\n"
    return f"services:\n  a:\n{image}    {key}: {value}\n{REST.lstrip(chr(10))}"


def rendered(folder: Path, files: dict[str, str], key: str) -> Any:
    service = rendered_service(folder, files | FILES, files=tuple(files), profiles=("*",))
    if key != "image":
        del service["image"]
    return service


@pytest.mark.parametrize("key", KEYS)
def test_a_key_means_what_docker_compose_says(tmp_path: Path, key: str) -> None:
    for written, expected in KEYS[key]:
        assert rendered(tmp_path, {"a.yaml": base(key, written)}, key) == expected, written


@pytest.mark.parametrize("key", MERGES)
def test_two_files_are_merged_as_docker_compose_does(tmp_path: Path, key: str) -> None:
    for written, over, expected in MERGES[key]:
        files = {
            "a.yaml": base(key, written),
            "b.yaml": f"services:\n  a:\n    {key}: {over}\n",
        }
        assert rendered(tmp_path, files, key) == expected, f"{written} << {over}"
