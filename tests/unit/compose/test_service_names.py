"""Names of services and profiles are read from compose files of every kind, and never with an error."""

import os
from pathlib import Path

import pytest

from cntnr_compose.compose import service_names
from cntnr_compose.compose.files.request import LoadRequest


def request(folder: Path, *files: str, **environ: str) -> LoadRequest:
    return LoadRequest(files=files, environ=environ, cwd=str(folder))


def services(folder: Path, text: str, **files: str) -> list[str]:
    (folder / "compose.yaml").write_text(text)
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content)
    return service_names.service_names(request(folder))


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  web:\n    image: x\n  'db':\n    command: |\n      cache:\n",
        "# c\nname: x\nservices:   # all\n\n    web: {image: x}\n    # no:\n    db: &db\n      no:\n",
        'x-a:\n  no:\n    no: 1\nservices:\n  web:\n  "db" : {}\nvolumes:\n  no:\n',
        "services: {web: {image: x}, db: }",
        "{services: {web: , db: }}",
        "x: &a\n  web: {}\nservices:\n  <<: *a\n  db: {}\n",
        "services:\n\tweb: {}\n---\nservices:\n  web: {}\n  db: {}\n",
        "'services':\n  web: {}\n  db: {}\n",
    ],
)
def test_all_styles_are_read(tmp_path: Path, text: str) -> None:
    expected = set() if "\t" in text else {"web", "db"}
    assert set(services(tmp_path, text)) == expected


def test_a_file_in_block_style_is_not_parsed() -> None:
    text = "name: x\n\nservices:  # all\n  web: {image: x}\n\n  db:\n    image: y\nvolumes:\n  v:\n"
    assert service_names.names_in_lines(text) == ["web", "db"]
    merged = "x: &x {image: x}\nservices:\n  a:\n    <<: *x\n"
    assert service_names.names_in_lines(merged) == ["a"]
    assert service_names.names_in_lines("include: [a.yaml]\nservices:\n  a:\n") is None


def test_included_files_and_overrides_are_read(tmp_path: Path) -> None:
    (tmp_path / "compose.override.yml").write_text("services:\n  more: {}\n")
    text = "include:\n- a.yaml\n- path: [b.yaml, ./compose.yaml]\n- ${C}/c.yaml\nservices:\n  web: {}\n"
    included = services(
        tmp_path, text, a="services:\n  a: {}\n", b="include: [a.yaml, gone.yaml]\nservices: {b: }"
    )
    assert set(included) == {"web", "a", "b", "more"}


def test_variables_and_options_name_files(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("services:\n  x: {profiles: [dev, 'all']}\n  y:\n")
    assert service_names.service_names(request(tmp_path, "x.yaml")) == ["x", "y"]
    assert service_names.service_names(request(tmp_path, COMPOSE_FILE="x.yaml")) == ["x", "y"]
    assert service_names.profile_names(request(tmp_path, "x.yaml")) == ["dev", "all"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "services: 3",
        "services: [a]",
        "services:\n  - a",
        "services:\n  'a b': {}\n  \"\\e[2J\": {}\n  1: {}",
        "include: 3\nservices: {}",
        "include: [{path: 3}, 4, null]",
        "\0",
        "services:\n  a: !x [",
    ],
)
def test_what_is_no_project_has_no_services(tmp_path: Path, text: str) -> None:
    assert set(services(tmp_path, text)) <= {"a", "1"}
    assert service_names.profile_names(request(tmp_path)) == []


def test_files_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    pipe = tmp_path / "compose.yaml"
    os.mkfifo(pipe)
    paths = ["gone.yaml", str(tmp_path), "-", "https://example.org/x.git", "compose.yaml"]
    for path in paths:
        assert service_names.service_names(request(tmp_path, path)) == []
    pipe.unlink()
    pipe.write_bytes(b"services:\n  a: {}\n" + b"#" * service_names.MAX_BYTES)
    assert service_names.service_names(request(tmp_path)) == []
    assert service_names.service_names(request(tmp_path, env_file="gone")) == []
