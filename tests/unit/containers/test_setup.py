"""What is told of a container that is set up."""

import asyncio

import pytest

from cntnr_compose.containers import setup as prepared
from cntnr_compose.core.events import Event, WarningEvent
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Service
from cntnr_compose.networks.dns import embedded_dns as nameserver

NAMES = nameserver.DnsRedirect(resolver="10.0.0.1", interface="eth0", address="10.0.0.2")


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        ("", []),
        (
            "Operation not supported",
            ["127.0.0.11 does not answer in container p-s-1: Operation not supported"],
        ),
    ],
)
def test_that_names_are_not_answered_is_told(
    monkeypatch: pytest.MonkeyPatch, why: str, expected: list[str]
) -> None:
    async def answer(_pid: int, _names: nameserver.DnsRedirect) -> str:
        return why

    monkeypatch.setattr(nameserver, "redirect_queries", answer)
    record = Record(
        id="x", name="p-s-1", project="p", service="s", definition=Service(name="s")
    )  # fmt: skip
    said: list[Event] = []
    asyncio.run(prepared._start_dns_server(record, 1, NAMES, said.append))
    assert [one.text for one in said if isinstance(one, WarningEvent)] == expected
