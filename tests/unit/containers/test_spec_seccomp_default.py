from typing import Any

from cntnr_compose.containers.spec.seccomp import SeccompTarget, resolve_profile
from cntnr_compose.containers.spec.seccomp_default import NAMESPACE_FLAGS, apply_docker_rules

SHIPPED = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrnoRet": 38,
    "syscalls": [
        {"names": ["vmsplice", "swapon"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
        {
            "names": ["read", "clone", "clone3", "mount", "unshare", "keyctl", "syslog"],
            "action": "SCMP_ACT_ALLOW",
        },
        {"name": "pivot_root", "action": "SCMP_ACT_ALLOW"},
    ],
}


def rules(*caps: str, machine: str = "x86_64") -> list[dict[str, Any]]:
    return list(
        resolve_profile(
            apply_docker_rules(SHIPPED), SeccompTarget(name=machine, kernel=(6, 1)), caps
        )["syscalls"]
    )


def fate(name: str, *caps: str) -> tuple[str, int | None]:
    """Tell what becomes of a system call; there must not be two rules about it."""
    found = [one for one in rules(*caps) if name in one["names"]]
    assert len(found) == 1, found
    return found[0]["action"], found[0].get("errnoRet")


ALLOWED = ("SCMP_ACT_ALLOW", None)
REFUSED = ("SCMP_ACT_ERRNO", 1)


def test_namespaces_and_mounts_take_a_capability() -> None:
    for name in ("mount", "unshare", "setns", "fsopen"):
        assert fate(name) == REFUSED
        assert fate(name, "CAP_SYS_ADMIN") == ALLOWED
    assert fate("syslog", "CAP_SYS_ADMIN") == REFUSED
    assert fate("syslog", "CAP_SYSLOG") == ALLOWED


def test_some_calls_are_for_all_and_some_for_nobody() -> None:
    assert fate("read") == fate("vmsplice") == ALLOWED
    assert fate("swapon") == REFUSED
    for name in ("keyctl", "pivot_root"):
        assert fate(name, "CAP_SYS_ADMIN") == REFUSED


def test_clone_makes_threads_and_children_but_no_namespaces() -> None:
    found = [one for one in rules() if "clone" in one["names"]]
    assert [one["args"][0]["value"] for one in found] == [NAMESPACE_FLAGS]
    assert found[0]["args"][0]["index"] == 0
    assert [
        one["args"][0]["index"] for one in rules(machine="s390x") if "clone" in one["names"]
    ] == [1]
    assert fate("clone3") == ("SCMP_ACT_ERRNO", 38)
    assert fate("clone", "CAP_SYS_ADMIN") == fate("clone3", "CAP_SYS_ADMIN") == ALLOWED


def test_the_shipped_profile_stays_as_it_was() -> None:
    before = repr(SHIPPED)
    assert apply_docker_rules(SHIPPED)["defaultErrnoRet"] == 38
    assert repr(SHIPPED) == before
