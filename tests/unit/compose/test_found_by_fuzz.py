"""Texts that once broke the loader: each is told as a mistake, or read."""

import json
from pathlib import Path

import pytest

from cntnr_compose.compose.load import LoadRequest, load
from cntnr_compose.compose.render.output import render_json
from cntnr_compose.core.errors import CntnrError


def load_text(folder: Path, text: str, **more: object) -> None:
    (folder / "compose.yaml").write_text(text)
    load(LoadRequest(cwd=str(folder), **more))  # type: ignore[arg-type]


def test_an_empty_name_is_a_name(tmp_path: Path) -> None:
    with pytest.raises(CntnrError, match="undefined model"):
        load_text(tmp_path, "services: {a: {image: x, models: ['']}}")


@pytest.mark.parametrize(
    "text",
    [
        'include: ["\\0"]',
        'services: {a: {image: x, env_file: "\\0"}}',
        'services: {a: {image: x, label_file: "\\0"}}',
        'services: {a: {extends: {service: a, file: "\\0"}}}',
    ],
)
def test_a_path_with_a_null_byte_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(CntnrError, match=r"(?i)invalid|not found|no such"):
        load_text(tmp_path, text)


LONG = "n" * 300


@pytest.mark.parametrize(
    "text",
    [
        f"include: [{LONG}]",
        f"include: [{{path: ./a, env_file: {LONG}}}]",
        f"include: [{{path: ./a, project_directory: {LONG}}}]",
        f"services: {{a: {{image: x, env_file: {LONG}}}}}",
        f"services: {{a: {{image: x, label_file: {LONG}}}}}",
        f"services: {{a: {{extends: {{service: a, file: {LONG}}}}}}}",
    ],
)
def test_a_path_that_is_too_long_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(CntnrError, match=r"(?i)too long|not found|no such"):
        load_text(tmp_path, text)


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 5000, "0x" + "f" * 90, "1" * 30])
def test_a_number_of_any_length_is_read(tmp_path: Path, number: str) -> None:
    load_text(tmp_path, f"services: {{a: {{image: x, labels: {{n: {number}}}}}}}")


def test_names_that_look_like_extensions_are_printed(tmp_path: Path) -> None:
    text = "services: {x-a: {image: x, x-b: 1, labels: [x-c=d]}}"
    (tmp_path / "compose.yaml").write_text(text)
    tree = json.loads(render_json(load(LoadRequest(cwd=str(tmp_path))).tree))
    assert tree["services"]["x-a"]["labels"] == {"x-c": "d"}
    assert "x-b" not in tree["services"]["x-a"]


def test_a_blank_path_to_watch_is_told_before_it_becomes_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CntnrError, match="value can't be blank"):
        load_text(
            tmp_path,
            "services: {a: {image: x, develop: {watch: [{path: '', action: rebuild}]}}}",
        )


@pytest.mark.parametrize("word", ["aGk", '"a\ufeffGk="', "ä"])
def test_binary_that_is_none_is_told(tmp_path: Path, word: str) -> None:
    with pytest.raises(CntnrError, match=r"compose.yaml:1:\d+: .*cannot decode"):
        load_text(tmp_path, f"services: {{a: {{image: !!binary {word}}}}}")


@pytest.mark.parametrize("secret", ['""', "{gid: '1'}"])
def test_a_build_secret_without_a_source_is_told(tmp_path: Path, secret: str) -> None:
    with pytest.raises(CntnrError, match="refers to undefined build secret"):
        load_text(tmp_path, f"services: {{a: {{build: {{context: ., secrets: [{secret}]}}}}}}")
