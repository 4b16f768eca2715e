"""When this process is put into the scope, and what becomes of it where systemd refuses."""

import os
from typing import Any

import pytest

from cntnr_compose.host import cgroups, proc
from cntnr_compose.host.cgroups import DelegatedCgroup
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.namespaces.holder import NamespaceHolder
from cntnr_compose.host.systemd import logind, scope
from cntnr_compose.host.systemd.scope import ScopeEntry

UID = 1000
SESSION = f"/user.slice/user-{UID}.slice/session-3.scope"
SCOPE = f"/user.slice/user-{UID}.slice/user@{UID}.service/app.slice/{scope.NAME}"
EXISTS = "org.freedesktop.systemd1.UnitExists Unit cntnr.scope was already loaded"


class Systemd:
    """A systemd, by the answers that it gives: '' is success, all else an error."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.calls: list[str] = []
        self.error = ""
        self.is_closed = False
        self.values: tuple[Any, ...] = ()

    def send(self, member: str, *values: Any) -> None:
        self.calls.append(member)
        self.values = values

    def receive(self) -> bool:
        self.error = self.answers.pop(0) if self.answers else "no more answers"
        return not self.error

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Make a machine with systemd, on which this process is in a session without linger."""
    monkeypatch.setattr(os, "getuid", lambda: UID)
    monkeypatch.setattr(scope, "PAUSE", 0)
    monkeypatch.setattr(scope, "ATTEMPT_PAUSE", 0)
    monkeypatch.setattr(cgroups, "is_unified", lambda: True)
    monkeypatch.setattr(cgroups, "read_group", lambda _: SESSION)
    monkeypatch.setattr(logind, "lingers", lambda: False)
    monkeypatch.setattr(type(scope._socket_path()), "exists", lambda _: True)
    group = DelegatedCgroup(version=2, parent=SCOPE, controllers=("memory",))
    monkeypatch.setattr(cgroups, "find_delegated", lambda: group)
    monkeypatch.setattr(cgroups, "enable_controllers", lambda _: True)
    return monkeypatch


def enter(machine: pytest.MonkeyPatch, systemd: Systemd, group: str = SCOPE) -> ScopeEntry:
    machine.setattr(scope, "_connect", lambda: systemd)
    entry = scope.begin_entry(5)
    machine.setattr(cgroups, "read_group", lambda _: group)
    return entry


def test_a_new_scope_is_entered(machine: pytest.MonkeyPatch) -> None:
    systemd = Systemd("")
    assert enter(machine, systemd).finish()
    assert systemd.calls == ["StartTransientUnit"]
    assert systemd.is_closed


def test_a_scope_that_exists_is_joined(machine: pytest.MonkeyPatch) -> None:
    systemd = Systemd(EXISTS, "")
    assert enter(machine, systemd).finish()
    assert systemd.calls == ["StartTransientUnit", "AttachProcessesToUnit"]


def test_a_scope_that_goes_meanwhile_is_made_again(machine: pytest.MonkeyPatch) -> None:
    systemd = Systemd(EXISTS, "Unit cntnr.scope not loaded", "")
    assert enter(machine, systemd).finish()
    assert systemd.calls[-1] == "StartTransientUnit"


@pytest.mark.parametrize(
    "answers", [["Access denied"], [EXISTS, "No such file"] * 100, ["timed out"]]
)
def test_a_systemd_that_refuses_is_left_alone(
    machine: pytest.MonkeyPatch, answers: list[str]
) -> None:
    systemd = Systemd(*answers)
    entry = enter(machine, systemd)
    assert not entry.finish()
    assert entry.error in (*answers, EXISTS)
    assert len(systemd.calls) <= 2 * scope.ATTEMPTS + 1


