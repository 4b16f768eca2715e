"""What `cntnr doctor` says about machines of many kinds, without trying anything."""

import os
from pathlib import Path
from types import ModuleType

import pytest

from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.doctor import checks, namespace_checks, probes
from cntnr_compose.doctor.check import Check
from cntnr_compose.host import distribution, kernel, network, process
from cntnr_compose.host.cgroups import DelegatedCgroup
from cntnr_compose.host.namespaces import restrictions, subids, trial
from cntnr_compose.host.namespaces.restrictions import NamespacesForbidden
from cntnr_compose.host.systemd import logind, scope


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Make a host that has everything, to take things away from."""
    answers: dict[ModuleType, dict[str, object]] = {
        distribution: {
            "cni_plugin_folder": tmp_path,
            "default_seccomp_profile": tmp_path / "seccomp.json",
            "distribution_family": "debian",
        },
        network: {
            "host_resolv_conf": "nameserver 192.0.2.53\n",
            "local_addresses": ["192.0.2.1"],
            "machine_subnets": [],
        },
        kernel: {"can_open_tun": True, "lowest_port": 0, "release": (6, 1)},
        logind: {
            "is_booted": False,
            "kills_at_logout": False,
            "lingers": False,
            "linger_command": "loginctl enable-linger ann",
        },
        probes: {
            "free_space": 100 * checks.GIBIBYTE,
            "try_cgroup": "",
            "try_overlay": "",
        },
        subids: {
            "come_from_files": True,
            "count_subordinate_ids": 65536,
            "explain_one_id": "",
            "has_no_new_privileges": False,
            "may_map_ids": True,
            "user_name": "ann",
        },
        trial: {"try_user_namespace": ("", "")},
    }
    for module, functions in answers.items():
        for name, answer in functions.items():
            monkeypatch.setattr(module, name, lambda *_, answer=answer: answer)
    everything = DelegatedCgroup(version=2, parent="/a", controllers=checks.LIMIT_CONTROLLERS)
    monkeypatch.setattr(scope, "find_group", lambda: everything)
    monkeypatch.setattr(scope, "ends_at_logout", lambda kills: kills)
    monkeypatch.setattr(scope, "is_offered", lambda _: True)
    for module in (namespace_checks, restrictions):
        monkeypatch.setattr(module, "find_holder", lambda: None)
    for name in ("bridge", "host-local"):
        (tmp_path / name).touch()
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(checks.paths, "secure_runtime", lambda: tmp_path)
    monkeypatch.setattr(namespace_checks.shutil, "which", lambda name, path: f"/usr/bin/{name}")
    monkeypatch.setattr(process, "find_program", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(
        process,
        "run",
        lambda *_, **__: process.ProgramResult(
            returncode=0, stdout="x version 1.2.3+ds1\n", stderr=""
        ),
    )
    return monkeypatch


def run_check(name: str) -> Check:
    return next(check for check in checks.run_checks() if check.name == name)


def test_machine_with_everything_is_fine(host: pytest.MonkeyPatch) -> None:
    assert {check.state for check in checks.run_checks()} == {"ok"}
    assert run_check("runc").found == "1.2.3+ds1 (/usr/bin/runc)"


@pytest.mark.parametrize(
    ("family", "command"),
    [
        ("debian", "sudo apt-get install dnsmasq-base"),
        ("fedora", "sudo dnf install dnsmasq"),
        ("arch", "sudo pacman -S dnsmasq"),
        ("gentoo", "install dnsmasq-base with your package manager"),
    ],
)
def test_missing_program_names_the_command_of_this_distribution(
    host: pytest.MonkeyPatch, family: str, command: str
) -> None:
    def find(name: str) -> str:
        if name == "dnsmasq":
            raise ProgramMissing(name)
        return f"/usr/bin/{name}"

    host.setattr(process, "find_program", find)
    host.setattr(distribution, "distribution_family", lambda: family)
    assert run_check("dnsmasq") == Check(
        name="dnsmasq",
        state="missing",
        found="not installed",
        loses="services cannot find each other by name",
        mend=command,
    )
    assert not checks.is_usable(checks.run_checks())


def test_forbidden_user_namespaces_name_what_forbids_them_as_up_does(
    host: pytest.MonkeyPatch,
) -> None:
    setting = "kernel.unprivileged_userns_clone"
    host.setattr(trial, "try_user_namespace", lambda: ("unshare: Operation not permitted", ""))
    host.setattr(probes, "try_overlay", lambda _: probes.NO_NAMESPACE)
    host.setattr(kernel, "read_sysctl", lambda name, *, default: 0 if name == setting else default)
    check = run_check("user namespaces")
    assert check.state == "missing"
    overlay = run_check("overlay")
    assert (overlay.state, overlay.mend) == ("missing", "")  # another folder would not help
    with pytest.raises(NamespacesForbidden) as refused:
        restrictions.check_namespaces()
    assert str(refused.value).endswith(f": {check.found}")
    assert refused.value.hint.endswith(f": {check.mend}")
    assert check.mend.startswith("sudo ")


def test_containers_start_where_a_holder_runs_from_before(host: pytest.MonkeyPatch) -> None:
    host.setattr(trial, "try_user_namespace", lambda: ("unshare: Operation not permitted", ""))
    host.setattr(probes, "try_overlay", lambda _: probes.NO_NAMESPACE)
    host.setattr(namespace_checks, "find_holder", lambda: host)
    checked = checks.run_checks()
    assert {check.name for check in checked if check.state == "reduced"} == {
        "user namespaces",
        "overlay",
    }
    assert checks.is_usable(checked)


def test_what_rootlesskit_alone_may_do_is_enough(host: pytest.MonkeyPatch, tmp_path: Path) -> None:
    host.undo()
    host.setattr(kernel, "has_read_only_sysctls", lambda: False)
    host.setattr(trial, "try_in_child", lambda _: "mount tmpfs: Permission denied")
    done = process.ProgramResult(returncode=0, stdout="", stderr="")
    host.setattr(process, "run", lambda *_, **__: done)
    assert trial.try_user_namespace() == ("", " by rootlesskit")
    assert probes.try_overlay(tmp_path) == ""

    def fail(argv: list[str], **_: object) -> None:
        raise CommandFailed(argv, 1, "error: fork/exec: operation not permitted\n")

    host.setattr(process, "run", fail)
    assert trial.try_user_namespace() == ("mount tmpfs: Permission denied", "")
    assert probes.try_overlay(tmp_path) == probes.NO_NAMESPACE


def test_without_subordinate_ids_there_is_root_alone(host: pytest.MonkeyPatch) -> None:
    host.setattr(subids, "count_subordinate_ids", lambda _: 0)
    host.setattr(subids, "free_subordinate_range", lambda: "165536-231071")
    check = run_check("subordinate ids")
    assert check.state == "reduced"
    assert "root's" in check.loses
    ids = "165536-231071"
    assert check.mend == f"sudo usermod --add-subuids {ids} --add-subgids {ids} ann"
    assert checks.is_usable(checks.run_checks())


def test_subordinate_ids_may_come_from_a_directory_server(host: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(argv: list[str], **_: object) -> process.ProgramResult:
        asked.append(argv)
        return process.ProgramResult(returncode=0, stdout="0: ann 100000 65536\n", stderr="")

    host.setattr(subids, "come_from_files", lambda: False)
    host.setattr(subids, "count_subordinate_ids", lambda _: 0)
    host.setattr(process, "run", run)
    assert run_check("subordinate ids").state == "ok"
    assert ["getsubids", "ann"] in asked
    assert ["getsubids", "-g", "ann"] in asked

    def fail(argv: list[str], **_: object) -> None:
        raise CommandFailed(argv, 1, "Error fetching ranges\n")

    host.setattr(process, "run", fail)
    check = namespace_checks.check_namespaces()[1]
    assert check.state == "reduced"
    assert "usermod" not in check.mend


def test_who_may_gain_no_privileges_has_one_id(host: pytest.MonkeyPatch) -> None:
    host.setattr(subids, "has_no_new_privileges", lambda: True)
    check = run_check("newuidmap")
    assert (check.state, check.found) == ("reduced", subids.NO_NEW_PRIVILEGES)
    host.setattr(os, "getuid", lambda: 0)
    assert run_check("newuidmap").state == "ok"


def test_a_short_range_of_subordinate_ids_reduces(host: pytest.MonkeyPatch) -> None:
    host.setattr(subids, "count_subordinate_ids", lambda _: 1000)
    assert run_check("subordinate ids").state == "reduced"
    assert checks.is_usable(checks.run_checks())


def test_newuidmap_without_its_right_is_told(host: pytest.MonkeyPatch) -> None:
    host.setattr(subids, "may_map_ids", lambda path: path.endswith("newgidmap"))
    check = run_check("newuidmap")
    assert check.found == "newuidmap not there, or not setuid root"
    assert check.mend == "sudo chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap"


def test_old_kernel_is_told_to_upgrade(host: pytest.MonkeyPatch) -> None:
    host.setattr(probes, "try_overlay", lambda _: "mount overlay: Operation not permitted")
    host.setattr(kernel, "release", lambda: (5, 10))
    assert run_check("overlay").mend == "upgrade to a kernel of 5.11 or newer"


def test_reductions_of_a_plain_machine(host: pytest.MonkeyPatch) -> None:
    pids_alone = DelegatedCgroup(version=2, parent="/a", controllers=("pids",))
    host.setattr(scope, "find_group", lambda: pids_alone)
    host.setattr(kernel, "lowest_port", lambda: 1024)
    host.setattr(logind, "is_booted", lambda: True)
    host.setattr(probes, "free_space", lambda _: checks.GIBIBYTE)
    reduced = {check.name: check for check in checks.run_checks() if check.state == "reduced"}
    assert set(reduced) == {"cgroups", "low ports", "linger", "free space"}
    assert reduced["cgroups"].found == "not delegated: cpu, memory"
    assert reduced["linger"].mend == "loginctl enable-linger ann"


@pytest.mark.parametrize(
    ("lingers", "kills", "ends", "state", "words", "loses"),
    [
        (True, False, False, "ok", "on", ""),
        (True, True, False, "ok", "on", ""),
        (False, False, False, "reduced", "off", "containers survive logout; after a reboot they start when"),
        (False, False, True, "reduced", "off", "containers end when you log out;"),
        (False, True, True, "reduced", "off, and KillUserProcesses=yes", "containers end when you log out;"),
        (True, True, True, "reduced", "on, and KillUserProcesses=yes", "containers end when you log out"),
    ],
)  # fmt: skip
def test_what_logout_does_is_told(
    host: pytest.MonkeyPatch,
    lingers: bool,
    kills: bool,
    ends: bool,
    state: str,
    words: str,
    loses: str,
) -> None:
    host.setattr(logind, "is_booted", lambda: True)
    host.setattr(logind, "lingers", lambda: lingers)
    host.setattr(logind, "kills_at_logout", lambda: kills)
    host.setattr(scope, "ends_at_logout", lambda kills: ends)
    check = run_check("linger")
    assert (check.state, check.found) == (state, words)
    assert check.loses.startswith(loses)


def test_what_moves_containers_out_of_a_session_is_named(host: pytest.MonkeyPatch) -> None:
    for module, name in ((logind, "is_booted"), (logind, "lingers"), (logind, "kills_at_logout")):
        host.setattr(module, name, lambda: True)
    assert run_check("linger").mend == checks.MOVE
    host.setattr(scope, "is_offered", lambda _: False)
    assert run_check("linger").mend == checks.KILL_NOT


def test_proot_is_looked_for_where_there_is_one_id(host: pytest.MonkeyPatch) -> None:
    assert not [check for check in checks.run_checks() if check.name == "proot"]
    host.setattr(subids, "explain_one_id", lambda: "ann has no range")
    assert run_check("proot").found == "/usr/bin/proot"

    def miss(name: str) -> str:
        if name == "proot":
            raise ProgramMissing(name)
        return f"/usr/bin/{name}"

    host.setattr(process, "find_program", miss)
    assert run_check("proot").mend == "sudo apt-get install proot"
