"""Which files, directory, environment and name are meant."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.compose.basics.errors import (
    EnvFileMissing,
    NoConfigurationFile,
    NotASwitch,
    ProjectNameEmpty,
)
from cntnr_compose.compose.load import LoadRequest
from cntnr_compose.compose.project_name import resolve_project_name
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import ProjectNameInvalid
from tests.unit.compose.world import ENVIRON, load_texts, rendered, rendered_service, write_files

X = "services: {a: {image: x}}\n"


def test_a_file_is_looked_for_up_the_tree(tmp_path: Path) -> None:
    write_files(tmp_path, {"compose.yaml": X})
    (tmp_path / "one/two").mkdir(parents=True)
    project = load_texts(tmp_path, {}, cwd=str(tmp_path / "one/two")).project
    assert project.files == (str(tmp_path / "compose.yaml"),)
    assert project.working_dir == str(tmp_path)


def test_an_override_beside_it_is_laid_over_it(tmp_path: Path) -> None:
    files = {"compose.yml": X, "docker-compose.override.yaml": "services: {a: {tty: true}}"}
    assert rendered_service(tmp_path, files) == {"image": "x", "tty": True}


def test_named_files_have_no_override(tmp_path: Path) -> None:
    files = {"compose.yml": X, "compose.override.yml": "services: {a: {tty: true}}"}
    assert rendered_service(tmp_path, files, files=("compose.yml",)) == {"image": "x"}


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoConfigurationFile, match="no configuration file provided: not found"):
        load_texts(tmp_path, {})


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"COMPOSE_FILE": "x.yaml:y.yaml"}, ["a", "b"]),
        ({"COMPOSE_FILE": "x.yaml,y.yaml", "COMPOSE_PATH_SEPARATOR": ","}, ["a", "b"]),
        ({"COMPOSE_FILE": "y.yaml"}, ["b"]),
    ],
)
def test_a_variable_names_files(tmp_path: Path, environ: dict[str, str], names: list[str]) -> None:
    files = {"x.yaml": X, "y.yaml": "services: {b: {image: y}}"}
    assert list(rendered(tmp_path, files, environ=environ)["services"]) == names


def test_a_variable_that_names_no_file_names_the_directory(tmp_path: Path) -> None:
    with pytest.raises(CntnrError, match="is a directory"):
        load_texts(tmp_path, X, environ={"COMPOSE_FILE": ""})


def test_the_env_file_configures_us_too(tmp_path: Path) -> None:
    files = {
        "x.yaml": "services: {a: {image: x}, b: {image: y, profiles: [p]}}",
        ".env": "COMPOSE_FILE=x.yaml\nCOMPOSE_PROJECT_NAME=given\nCOMPOSE_PROFILES=p\n",
    }
    tree = rendered(tmp_path, files)
    assert tree["name"] == "given"
    assert list(tree["services"]) == ["a", "b"]


IMAGE = "services: {a: {image: 'i:${V:-none}-${W:-none}'}}"


@pytest.mark.parametrize(
    ("files", "options", "image"),
    [
        ({".env": "V=1\n"}, {}, "i:1-none"),
        ({".env": "V=1\nW=$V\n"}, {"environ": {"V": "e"}}, "i:e-e"),
        ({"1.env": "V=1\nW=1\n", "2.env": "W=2\n"}, {"env_files": ("1.env", "2.env")}, "i:1-2"),
        (
            {"1.env": "V=1\n", ".env": "W=no"},
            {"environ": {"COMPOSE_ENV_FILES": "1.env"}},
            "i:1-none",
        ),
        ({".env": "V=1\n"}, {"environ": {"COMPOSE_DISABLE_ENV_FILE": "1"}}, "i:none-none"),
        ({".env": "V=1\nCOMPOSE_DISABLE_ENV_FILE=1\n"}, {}, "i:none-none"),
        ({".env": "V=$COMPOSE_PROFILES\nCOMPOSE_PROFILES=q\n"}, {}, "i:q-none"),
        (
            {".env": "V=1\nCOMPOSE_DISABLE_ENV_FILE=1\n"},
            {"environ": {"COMPOSE_DISABLE_ENV_FILE": "0"}},
            "i:1-none",
        ),
        ({"x.env": "V=1\n"}, {"environ": {"COMPOSE_ENV_FILES": ",x.env,"}}, "i:1-none"),
        ({".env": "V=1\n", "p/.env": "V=2\nW=2\n"}, {"project_directory": "p"}, "i:2-2"),
    ],
)
def test_variables_come_from_env_files(
    tmp_path: Path, files: Any, options: Any, image: str
) -> None:
    if "project_directory" in options:
        options = options | {"files": ("compose.yaml",)}
    assert rendered_service(tmp_path, {"compose.yaml": IMAGE, **files}, **options)["image"] == image


def test_an_env_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(EnvFileMissing, match=r"couldn't find env file: .*nope.env"):
        load_texts(tmp_path, X, env_files=("nope.env",))


def test_a_switch_is_true_or_false(tmp_path: Path) -> None:
    with pytest.raises(NotASwitch, match="COMPOSE_DISABLE_ENV_FILE"):
        load_texts(tmp_path, X, environ={"COMPOSE_DISABLE_ENV_FILE": "perhaps"})


@pytest.mark.parametrize(
    ("text", "options", "name"),
    [
        (X, {}, "some-dir_1"),
        ("name: My App\n" + X, {}, "myapp"),
        ("name: '${A}-${NO:-x}'\n" + X, {}, "aa-x"),
        ("name: My App\n" + X, {"normalize": False}, "My App"),
        ("name: one\n---\nname: two\n" + X, {}, "two"),
        ("name: one\n" + X, {"environ": {"COMPOSE_PROJECT_NAME": "env"}}, "env"),
        ("name: one\n" + X, {"project_name": "flag"}, "flag"),
    ],
)
def test_a_project_has_a_name(tmp_path: Path, text: str, options: Any, name: str) -> None:
    folder = tmp_path / "Some.Dir_1"
    folder.mkdir()
    folder = folder.rename(tmp_path / "-Some-Dir_1")
    loaded = load_texts(folder, text, **options)
    assert loaded.project.name == name
    assert loaded.tree["name"] == name
    environ = ENVIRON | options.pop("environ", {})
    assert resolve_project_name(LoadRequest(environ=environ, cwd=str(folder), **options)) == name


@pytest.mark.parametrize("name", ["Upper", "-x", "a b", "a/b", "é"])
def test_a_name_that_is_given_must_be_valid(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectNameInvalid, match="must consist only of lowercase"):
        load_texts(tmp_path, X, project_name=name)


def test_a_name_cannot_be_empty(tmp_path: Path) -> None:
    with pytest.raises(ProjectNameEmpty):
        load_texts(tmp_path, "name: '${NOPE}'\n" + X)


def test_the_directory_has_the_name_that_the_shell_has_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to(folder)
    write_files(folder, {"compose.yaml": X})
    there = load_texts(tmp_path, {}, cwd=str(folder), environ={"PWD": str(link)}).project
    assert there.working_dir == str(link)
    elsewhere = load_texts(tmp_path, {}, cwd=str(folder), environ={"PWD": str(tmp_path)}).project
    assert elsewhere.working_dir == str(folder)
