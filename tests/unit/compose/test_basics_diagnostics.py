"""Findings are told with place, path, words and a suggestion; all of them in one error."""

from cntnr_compose.compose.basics.diagnostics import (
    SHOWN,
    ComposeFileInvalid,
    Finding,
    Place,
    nearest,
    suggestion,
)

HERE = Place(file="compose.yaml", line=12, column=5)


def test_a_finding_says_where_what_and_what_was_meant() -> None:
    finding = Finding(
        path=("services", "web", "ports", 0),
        message="unknown key",
        hint='did you mean "target"?',
        place=HERE,
    )
    assert str(finding) == (
        'compose.yaml:12:5: services.web.ports.0: unknown key (did you mean "target"?)'
    )


def test_a_finding_without_place_or_path_is_its_message() -> None:
    assert str(Finding(path=(), message="empty compose file")) == "empty compose file"


def test_all_findings_are_told_one_a_line_and_each_once() -> None:
    one, other = (Finding(path=("a",), message=word) for word in ("first", "second"))
    error = ComposeFileInvalid([one, other, one])
    assert str(error) == "a: first\na: second"
    assert error.findings == (one, other)
    assert error.exit_code == 1


def test_a_flood_of_findings_is_cut() -> None:
    error = ComposeFileInvalid([Finding(path=(n,), message="x") for n in range(SHOWN + 5)])
    assert str(error).splitlines()[SHOWN:] == ["and more mistakes"]


def test_the_nearest_word_is_suggested() -> None:
    known = ["ports", "expose", "depends_on", "build", 3]
    assert nearest("portz", known) == "ports"
    assert nearest("depends-on", known) == "depends_on"
    assert nearest("BUILD", known) == "build"
    assert nearest("quux", known) == ""
    assert nearest(3, known) == "3"
    assert suggestion("exposed", known) == 'did you mean "expose"?'
    assert suggestion("quux", known) == ""
