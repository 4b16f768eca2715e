"""Completion proposes what can come next on a command line, from the rows of its command."""

from pathlib import Path

import pytest

from cntnr_compose.cli.parser import completion
from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.completion import FILES, NO_FILES, NO_SPACE, ONLY_DIRECTORIES
from cntnr_compose.cli.parser.tree.compose import COMPOSE
from cntnr_compose.cli.project import known_names
from tests.unit.cli.conftest import Run

TEXT = "services:\n  web: {profiles: [dev]}\n  db: {}\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)


def words(line: str) -> set[str]:
    return set(completion.complete(line.split(" "))[0])


def test_commands_are_proposed_and_hidden_ones_are_not() -> None:
    assert words("") == {name for name, entry in ROOT.entries.items() if not entry.hidden}
    assert words("compose ") == {
        name for name, entry in COMPOSE.entries.items() if not entry.hidden
    }
    assert words("compose -p x --progress plain p") >= {"ps", "pull", "port"}
    assert words("nothing ") == words("compose nothing ") == set()


def test_flags_are_proposed_unless_they_are_used() -> None:
    assert {"--build", "--detach", "-d", "--scale", "--file", "--help"} <= words("compose up -")
    assert words("compose up -d --bu") == {"--build"}
    assert words("compose up -d -") >= {"--scale", "-f"}
    assert "--detach" not in words("compose up -d -")
    assert "--detach" not in words("compose up -dV -")
    assert "--scale" in words("compose up --scale a=1 -")
    assert "--tail" not in words("compose logs --tail 3 --t")
    assert words("compose exec web -") == set()
    assert words("compose up -- -") == set()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("compose ps --status r", {"restarting", "removing", "running"}),
        ("compose ps --status=dea", {"dead"}),
        ("compose --progress ", {"auto", "tty", "plain", "json", "quiet"}),
        ("compose --ansi=n", {"never"}),
        ("compose kill -s SIGK", {"SIGKILL"}),
        ("compose up --exit-code-from ", {"web", "db"}),
        ("compose --profile ", {"dev"}),
        ("completion ", {"bash", "zsh", "fish"}),
        ("compose up --nothing=", set()),
        ("compose version --format ", {"pretty", "json"}),
    ],
)
def test_values_of_flags_are_proposed(line: str, expected: set[str]) -> None:
    assert words(line) == expected


def test_services_are_proposed_where_one_is_expected() -> None:
    assert words("compose up ") == words("compose exec ") == {"web", "db"}
    assert words("compose up web ") == {"db"}
    assert words("compose exec web ") == set()
    assert words("compose -f gone.yaml up ") == set()
    assert words("compose up -f gone.yaml -d ") == set()
    assert completion.complete(["compose", "scale", "w"]) == ({"web=": ""}, NO_FILES | NO_SPACE)
    assert completion.complete(["compose", "scale", "web="]) == ({}, NO_FILES)


def test_the_shell_is_told_about_files() -> None:
    assert completion.complete(["compose", "-f", ""]) == ({}, FILES)
    assert completion.complete(["compose", "--file=x"]) == ({}, FILES)
    assert completion.complete(["compose", "--project-directory", ""]) == ({}, ONLY_DIRECTORIES)


def test_names_of_projects_and_containers_are_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_names, "projects", lambda _shared: ["shop", "blog"])
    assert words("compose -p s") == {"shop"}


def test_an_answer_is_that_of_cobra(cntnr: Run) -> None:
    ran = cntnr("__complete", "compose", "up", "--bui")
    assert ran.out == "--build\tBuild images before.\n:4\n" or ran.out.startswith("--build\t")
    assert ran.out.endswith("\n:4\n")
    assert cntnr("__completeNoDesc", "compose", "up", "--buil").out == "--build\n:4\n"
    assert cntnr("__complete").out == completion.answer([""]) + "\n"


def test_an_error_is_an_answer_without_words(cntnr: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_words: list[str]) -> None:
        raise RuntimeError

    monkeypatch.setattr(completion, "complete", fail)
    ran = cntnr("__complete", "compose", "")
    assert (ran.code, ran.out, ran.err) == (0, ":4\n", "")


def test_a_file_that_hangs_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / ".env")
    monkeypatch.setattr(completion, "MAX_SECONDS", 0.1)
    assert completion.answer(["compose", "up", ""]) == ":4"
