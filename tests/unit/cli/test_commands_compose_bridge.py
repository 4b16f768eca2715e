"""`bridge` ends with one sentence: its converters are images that docker's daemon runs."""

import pytest

from tests.unit.cli.conftest import Run


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "-o", "x", "--templates", "t", "-t", "a/b"),
        ("transformations", "create", "x", "--from", "y"),
        ("transformations", "list", "--format", "json", "-q"),
        ("transformations", "ls"),
    ],
)
def test_it_is_refused(cntnr: Run, words: tuple[str, ...]) -> None:
    ran = cntnr("compose", "bridge", *words)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: cannot use transformations: ")


def test_without_a_command_its_help_is_shown(cntnr: Run) -> None:
    assert "convert" in cntnr("compose", "bridge").out
