"""Where things were written."""

from cntnr_compose.compose.basics.diagnostics import Diagnostic, Location
from cntnr_compose.compose.yaml.source_map import BaseService, SourceMap, SourceText

BASE = "services:\n  a:\n    image: x\n    ports: [a, b]\n"
OVER = "services:\n  a:\n    image: y\n    ports:\n      - c\n"


def location(file: str, line: int, column: int) -> Location:
    return Location(file=file, line=line, column=column)


def test_the_nearest_thing_around_it_is_told_where_it_is_not_written() -> None:
    source = SourceText("f", BASE)
    assert source.locate(("services", "a", "image")) == location("f", 3, 5)
    assert source.locate(("services", "a", "build", "context")) == location("f", 2, 3)
    assert source.locate(()) == location("f", 1, 1)


def test_a_text_without_a_tree_has_no_places() -> None:
    assert SourceText("f", "").locate(("a",)) is None


def test_the_last_file_that_says_it_is_meant() -> None:
    origins = SourceMap([SourceText("base", BASE), SourceText("over", OVER)])
    assert origins.locate(("services", "a", "image")) == location("over", 3, 5)


def test_items_of_several_files_follow_each_other() -> None:
    origins = SourceMap([SourceText("base", BASE), SourceText("over", OVER)])
    assert origins.locate(("services", "a", "ports", 1)) == location("base", 4, 16)
    assert origins.locate(("services", "a", "ports", 2)) == location("over", 5, 9)


def test_what_is_extended_stands_elsewhere_in_its_file() -> None:
    origins = SourceMap([SourceText("main", "services: {a: {extends: b}}\n")])
    origins.add_base(
        "q", "main", BaseService(source=SourceText("other", BASE), name="a", base=None)
    )
    assert origins.locate(("services", "q", "image")) == location("other", 3, 5)


def test_items_that_are_extended_are_counted_with_those_that_are_added() -> None:
    origins = SourceMap([SourceText("over", OVER)])
    origins.add_base("q", "main", BaseService(source=SourceText("base", BASE), name="a", base=None))
    origins.add(SourceText("main", "services: {q: {ports: [d]}}\n"))
    assert origins.locate(("services", "q", "ports", 1)) == location("base", 4, 16)
    assert origins.locate(("services", "q", "ports", 2)) == location("main", 1, 24)


def test_findings_keep_the_places_that_they_have() -> None:
    known = location("z", 9, 9)
    findings = [Diagnostic(path=("services",), message="m", location=known)]
    findings.append(Diagnostic(path=("services",), message="m"))
    places = [one.location for one in SourceMap([SourceText("f", BASE)]).with_locations(findings)]
    assert places == [known, location("f", 1, 1)]
