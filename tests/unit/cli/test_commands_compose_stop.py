"""`stop`, `restart`, `kill`, `rm` change containers, with a file or without."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import FakeSupervisor, Run, both


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["stop", "-t", "3", "web"], "stop container shop-web-1"),
        (["restart", "--no-deps", "web"], "start container shop-web-1"),
        (["kill", "-s", "hup", "web"], "kill container shop-web-1 with SIGHUP"),
        (["kill", "-s", "9"], "kill container shop-db-1 with SIGKILL"),
        (["pause", "web"], "pause container shop-web-1"),
        (["unpause"], "unpause container shop-db-1"),
        (["rm", "-f", "-s", "web"], "remove container shop-web-1"),
    ],
)
def test_containers_are_changed_with_a_file_or_without(
    compose: Run, shop: FakeSupervisor, tmp_path: Path, words: list[str], step: str
) -> None:
    shop.containers = both()
    assert compose(*words).code == 0
    assert step in shop.plans[-1]
    (tmp_path / "compose.yaml").unlink()
    assert compose("-p", "shop", *words).code == 0
    assert step in shop.plans[-1]


@pytest.mark.parametrize("verb", ["stop", "kill", "restart", "pause", "unpause"])
def test_nothing_to_do_starts_nothing(compose: Run, shop: FakeSupervisor, verb: str) -> None:
    assert compose(verb).code == 0
    assert shop.calls == []


def test_an_unknown_service_or_signal_is_refused(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = both()
    for verb in (
        "stop",
        "start",
        "restart",
        "kill",
        "rm",
        "up",
        "create",
        "logs",
        "pull",
        "build",
        "pause",
        "unpause",
    ):
        ran = compose(verb, "cache")
        assert ran.code == 1, verb
        assert "no such service: cache" in ran.err, verb
    assert compose("kill", "-s", "FOO").err == "error: invalid signal: FOO\n"
    assert compose("kill", "-s", "99").err == "error: invalid signal: 99\n"
    assert shop.plans == []
