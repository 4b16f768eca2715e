"""Variables in a text."""

import time

import pytest

from cntnr_compose.compose.variables.syntax import (
    TemplateInvalid,
    TextTooLong,
    VariableMissing,
    find_variables,
    substitute,
)

KNOWN = {"A": "aa", "B": "bb", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("plain", "plain"),
        ("$A", "aa"),
        ("${A}${B}", "aabb"),
        ("$A-$B", "aa-bb"),
        ("$A:-x", "aa:-x"),
        ("$$A", "$A"),
        ("$$$A", "$aa"),
        ("a$ b", "a$ b"),
        ("$1 $(x) $", "$1 $(x) $"),
        ("${NO:-x}", "x"),
        ("${NO-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${A:-x}", "aa"),
        ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${NO+x}", ""),
        ("${A:?bad}", "aa"),
        ("${EMPTY?bad}", ""),
        ("${NO:-${A}}", "aa"),
        ("${NO:-${NEITHER:-x}y}z", "xyz"),
        ("${A:+x${B}y}", "xbby"),
        ("${NO:-a:-b}", "a:-b"),
        ("${NO-a?b}", "a?b"),
        ("${NO:-$$x}", "$x"),
        ("${NO:-a}b}", "ab}"),
        ('${NO:-{"a":1}}', '{"a":1}'),
        ("${A:-{x}}}", "aa}"),
        ("${NO:-{v}}${A}", "{v}aa"),
        ("${NO:-}}", "}"),
        ("{$A}", "{aa}"),
    ],
)
def test_values_are_put_in(text: str, meant: str) -> None:
    assert substitute(text, KNOWN.get) == meant


@pytest.mark.parametrize(
    "text", ["${", "${}", "${1}", "${A", "${A!}", "${A b}", "${NO:-a\nb}", "${NO:-${A}", "x${"]
)
def test_a_brace_that_begins_no_variable_is_refused(text: str) -> None:
    with pytest.raises(TemplateInvalid):
        substitute(text, KNOWN.get)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NO:?set it}", "required variable NO is missing a value: set it"),
        ("${NO?}", "required variable NO is missing a value"),
        ("${EMPTY:?bad ${A}}", "required variable EMPTY is missing a value: bad aa"),
        ("${A} ${NO:?why}", "required variable NO is missing a value: why"),
    ],
)
def test_a_variable_that_must_be_there_is_missed(text: str, message: str) -> None:
    with pytest.raises(VariableMissing) as raised:
        substitute(text, KNOWN.get)
    assert str(raised.value) == message


def test_only_variables_without_a_default_are_told_to_be_unset() -> None:
    unset: list[str] = []
    substitute("$ONE ${TWO} ${THREE:-x} ${FOUR+x} $A $EMPTY", KNOWN.get, unset.append)
    assert unset == ["ONE", "TWO"]


def test_defaults_within_defaults_end_somewhere() -> None:
    with pytest.raises(TemplateInvalid):
        substitute("${N:-" * 5000 + "}" * 5000, KNOWN.get)


def test_a_text_cannot_grow_without_measure() -> None:
    with pytest.raises(TextTooLong):
        substitute("$BIG" * 200, {"BIG": "x" * 200_000}.get)


def test_a_long_text_takes_time_in_proportion() -> None:
    begun = time.perf_counter()
    with pytest.raises(TemplateInvalid):
        substitute("${N:-x}" * 20_000 + "${", KNOWN.get)
    assert time.perf_counter() - begun < 2


def test_variables_are_listed_with_what_is_said_of_them() -> None:
    variables = {one.name: one for one in find_variables("$A ${B:?x} ${C:-${D-e}} ${E:+f} $$G")}
    assert list(variables) == ["A", "B", "C", "D", "E"]
    assert variables["B"].required
    assert variables["C"].default == "${D-e}"
    assert variables["D"].default == "e"
    assert variables["E"].alternate == "f"
