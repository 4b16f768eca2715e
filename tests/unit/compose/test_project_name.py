"""The name of a project has one answer, however little is read for it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.basics.errors import ProjectNameEmpty
from cntnr_compose.compose.files.discovery import ProjectFiles
from cntnr_compose.compose.files.reading import ignore_warning
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.compose.load import load
from cntnr_compose.compose.merging.layers import LoadContext
from cntnr_compose.compose.project_name import (
    name_from_documents,
    name_in_text,
    quick_name,
    resolve_project_name,
)
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import ProjectNameInvalid

PIECES = st.sampled_from(
    [
        *("name: shop", "name:  shop-1  ", "name: other\r", "name: ${NAME}", "name: Shop", "name:"),
        *(
            "name: 'shop'",
            'name: "shop"',
            "name: shop # ours",
            "name : shop",
            "names: {}",
            "name: 7",
        ),
        *(
            "name: 1e6",
            "name: null",
            "name: yes",
            "name: 0x1f",
            "name: 2026-11-30",
            "name: ~",
            "  two",
        ),
        *(
            "'name': shop",
            "{name: shop}",
            "? name",
            ": shop",
            "<<: *a",
            "x-a: &a",
            "&a",
            "!!str name: x",
        ),
        *(
            "---",
            "--- # first",
            "--- {name: shop}",
            "...",
            "# don't",
            "#",
            "",
            "   ",
            "\ufeffname: bom",
        ),
        *(
            "services:",
            "  web:",
            "    image: x",
            "  name: inner",
            "    command: 'x'",
            "services: {}",
        ),
        *(
            "x-a: don't",
            'x-a: "begins',
            'ends"',
            "x-a: {",
            "}",
            "x-b: [",
            "]",
            "x-c: |",
            "- name",
            "|",
        ),
        *(
            "version: '3'",
            "x-d: >-",
            "name: &n shop",
            "name: *a",
            "name: !reset shop",
            "name: [shop]",
        ),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(PIECES, max_size=7).map("\n".join), min_size=1, max_size=2))
def test_a_look_at_the_text_finds_what_parsing_finds(tmp_path: Path, texts: list[str]) -> None:
    files = tuple(str(tmp_path / f"{number}.yaml") for number, _ in enumerate(texts))
    for file, text in zip(files, texts, strict=True):
        Path(file).write_text(text)
    request = LoadRequest(files=files, cwd=str(tmp_path), environ={"NAME": "of-variable"})
    project_files = ProjectFiles(request, ignore_warning)
    quick = quick_name(project_files)
    if quick is not None:
        context = LoadContext.of_project(project_files, request)
        try:
            full = name_from_documents(project_files, context, request)
        except ComposeFileInvalid:
            return  # a file that cannot be parsed may still have a name
        assert quick == full


@pytest.mark.parametrize("directory", ["Shop.Dir_1", "shop", "-x"])
@pytest.mark.parametrize("option", ["", "of-option", "Bad"])
@pytest.mark.parametrize("variable", ["", "of-variable", "Bad Name"])
@pytest.mark.parametrize("env_file", ["", "COMPOSE_PROJECT_NAME=of-env-file\n"])
@pytest.mark.parametrize("text", ["", "name: of-file\n", "name: '${N:-of-${M:-default}}'\n"])
@pytest.mark.parametrize("explicit_file", [False, True])
def test_it_is_the_name_of_the_loaded_project(
    tmp_path: Path,
    directory: str,
    option: str,
    variable: str,
    env_file: str,
    text: str,
    explicit_file: bool,
) -> None:
    folder = tmp_path / directory
    folder.mkdir()
    (folder / "compose.yaml").write_text(f"{text}services: {{web: {{image: x}}}}\n")
    (folder / ".env").write_text(env_file)
    request = LoadRequest(
        files=("compose.yaml",) if explicit_file else (),
        project_name=option,
        environ={"COMPOSE_PROJECT_NAME": variable} if variable else {},
        cwd=str(folder),
    )
    try:
        expected = load(request).project.name
    except ProjectNameInvalid as error:
        with pytest.raises(ProjectNameInvalid, match=str(error)):
            resolve_project_name(request)
    else:
        assert resolve_project_name(request) == expected


def test_an_explicit_name_needs_no_file_but_one_that_an_option_names(tmp_path: Path) -> None:
    assert resolve_project_name(LoadRequest(project_name="shop", cwd=str(tmp_path))) == "shop"
    (tmp_path / "broken.yaml").write_text("}{")
    for file, error in (("broken.yaml", None), ("nope.yaml", "nope")):
        request = LoadRequest(project_name="shop", files=(file,), cwd=str(tmp_path))
        if error is None:
            assert resolve_project_name(request) == "shop"
        else:
            with pytest.raises(CntnrError, match=error):
                resolve_project_name(request)


def test_a_directory_without_a_name_gives_none(tmp_path: Path) -> None:
    folder = tmp_path / "---"
    folder.mkdir()
    (folder / "compose.yaml").write_text("services: {}\n")
    with pytest.raises(ProjectNameEmpty):
        resolve_project_name(LoadRequest(cwd=str(folder)))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("services:\n  web:\n    image: x\n", ""),
        ("name: shop\nservices: {}\n", "shop"),
        ("# don't\nname: shop-1  \r\nservices:\n", "shop-1"),
        ("services:\n  name:\n    image: x\n", ""),
        ("---\nname: shop\n", "shop"),
        ("--- # first\nname: shop\n", "shop"),
        ("services:\n  a:\n    command: 'x'\nname: shop\n", "shop"),
        ("x-text: |\n  name: other\nservices: {}\n", ""),
        ("x-a: don't\nservices: {}\n", ""),
    ],
)
def test_a_plain_name_is_found_in_the_text(text: str, name: str) -> None:
    assert name_in_text(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "name: ${NAME}\n",
        "name: Shop\n",
        "name: 'shop'\n",
        "name: shop # ours\n",
        "name: -shop\n",
        "name: 1e6\n",
        "name: null\n",
        "name: shop\n  two\n",
        "name : shop\n",
        "names: {}\n",
        "name: shop\nname: other\n",
        "name:\n  shop\n",
        "'name': shop\n",
        '"name": shop\n',
        "{name: shop}\n",
        "x-a: {\nname: shop\n}\n",
        "? name\n: shop\n",
        "<<: *base\n",
        "&a\nname: shop\n",
        "!x\nname: shop\n",
        "--- {name: shop}\n",
        "name: shop\n---\nname: other\n",
        "x-a: don't\nname: shop\n",
        'x-a: "begins\nname: shop\n"\n',
    ],
)
def test_what_leaves_a_doubt_is_left_to_parsing(text: str) -> None:
    assert name_in_text(text) is None