def test_without_systemd_the_own_group_serves(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(type(scope._socket_path()), "exists", lambda _: False)
    assert scope.begin_entry(5).finish()
    machine.setattr(cgroups, "find_delegated", lambda: None)
    assert not scope.begin_entry(5).finish()


def test_the_scope_is_offered_where_its_systemd_lives_as_long_as_the_holder(
    machine: pytest.MonkeyPatch,
) -> None:
    assert scope.is_offered(5)
    machine.setattr(cgroups, "read_group", lambda _: "/system.slice/cron.service")
    assert not scope.is_offered(5)
    machine.setattr(logind, "lingers", lambda: True)
    assert scope.is_offered(5)
    machine.setattr(cgroups, "is_unified", lambda: False)
    assert not scope.is_offered(5)


def test_who_is_in_the_scope_asks_nobody(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(cgroups, "read_group", lambda _: f"{SCOPE}/{cgroups.LEAF}")
    machine.setattr(scope, "_connect", lambda: pytest.fail("it was asked"))
    assert scope.join()


def test_a_command_joins_only_a_scope_there_is(machine: pytest.MonkeyPatch) -> None:
    systemd = Systemd("")
    machine.setattr(scope, "_connect", lambda: systemd)
    assert scope.join()
    assert systemd.calls == ["AttachProcessesToUnit"]
    machine.setattr(scope, "_connect", lambda: Systemd("Unit cntnr.scope not loaded"))
    assert not scope.join()
    machine.setattr(scope, "_connect", lambda: None)
    assert not scope.join()


def test_without_cgroup_v2_nothing_more_is_looked_at(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(cgroups, "is_unified", lambda: False)
    machine.setattr(cgroups, "find_delegated", lambda: pytest.fail("it was looked for"))
    machine.setattr(scope, "_connect", lambda: pytest.fail("it was asked"))
    assert not scope.begin_entry(5).finish()


HOLDER = NamespaceHolder(parent=50, child=51, payload=1, born=(7, 8))


def run_holder(machine: pytest.MonkeyPatch, group: str) -> Systemd:
    """Have a holder run in a group, beside its child and a shell of the session."""
    parents = {50: 1, 51: 50, 60: 1}
    machine.setattr(cgroups, "read_group", lambda pid: group if pid == "50" else SESSION)
    machine.setattr(cgroups, "list_members", lambda name: list(parents) if name == group else [])
    machine.setattr(holder, "find_holder", lambda: HOLDER)
    machine.setattr(
        proc,
        "find_descendants",
        lambda pids, among: [pid for pid in among if parents[pid] in pids],
    )
    systemd = Systemd("")
    machine.setattr(scope, "_connect", lambda: systemd)
    return systemd


def test_the_holder_leaves_its_session_where_the_user_lingers(machine: pytest.MonkeyPatch) -> None:
    systemd = run_holder(machine, SESSION)
    scope.keep_holder()
    assert systemd.calls == []
    machine.setattr(logind, "lingers", lambda: True)
    scope.keep_holder()
    assert systemd.calls == ["AttachProcessesToUnit"]
    assert systemd.values == ("ssau", scope.NAME, f"/{cgroups.LEAF}", [50, 51])
    assert systemd.is_closed


def test_a_holder_in_the_scope_stays_there(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(logind, "lingers", lambda: True)
    systemd = run_holder(machine, f"{SCOPE}/{cgroups.LEAF}")
    scope.keep_holder()
    machine.setattr(holder, "find_holder", lambda: None)
    scope.keep_holder()
    assert systemd.calls == []


@pytest.mark.parametrize(
    ("group", "lingers", "kills", "ends"),
    [
        (SESSION, False, False, False),
        (SESSION, False, True, True),
        (SESSION, True, True, True),  # linger came later
        (SESSION, True, False, False),
        (f"{SCOPE}/{cgroups.LEAF}", True, True, False),
        (f"{SCOPE}/{cgroups.LEAF}", False, False, True),  # linger was turned off
        (f"/user.slice/user-{UID}.slice/user@{UID}.service/app.slice/a.scope", False, False, True),
        ("/system.slice/cron.service", False, True, False),
        ("", False, False, False),
        ("", False, True, True),
        ("", True, True, False),
    ],
)
def test_what_ends_at_a_logout(
    machine: pytest.MonkeyPatch, group: str, lingers: bool, kills: bool, ends: bool
) -> None:
    run_holder(machine, group)
    if not group:
        machine.setattr(holder, "find_holder", lambda: None)
    machine.setattr(logind, "lingers", lambda: lingers)
    assert scope.ends_at_logout(kills=kills) == ends


def test_roots_systemd_outlasts_all_logins(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(os, "getuid", lambda: 0)
    run_holder(machine, f"/system.slice/{scope.NAME}/{cgroups.LEAF}")
    assert not scope.ends_at_logout(kills=True)
