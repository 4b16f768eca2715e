"""How old a supervisor is beside a command."""

import pytest

from cntnr_compose.core.values import from_tree
from cntnr_compose.model.protocol import OWN_GREETING, Greeting, PeerAge, compare_age


def greeting_of(version: str, protocol: int = 1) -> Greeting:
    return Greeting(version=version, protocol=protocol)


@pytest.mark.parametrize(
    ("peer", "own", "expected"),
    [
        (greeting_of("0.2.0"), greeting_of("0.2.0"), "same"),
        (greeting_of("0.1.9"), greeting_of("0.2.0"), "older"),
        (greeting_of("0.9.0"), greeting_of("0.10.0"), "older"),
        (greeting_of("0.2.0rc1"), greeting_of("0.2.0"), "older"),
        (greeting_of("0.1.0", 5), greeting_of("0.2.0", 5), "older"),
        (greeting_of("0.2.0", 1), greeting_of("0.2.0", 2), "older"),
        (greeting_of("1.0.0", 1), greeting_of("0.2.0", 2), "newer"),
        (greeting_of("0.2.0", 3), greeting_of("0.2.0", 2), "newer"),
    ],
)
def test_the_version_decides_then_the_protocol(
    peer: Greeting, own: Greeting, expected: PeerAge
) -> None:
    assert compare_age(peer, own) == expected


@pytest.mark.parametrize("greeting", [{}, {"pid": 7, "project": "shop"}])
def test_who_tells_no_version_is_of_before_there_were_any(greeting: dict[str, object]) -> None:
    assert compare_age(from_tree(greeting, Greeting)) == "older"


def test_what_a_later_version_says_besides_is_passed_over() -> None:
    greeting = {"pid": 7, "project": "shop", "version": "99.0", "protocol": 9, "mood": "good"}
    assert compare_age(from_tree(greeting, Greeting)) == "newer"
    assert compare_age(OWN_GREETING) == "same"
