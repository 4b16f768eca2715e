"""`include`: other projects with directories and environments of their own."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.basics.errors import (
    EnvFileBroken,
    FileUnreadable,
    IncludeCycle,
    RemoteUnsupported,
    TooManyLevels,
)
from tests.unit.compose.world import load_texts, rendered, rendered_service

INNER = """
services:
  i:
    image: "i:${V:-none}"
    build: ./b
    volumes: ["./d:/d"]
    environment: [P, "Q=$V"]
    labels: {l: "$$x"}
"""


def test_paths_and_variables_are_those_of_the_included_project(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [sub/c.yaml]",
        "sub/c.yaml": INNER,
        "sub/.env": "V=sub\nP=psub\n",
    }
    service = rendered_service(tmp_path, files, "i")
    assert service["image"] == "i:sub"
    assert service["build"]["context"] == "/DIR/sub/b"
    assert service["volumes"][0]["source"] == "/DIR/sub/d"
    assert service["environment"] == {"P": "psub", "Q": "sub"}
    assert service["labels"] == {"l": "$$x"}


def test_the_environment_of_the_including_project_wins(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [sub/c.yaml]",
        "sub/c.yaml": INNER,
        "sub/.env": "V=sub\n",
        ".env": "V=main\n",
    }
    assert rendered_service(tmp_path, files, "i")["image"] == "i:main"


@pytest.mark.parametrize(
    ("entry", "base", "image"),
    [
        ("{path: sub/c.yaml, project_directory: .}", "/DIR", "i:root"),
        ("{path: sub/c.yaml, project_directory: other}", "/DIR/other", "i:other"),
        ("{path: sub/c.yaml, env_file: a.env}", "/DIR/sub", "i:a"),
        ("{path: sub/c.yaml, env_file: [a.env, other/.env]}", "/DIR/sub", "i:other"),
        ("{path: sub/c.yaml, env_file: /dev/null}", "/DIR/sub", "i:none"),
        ('"${D}/c.yaml"', "/DIR/sub", "i:sub"),
    ],
)
def test_the_long_form_says_more(tmp_path: Path, entry: str, base: str, image: str) -> None:
    files = {
        "main/compose.yaml": f"include: [{entry}]",
        "main/sub/c.yaml": INNER,
        "main/sub/.env": "V=sub",
        "main/other/.env": "V=other",
        "main/a.env": "V=a",
    }
    if "project_directory: ." in entry:
        files["main/.env"] = "V=root"
    load_texts(tmp_path, files, files=("main/compose.yaml",), environ={"D": "sub"})
    service = rendered_service(
        tmp_path, files, "i", files=("main/compose.yaml",), environ={"D": "sub"}
    )
    assert service["image"] == image
    assert service["volumes"][0]["source"] == base.replace("/DIR", "/DIR/main") + "/d"


def test_several_files_are_laid_over_each_other(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [{path: [a.yaml, b.yaml]}]",
        "a.yaml": "services: {a: {image: a, ports: ['1:1'], command: x}}",
        "b.yaml": "services: {a: {ports: !reset [], command: [y]}}",
    }
    assert rendered_service(tmp_path, files) == {"image": "a", "command": ["y"]}


def test_included_projects_include_others(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [sub/c.yaml]",
        "sub/c.yaml": "include: [deep/d.yaml]\nservices: {i: {image: 'i$V'}}",
        "sub/deep/d.yaml": "services: {k: {image: 'k$V', build: ., volumes: ['../u:/u']}}",
        "sub/deep/.env": "V=deep",
    }
    services = rendered(tmp_path, files)["services"]
    assert services["i"]["image"] == "i"
    assert services["k"]["image"] == "kdeep"
    assert services["k"]["build"]["context"] == "/DIR/sub/deep"
    assert services["k"]["volumes"][0]["source"] == "/DIR/sub/u"


def test_the_same_may_be_said_twice(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [a.yaml, b.yaml]",
        "a.yaml": "include: [c.yaml]\nservices: {a: {image: a}}",
        "b.yaml": "include: [c.yaml]\nservices: {b: {image: b}}",
        "c.yaml": "services: {c: {image: c, ports: ['1:1']}}",
    }
    assert list(rendered(tmp_path, files)["services"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "own", ["services: {i: {image: j}}", "services: {i: {image: i, tty: true}}"]
)
def test_something_else_may_not_be_said(tmp_path: Path, own: str) -> None:
    files = {"compose.yaml": f"include: [c.yaml]\n{own}", "c.yaml": "services: {i: {image: i}}"}
    with pytest.raises(ComposeFileInvalid, match=r"services\.i conflicts with imported resource"):
        load_texts(tmp_path, files)


def test_a_second_file_changes_what_is_included(tmp_path: Path) -> None:
    files = {
        "a.yaml": "include: [s/i.yaml]",
        "b.yaml": "services: {i: {labels: {a: '1'}}}",
        "s/i.yaml": "services: {i: {image: i, build: .}}",
    }
    service = rendered_service(tmp_path, files, "i", files=("a.yaml", "b.yaml"))
    assert service["labels"] == {"a": "1"}
    assert service["build"]["context"] == "/DIR/s"


@pytest.mark.parametrize(
    "files",
    [
        {"compose.yaml": "include: [compose.yaml]"},
        {
            "compose.yaml": "include: [a.yaml]",
            "a.yaml": "include: [b.yaml]",
            "b.yaml": "include: [a.yaml]",
        },
    ],
)
def test_circles_are_told(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(IncludeCycle, match="include cycle detected"):
        load_texts(tmp_path, files)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("include: [nope.yaml]", FileUnreadable),
        ("include: [{path: i.yaml, env_file: nope.env}]", FileUnreadable),
        ("include: [{path: i.yaml, env_file: .}]", EnvFileBroken),
        ("include: ['git@example.com:x/y.git']", RemoteUnsupported),
        ("include: i.yaml", ComposeFileInvalid),
        ("include: [5]", ComposeFileInvalid),
        ("include: [{path: [5]}]", ComposeFileInvalid),
        ("include: [{path: {a: i.yaml}}]", ComposeFileInvalid),
        ("include: [{path: i.yaml, env_file: true}]", ComposeFileInvalid),
        ("include: [{path: i.yaml, project_directory: [.]}]", ComposeFileInvalid),
    ],
)
def test_what_cannot_be_included_is_told(tmp_path: Path, text: str, error: Any) -> None:
    with pytest.raises(error):
        load_texts(tmp_path, {"compose.yaml": text, "i.yaml": "services: {i: {image: i}}"})


@pytest.mark.parametrize("entry", ["", "{}", "{path: }", "{path: []}", "{env_file: x}"])
def test_an_entry_without_files_brings_nothing(tmp_path: Path, entry: str) -> None:
    text = f"include: [{entry or 'null'}]\nservices: {{a: {{image: a}}}}"
    assert rendered_service(tmp_path, text) == {"image": "a"}


@pytest.mark.parametrize(("directory", "source"), [("gone", "/DIR/d"), ("gone/", "/DIR/gone/d")])
def test_a_directory_that_is_not_there_ends_with_a_slash(
    tmp_path: Path, directory: str, source: str
) -> None:
    files = {
        "compose.yaml": f"include: [{{path: i.yaml, project_directory: {directory}}}]",
        "i.yaml": "services: {a: {image: a, volumes: ['./d:/d']}}",
    }
    assert rendered_service(tmp_path, files)["volumes"][0]["source"] == source


def test_an_endless_chain_is_told(tmp_path: Path) -> None:
    files = {f"c{n}.yaml": f"include: [c{n + 1}.yaml]" for n in range(150)}
    with pytest.raises(TooManyLevels, match="cannot follow include"):
        load_texts(tmp_path, files, files=("c0.yaml",))


def test_mistakes_of_included_files_are_placed_there(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [s/i.yaml]\nservices: {a: {image: a}}",
        "s/i.yaml": "services:\n  i:\n    image: i\n    depends_on: [nope]\n",
    }
    with pytest.raises(ComposeFileInvalid) as raised:
        load_texts(tmp_path, files)
    assert str(raised.value.diagnostics[0].location).startswith(f"{tmp_path}/s/i.yaml:4:")
