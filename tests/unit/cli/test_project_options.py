"""What the options of `cntnr compose` mean."""

from pathlib import Path

import pytest

from cntnr_compose.cli.project.options import (
    BadParallelLimit,
    NoTable,
    ProjectOptions,
    UnsupportedValue,
    is_on,
)
from cntnr_compose.compose.basics.errors import NoConfigurationFile
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import ProjectNameInvalid


def options(environ: dict[str, str] | None = None, **values: object) -> ProjectOptions:
    return ProjectOptions.parse(values, environ or {})


def test_options_that_are_not_given_have_defaults() -> None:
    assert options(parallel=None, project_name=None) == ProjectOptions()


def test_variables_stand_in_for_options() -> None:
    environ = {"COMPOSE_PROGRESS": "plain", "COMPOSE_ANSI": "never"}
    assert options(environ).progress == "plain"
    assert options(environ).ansi == "never"
    assert options(environ, progress="json", ansi="always").progress == "json"
    assert options(no_ansi=True).ansi == "never"
    assert options(no_ansi=False).ansi == "auto"
    assert options({"COMPOSE_PARALLEL_LIMIT": "3"}).parallel == 3
    assert options({"COMPOSE_PARALLEL_LIMIT": "3"}, parallel=4).parallel == 4


def test_settings_of_env_files_stand_in_for_variables(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text(
        "COMPOSE_ANSI=never\nCOMPOSE_PARALLEL_LIMIT=2\nCOMPOSE_PROGRESS=json\n"
    )
    (folder / "compose.yaml").write_text("services: {}\n")
    read = options()
    assert (read.ansi, read.parallel, read.progress) == ("never", 2, "auto")
    assert options({"COMPOSE_ANSI": "always"}, parallel=3).ansi == "always"
    assert options({"COMPOSE_DISABLE_ENV_FILE": "1"}).ansi == "auto"
    (folder / "sub").mkdir()
    (folder / "sub/.env").write_text("COMPOSE_ANSI=always\n")
    assert options(env_files=("sub/.env",)).ansi == "always"
    assert options({"COMPOSE_ENV_FILES": "sub/.env"}).ansi == "always"
    assert options(directory="sub").ansi == "always"
    assert options(files=("sub/other.yaml",)).ansi == "always"
    monkeypatch.chdir(folder / "sub")
    assert options().ansi == "always"
    (folder / "sub/.env").write_text("x")
    assert options().ansi == "never"  # the project's folder is the one above
    (folder / ".env").write_text("COMPOSE_ANSI=loud\n")
    with pytest.raises(UnsupportedValue):
        options()


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("-1", 0), ("3", 3)])
def test_a_limit_is_a_number(text: str, number: int) -> None:
    assert options({"COMPOSE_PARALLEL_LIMIT": text}).limit == number
    with pytest.raises(BadParallelLimit, match='must be an integer \\(found: "x'):
        options({"COMPOSE_PARALLEL_LIMIT": f"x{text}"})


def test_the_table_needs_terminal_codes() -> None:
    with pytest.raises(NoTable):
        options({"COMPOSE_ANSI": "never"}, progress="tty")


def test_older_names_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = options(no_ansi=True, workdir="x")
    assert (read.ansi, read.directory) == ("never", "x")
    assert capsys.readouterr().err == (
        "option '--no-ansi' is DEPRECATED ! Please use '--ansi' instead.\n"
        "option '--workdir' is DEPRECATED at root level! Please use '--project-directory' instead.\n"
    )


def test_an_unknown_value_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnsupportedValue, match='unsupported --progress value "loud"') as raised:
        options(progress="loud")
    assert raised.value.hint == "it can be auto, tty, plain, json or quiet"


@pytest.mark.parametrize(("text", "on"), [("1", True), ("TRUE", True), ("", False), ("no", False)])
def test_variables_are_switched_on_by_the_usual_words(text: str, on: bool) -> None:
    assert is_on(text) is on


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "Shop_1"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("COMPOSE_PROJECT_NAME", raising=False)
    return place


def test_a_name_needs_no_file(folder: Path) -> None:
    assert ProjectOptions(project_name="other").resolve_name() == "other"
    with pytest.raises(ProjectNameInvalid):
        ProjectOptions(project_name="Other").resolve_name()
    with pytest.raises(NoConfigurationFile):
        ProjectOptions().resolve_name()


def test_a_file_that_is_named_has_to_be_there_also_where_the_name_is_given(folder: Path) -> None:
    (folder / "a.yaml").write_text("name: ours\nservices: {}\n")
    assert ProjectOptions(project_name="other", files=("a.yaml",)).resolve_name() == "other"
    with pytest.raises(CntnrError, match="nope"):
        ProjectOptions(project_name="other", files=("nope.yaml",)).resolve_name()


def test_the_name_is_the_file_s_or_the_folder_s(folder: Path) -> None:
    file = folder / "compose.yaml"
    file.write_text("services: {}\n")
    assert ProjectOptions().resolve_name() == "shop_1"
    file.write_text("# it's ours\nname: ours\nservices: {}\n")
    assert ProjectOptions().resolve_name() == "ours"
    file.write_text('name: "${WHOSE:-theirs}"\nservices: {a: {image: x}}\n')
    assert ProjectOptions().resolve_name() == "theirs"


def test_a_variable_says_the_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "compose.yaml").write_text("name: ours\nservices: {}\n")
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "varied")
    assert ProjectOptions().resolve_name() == "varied"


def test_files_that_cannot_be_read_do_not_matter_where_a_variable_says_the_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "varied")
    with ProjectOptions().display() as console:
        assert ProjectOptions().resolve_name_and_project(console) == ("varied", None)


def test_names_are_joined_by_what_docker_joins_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "compose.yaml").write_text("services: {a: {image: x}}\n")
    with ProjectOptions().display() as console:
        project = ProjectOptions().load_project(console)
    monkeypatch.delenv("COMPOSE_COMPATIBILITY", raising=False)
    assert ProjectOptions().name_separator(project) == "-"
    assert ProjectOptions(compatibility=True).name_separator(project) == "_"
    monkeypatch.setenv("COMPOSE_COMPATIBILITY", "1")
    assert ProjectOptions().name_separator(project) == "_"
