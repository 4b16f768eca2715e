"""Aliases from `links` and `external_links`."""

import pytest

from cntnr_compose.containers.bundle import links
from cntnr_compose.model.service import Service


def aliases(*texts: str) -> tuple[tuple[str, str], ...]:
    return links.parse_link_aliases(Service(name="s", links=texts), "p")


def test_an_alias_stands_for_all_containers_of_its_target() -> None:
    assert aliases("db:data.base", "web:Front") == (
        ("data.base", "db.p.internal"),
        ("front", "web.p.internal"),
    )


def test_external_links_name_what_is_on_the_network_and_lead_round_in_no_circle() -> None:
    service = Service(
        name="s", links=("db:x",), external_links=("o-db-1:other", "x:y", "y:x", "plain", "z:z")
    )
    assert links.parse_link_aliases(service, "p") == (
        ("other", "o-db-1._name.internal"),
        ("x", "y._name.internal"),
        ("y", "x._name.internal"),
    )


def test_links_without_an_alias_need_none() -> None:
    assert aliases("db", "web:web", "x:") == ()


def test_the_last_of_two_with_one_alias_holds() -> None:
    assert aliases("db:x", "web:X") == (("x", "web.p.internal"),)


@pytest.mark.parametrize(
    "alias",
    [
        "a b",
        "a\nb",
        "a,b",
        ".a",
        "a.",
        "a..b",
        "é",
        "x" * 64,
        "a.P.internal",
        "a._name.internal",
        "y." * 127 + "y",
    ],
)
def test_names_that_a_resolver_would_misread_are_refused(alias: str) -> None:
    with pytest.raises(links.LinkRefused, match="cannot link service s"):
        aliases(f"db:{alias}")
