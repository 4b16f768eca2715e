"""`up` makes a plan and executes it."""

from pathlib import Path

import pytest

from cntnr_compose.client import prestart
from cntnr_compose.core.events import Progress
from cntnr_compose.host import kernel
from cntnr_compose.host.namespaces import trial
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


def test_up_makes_a_plan_and_has_it_carried_out(compose: Run, shop: FakeSupervisor) -> None:
    shop.events = [Progress(kind="Container", name="shop-db-1", status="Started", state="done")]
    ran = compose("up", "-d")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == " Container shop-db-1  Started\n"
    assert shop.calls == ["prestart", "connect shop", "lock up", "close"]
    (plan,) = shop.plans
    assert "start container shop-web-1" in plan
    (project,) = shop.projects
    assert project is not None
    assert set(project.services) == {"web", "db"}


def test_up_of_one_service_brings_up_what_it_needs(compose: Run, shop: FakeSupervisor) -> None:
    compose("up", "-d", "db")
    assert "shop-web-1" not in shop.plans[-1]
    compose("up", "-d", "web", "--no-deps", "--scale", "web=2")
    assert "shop-db-1" not in shop.plans[-1]
    assert "start container shop-web-2" in shop.plans[-1]


def test_contradictions_are_found_before_anything_is_begun(
    compose: Run, shop: FakeSupervisor
) -> None:
    ran = compose("up", "-d", "--build", "--no-build")
    assert (ran.code, ran.err) == (1, "error: --build and --no-build are incompatible\n")
    assert shop.calls == []


def test_forbidden_user_namespaces_are_told_before_anything_is_pulled_or_started(
    compose: Run, cntnr: Run, shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = "kernel.unprivileged_userns_clone"
    monkeypatch.setattr(
        kernel, "read_sysctl", lambda name, *, default: 0 if name == setting else default
    )
    refusal = "unshare: Operation not permitted"
    monkeypatch.setattr(trial, "try_user_namespace", lambda: (refusal, ""))
    monkeypatch.setattr(prestart, "start_for", lambda _: None)
    told = f"error: cannot make the namespaces for containers: {refusal}; {setting} is 0: "
    commands = (("up", "-d"), ("create",), ("run", "web"))
    for ran in (*(compose(*words) for words in commands), cntnr("run", "-d", "busybox")):
        assert ran.code in (1, 125)
        assert ran.err.startswith(told)
        assert f"\nhint: an administrator can allow them: sudo sh -c 'echo {setting}=1 " in ran.err
        assert len(ran.err.splitlines()) == 2
    assert set(shop.calls) == {"prestart"}


def test_orphans_are_warned_of_once(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = [container("old")]
    ran = compose("up", "-d")
    assert ran.err.count("Found orphan containers ([shop-old-1]) for this project") == 1
    compose("up", "-d", "--remove-orphans")
    assert "remove container shop-old-1" in shop.plans[-1]


def test_errors_of_the_supervisor_end_the_command(
    compose: Run, shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cntnr_compose.core.errors import RemoteError

    def fail(*_: object, **__: object) -> None:
        raise RemoteError("ContainerFailed", "cannot start container x", "look at it", 127)

    monkeypatch.setattr("tests.unit.cli.conftest.FakeClient.execute", fail)
    ran = compose("up", "-d")
    assert ran.code == 1  # 127 is for who runs a program
    assert ran.err == "error: cannot start container x\nhint: look at it\n"


def test_a_file_that_is_wrong_is_told_with_its_place(compose: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: x\n    portz: []\n")
    ran = compose("up", "-d")
    assert ran.code == 1
    assert "compose.yaml:4:5" in ran.err
    assert "portz" in ran.err
