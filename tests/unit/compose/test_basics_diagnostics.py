"""Findings are told with place, path, words and a suggestion; all of them in one error."""

from cntnr_compose.compose.basics.diagnostics import (
    MAX_SHOWN,
    ComposeFileInvalid,
    Diagnostic,
    Location,
    closest_match,
    did_you_mean,
)

HERE = Location(file="compose.yaml", line=12, column=5)


def test_a_finding_says_where_what_and_what_was_meant() -> None:
    finding = Diagnostic(
        path=("services", "web", "ports", 0),
        message="unknown key",
        hint='did you mean "target"?',
        location=HERE,
    )
    assert str(finding) == (
        'compose.yaml:12:5: services.web.ports.0: unknown key (did you mean "target"?)'
    )


def test_a_finding_without_place_or_path_is_its_message() -> None:
    assert str(Diagnostic(path=(), message="empty compose file")) == "empty compose file"


def test_all_findings_are_told_one_a_line_and_each_once() -> None:
    first, second = (Diagnostic(path=("a",), message=word) for word in ("first", "second"))
    error = ComposeFileInvalid([first, second, first])
    assert str(error) == "a: first\na: second"
    assert error.diagnostics == (first, second)
    assert error.exit_code == 1


def test_a_flood_of_findings_is_cut() -> None:
    error = ComposeFileInvalid([Diagnostic(path=(n,), message="x") for n in range(MAX_SHOWN + 5)])
    assert str(error).splitlines()[MAX_SHOWN:] == ["and more mistakes"]


def test_the_nearest_word_is_suggested() -> None:
    known = ["ports", "expose", "depends_on", "build", 3]
    assert closest_match("portz", known) == "ports"
    assert closest_match("depends-on", known) == "depends_on"
    assert closest_match("BUILD", known) == "build"
    assert closest_match("quux", known) == ""
    assert closest_match(3, known) == "3"
    assert did_you_mean("exposed", known) == 'did you mean "expose"?'
    assert did_you_mean("quux", known) == ""
