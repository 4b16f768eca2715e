"""A command line means the same under the name of docker-compose, and as docker's plugin."""

import sys

import pytest

from cntnr_compose.cli.parser import program_name
from cntnr_compose.cli.parser.program_name import NoDaemon, command_line
from tests.unit.cli.conftest import Run

PLUGIN = "/home/u/.docker/cli-plugins/docker-compose"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["up", "-d"], ["compose", "up", "-d"]),
        ([], ["compose"]),
        (["compose", "up", "-d"], ["compose", "up", "-d"]),
        (["--debug", "-l", "warn", "compose", "ps"], ["compose", "ps"]),
        (["-f", "x", "ps"], ["compose", "-f", "x", "ps"]),
        (["docker-cli-plugin-metadata"], ["docker-cli-plugin-metadata"]),
        (["__complete", "compose", "up", ""], ["__complete", "compose", "up", ""]),
        (["__complete", "up", ""], ["__complete", "compose", "up", ""]),
        (["__complete", ""], ["__complete", "compose", ""]),
        (["-H"], ["compose", "-H"]),
    ],
)
def test_words_are_those_of_cntnr(words: list[str], expected: list[str]) -> None:
    assert list(command_line(PLUGIN, words)) == expected
    assert list(command_line("/usr/bin/cntnr", words)) == words


def test_config_of_docker_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", "/old")
    assert command_line(PLUGIN, ["--config", "/new", "compose", "ps"]) == ["compose", "ps"]
    assert program_name.os.environ["DOCKER_CONFIG"] == "/new"


@pytest.mark.parametrize("words", [["-H", "x"], ["--context=x"], ["--tlsverify"], ["-c", "x"]])
def test_a_daemon_is_refused(words: list[str]) -> None:
    with pytest.raises(NoDaemon, match=words[0].partition("=")[0]):
        command_line(PLUGIN, [*words, "compose", "down"])


@pytest.mark.parametrize("words", [("--version",), ("version",)])
def test_the_version_is_that_of_docker_compose(
    cntnr: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "argv", [PLUGIN])
    assert cntnr("version", "--short").out == "2.40.3\n"
    assert cntnr("version", "-f", "json").out == '{"version":"v2.40.3"}\n'
    assert cntnr("version").out.startswith("Docker Compose version v2.40.3 (cntnr v")
