"""Warnings at the set-up of a container."""

import asyncio

import pytest

from cntnr_compose.containers import setup
from cntnr_compose.core.events import Event, WarningEvent
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Service
from cntnr_compose.networks.dns import embedded_dns

REDIRECT = embedded_dns.DnsRedirect(resolver="10.0.0.1", interface="eth0", address="10.0.0.2")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("", []),
        (
            "Operation not supported",
            ["127.0.0.11 does not answer in container p-s-1: Operation not supported"],
        ),
    ],
)
def test_a_container_without_names_warns(
    monkeypatch: pytest.MonkeyPatch, error: str, expected: list[str]
) -> None:
    async def redirect(_pid: int, _redirect: embedded_dns.DnsRedirect) -> str:
        return error

    monkeypatch.setattr(embedded_dns, "redirect_queries", redirect)
    record = Record(id="x", name="p-s-1", project="p", service="s", definition=Service(name="s"))
    events: list[Event] = []
    asyncio.run(setup.redirect_dns_queries(record, 1, REDIRECT, events.append))
    assert [one.text for one in events if isinstance(one, WarningEvent)] == expected
