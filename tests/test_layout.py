"""The layout of the code: who imports whom, one name for one thing, a map that is true."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "cntnr_compose"
MODULES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))
# Names that say nothing about what they hold.
VAGUE = {"one", "found", "wanted", "given", "mine"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def run(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_packages_import_only_what_the_contracts_allow() -> None:
    run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")


def test_the_map_is_what_the_imports_say() -> None:
    run("contrib/map/draw.py", "--check")


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=name_of)
def test_a_package_says_what_it_is_and_holds_no_code(folder: Path) -> None:
    tree = ast.parse((folder / "__init__.py").read_text())
    docstring = ast.get_docstring(tree) or ""
    assert len(tree.body) == 1, "code in an __init__.py is paid for by all who import a neighbour"
    assert re.search(r"\bUse[sd] ", docstring), "say what the package uses, and who uses it"
    assert (docstring + ".").count(". ") < 4


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=name_of)
def test_a_folder_has_at_most_twelve_files(folder: Path) -> None:
    if "commands" not in folder.parts:  # one file a command
        assert len([path for path in folder.glob("*.py") if path.stem != "__init__"]) <= 12


def test_no_two_public_classes_have_one_name() -> None:
    places = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name_of(path))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_names_say_what_they_hold(path: Path) -> None:
    tree = ast.parse(path.read_text())
    passed = {*names_in_short_comprehensions(tree), *names_of_fields(tree)}
    vague = [
        f"{path.name}:{node.lineno} {name}"
        for node in ast.walk(tree)
        if (name := bound_name(node)) in VAGUE and node not in passed
    ]
    assert vague == []


def names_in_short_comprehensions(tree: ast.AST) -> Iterator[ast.AST]:
    """Find the names that live for one line only."""
    for node in ast.walk(tree):
        match node:
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                for generator in node.generators:
                    if node.lineno == node.end_lineno:
                        yield from ast.walk(generator.target)
            case ast.Lambda():
                yield from ast.walk(node.args)


def names_of_fields(tree: ast.AST) -> Iterator[ast.AST]:
    """Find the names of fields: those that are on disk or go over the socket cannot change."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (item.target for item in node.body if isinstance(item, ast.AnnAssign))


def bound_name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            return name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            return name
        case _:
            return ""


def test_unit_tests_lie_where_their_module_does() -> None:
    """`tests/unit/PACKAGE/test_FOLDER_MODULE.py` is for `PACKAGE/FOLDER/MODULE.py`."""
    packages = {folder.name for folder in FOLDERS if folder.parent == PACKAGE}
    folders = {path.name for path in (ROOT / "tests/unit").iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} <= packages
