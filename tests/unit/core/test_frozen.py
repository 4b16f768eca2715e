"""Plain values are frozen, equal by what they hold, and complete."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import get_args, get_type_hints

import pytest

import cntnr_compose
from cntnr_compose.core.frozen import Frozen, Misused
from cntnr_compose.core.values import Value


class Spot(Frozen):
    file: str
    line: int = 1


def test_values_are_given_by_name_and_have_defaults() -> None:
    spot = Spot(file="a")
    assert (spot.file, spot.line) == ("a", 1)
    assert repr(spot) == "Spot(file='a', line=1)"


def test_a_value_is_equal_to_one_that_holds_the_same() -> None:
    assert Spot(file="a") == Spot(file="a", line=1)
    assert Spot(file="a") != Spot(file="a", line=2)
    assert Spot(file="a") != "a"
    assert len({Spot(file="a"), Spot(file="a", line=1)}) == 1


def test_a_changed_value_is_a_new_one() -> None:
    spot = Spot(file="a", line=2)
    assert spot.replace(file="b") == Spot(file="b", line=2)
    assert spot == Spot(file="a", line=2)
    with pytest.raises(Misused, match="Spot: line"):
        spot.line = 3  # type: ignore[misc]


def test_what_is_lacking_or_unknown_is_a_bug() -> None:
    with pytest.raises(Misused, match="Spot: file"):
        Spot()  # type: ignore[call-arg]
    with pytest.raises(Misused, match="Spot: column"):
        Spot(file="a", column=3)  # type: ignore[call-arg]


def kinds(hint: object) -> Iterator[object]:
    """Yield the classes that a type hint consists of."""
    yield hint
    for inner in get_args(hint):
        yield from kinds(inner)


def descendants(kind: type) -> Iterator[type]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from descendants(subclass)


def test_no_value_that_becomes_json_holds_a_plain_one() -> None:
    for module in walk_packages(cntnr_compose.__path__, "cntnr_compose."):
        import_module(module.name)
    values = list(descendants(Value))
    assert len(values) > 50
    for value in values:
        for name, hint in get_type_hints(value).items():
            for kind in kinds(hint):
                assert not (isinstance(kind, type) and issubclass(kind, Frozen)), (value, name)
