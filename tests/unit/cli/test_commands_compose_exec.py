"""`exec` runs a command in a container."""

import pytest

from cntnr_compose.client.exec import run as client_exec
from cntnr_compose.model.protocol import ExecCommand
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


@pytest.fixture
def ran_argv(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    calls: list[tuple[object, ...]] = []

    def fake(command: ExecCommand, program: str, name: str, **more: object) -> int:
        calls.append((command.argv, program, name, more["detach"]))
        return 9

    monkeypatch.setattr(client_exec, "run_exec", fake)
    return calls


def test_exec_runs_what_is_laid_out_and_ends_as_it_does(
    compose: Run, shop: FakeSupervisor, ran_argv: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "m")
    monkeypatch.delenv("NOBODYS", raising=False)
    shop.containers = [container("web"), container("web", 2)]
    words = ["-u", "1", "-w", "/x", "-e", "A=b=c", "-e", "MINE", "-e", "NOBODYS", "--index", "2"]
    assert compose("exec", *words, "web", "sh", "-c", "x", "--", "-e").code == 9
    (request,) = shop.execs
    assert request.container == "shop-web-2"
    assert request.command == ("sh", "-c", "x", "--", "-e")
    assert request.environment == {"A": "b=c", "MINE": "m"}
    assert (request.user, request.working_dir, request.tty, request.detach) == (
        "1",
        "/x",
        False,
        False,
    )
    assert ran_argv == [(("runc", "exec"), "sh", "shop-web-2", False)]


@pytest.mark.parametrize(
    ("words", "tty"), [([], True), (["-T"], False), (["-d"], False), (["-it"], True)]
)
def test_exec_has_a_terminal_where_ours_is_one(
    compose: Run,
    shop: FakeSupervisor,
    ran_argv: list[object],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    tty: bool,
) -> None:
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{name}.isatty", lambda: True)
    shop.containers = [container("web")]
    compose("exec", *words, "web", "sh")
    assert shop.execs[-1].tty is tty


def test_exec_needs_a_container_that_runs(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = [container("web", state="exited")]
    for name in ("web", "nobody"):
        ran = compose("exec", name, "sh")
        assert (ran.code, ran.err) == (1, f'error: service "{name}" is not running\n')
