"""Where things were written."""

from cntnr_compose.compose.basics.diagnostics import Finding, Place
from cntnr_compose.compose.yaml.source_map import Base, Origins, Source

BASE = "services:\n  a:\n    image: x\n    ports: [a, b]\n"
OVER = "services:\n  a:\n    image: y\n    ports:\n      - c\n"


def at(file: str, line: int, column: int) -> Place:
    return Place(file=file, line=line, column=column)


def test_the_nearest_thing_around_it_is_told_where_it_is_not_written() -> None:
    source = Source("f", BASE)
    assert source.place(("services", "a", "image")) == at("f", 3, 5)
    assert source.place(("services", "a", "build", "context")) == at("f", 2, 3)
    assert source.place(()) == at("f", 1, 1)


def test_a_text_without_a_tree_has_no_places() -> None:
    assert Source("f", "").place(("a",)) is None


def test_the_last_file_that_says_it_is_meant() -> None:
    origins = Origins([Source("base", BASE), Source("over", OVER)])
    assert origins.place(("services", "a", "image")) == at("over", 3, 5)


def test_items_of_several_files_follow_each_other() -> None:
    origins = Origins([Source("base", BASE), Source("over", OVER)])
    assert origins.place(("services", "a", "ports", 1)) == at("base", 4, 16)
    assert origins.place(("services", "a", "ports", 2)) == at("over", 5, 9)


def test_what_is_extended_stands_elsewhere_in_its_file() -> None:
    origins = Origins([Source("main", "services: {a: {extends: b}}\n")])
    origins.extend("q", "main", Base(source=Source("other", BASE), name="a", base=None))
    assert origins.place(("services", "q", "image")) == at("other", 3, 5)


def test_items_that_are_extended_are_counted_with_those_that_are_added() -> None:
    origins = Origins([Source("over", OVER)])
    origins.extend("q", "main", Base(source=Source("base", BASE), name="a", base=None))
    origins.add(Source("main", "services: {q: {ports: [d]}}\n"))
    assert origins.place(("services", "q", "ports", 1)) == at("base", 4, 16)
    assert origins.place(("services", "q", "ports", 2)) == at("main", 1, 24)


def test_findings_keep_the_places_that_they_have() -> None:
    known = at("z", 9, 9)
    findings = [Finding(path=("services",), message="m", place=known)]
    findings.append(Finding(path=("services",), message="m"))
    places = [one.place for one in Origins([Source("f", BASE)]).placed(findings)]
    assert places == [known, at("f", 1, 1)]
