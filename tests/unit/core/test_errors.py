"""Errors have hints."""

from cntnr_compose.core.errors import NoSuchService, did_you_mean


def test_similar_names_are_proposed() -> None:
    assert did_you_mean("wbe", ["web", "db"]) == "did you mean web?"
    assert did_you_mean("nothing", ["web", "db"]) == did_you_mean("web", []) == ""
    assert NoSuchService("proxi", ["proxy"]).hint == "did you mean proxy?"
