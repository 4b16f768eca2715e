"""docker's seccomp profiles in the form of OCI."""

from typing import Any

import pytest

from cntnr_compose.containers.spec.seccomp import (
    NAMESPACE_FLAGS,
    SeccompProfileInvalid,
    SeccompTarget,
    adapt_to_proot,
    apply_docker_rules,
    resolve_profile,
)
from cntnr_compose.core.values import replace

AMD = SeccompTarget(name="x86_64", kernel=(6, 1))
ARM = SeccompTarget(name="aarch64", kernel=(6, 1))
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
ALLOWED = ("SCMP_ACT_ALLOW", None)
DENIED = ("SCMP_ACT_ERRNO", 1)


def profile(*syscalls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": list(syscalls), **more}


def allow(*names: str, **more: Any) -> dict[str, Any]:
    return {"names": list(names), "action": "SCMP_ACT_ALLOW", **more}


def allowed(
    source: dict[str, Any], target: SeccompTarget = AMD, caps: tuple[str, ...] = ()
) -> set[str]:
    rules = resolve_profile(source, target, caps)["syscalls"]
    return {name for rule in rules for name in rule["names"] if rule["action"] == "SCMP_ACT_ALLOW"}


def test_rules_depend_on_the_architecture() -> None:
    source = profile(
        allow("read"),
        allow("arch_prctl", includes={"arches": ["amd64", "x32"]}),
        allow("breakpoint", includes={"arches": ["arm", "arm64"]}),
        allow("not_on_arm", excludes={"arches": ["arm64"]}),
    )
    assert allowed(source) == {"read", "arch_prctl", "not_on_arm"}
    assert allowed(source, ARM) == {"read", "breakpoint"}


def test_rules_depend_on_capabilities() -> None:
    source = profile(
        allow("mount", includes={"caps": ["CAP_SYS_ADMIN"]}),
        allow("both", includes={"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}),
        allow("clone", excludes={"caps": ["CAP_SYS_ADMIN"]}),
    )
    assert allowed(source) == {"clone"}
    assert allowed(source, caps=("CAP_SYS_ADMIN",)) == {"mount"}
    assert allowed(source, caps=("CAP_SYS_ADMIN", "CAP_BPF")) == {"mount", "both"}


def test_rules_depend_on_the_kernel() -> None:
    source = profile(
        allow("ptrace", includes={"minKernel": "4.8"}), allow("old", excludes={"minKernel": "4.8"})
    )
    assert allowed(source) == {"ptrace"}
    assert allowed(source, SeccompTarget(name="x86_64", kernel=(4, 7))) == {"old"}


def test_rules_without_arguments_are_laid_together_and_others_kept() -> None:
    source = profile(
        allow("read", "write", args=[], comment="", includes={}, excludes={}),
        allow("read", "open", args=None),
        {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "errno": "EPERM"},
        allow("personality", args=[{"index": 0, "value": 8, "valueTwo": 0, "op": "SCMP_CMP_EQ"}]),
        {"name": "old_form", "action": "SCMP_ACT_ALLOW"},
        defaultErrnoRet=38,
    )
    assert resolve_profile(source, AMD, ()) == {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        "syscalls": [
            {"names": ["read", "write", "open", "old_form"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
            {
                "names": ["personality"],
                "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 0, "value": 8, "valueTwo": 0, "op": "SCMP_CMP_EQ"}],
            },
        ],
    }


def test_programs_of_the_32_bit_sister_run_where_the_kernel_runs_them() -> None:
    def architectures(target: SeccompTarget, **more: Any) -> list[str]:
        return resolve_profile(profile(**more), target, ())["architectures"]

    assert architectures(ARM) == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    without = SeccompTarget(name="x86_64", kernel=(6, 1), compat=False)
    assert architectures(without) == ["SCMP_ARCH_X86_64"]
    assert architectures(SeccompTarget(name="vax", kernel=(6, 1))) == []
    assert architectures(AMD, architectures=["SCMP_ARCH_X86_64"]) == ["SCMP_ARCH_X86_64"]


def test_the_same_profile_is_resolved_once() -> None:
    source = profile(allow("read"))
    assert resolve_profile(source, AMD, ("CAP_CHOWN",)) is resolve_profile(
        source, AMD, ("CAP_CHOWN",)
    )
    assert resolve_profile(source, AMD, ()) is not resolve_profile(profile(allow("read")), AMD, ())


def test_many_profiles_do_not_mix_up() -> None:
    for number in range(100):  # made and dropped, so that identities come again
        assert allowed(profile(allow(f"call{number}"))) == {f"call{number}"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({}, "defaultAction is missing"),
        (
            {"defaultAction": "x", "architectures": ["a"], "archMap": [{}]},
            "architectures and archMap are given, use only one",
        ),
        (profile({"action": "x"}), "syscalls make no sense"),
        (profile({"names": ["read"]}), "syscalls make no sense"),
        ({"defaultAction": "x", "syscalls": ["read"]}, "syscalls make no sense"),
        (profile(allow("x", includes={"minKernel": "new"})), "syscalls make no sense"),
    ],
)
def test_profile_that_makes_no_sense_is_refused(source: dict[str, Any], message: str) -> None:
    with pytest.raises(SeccompProfileInvalid) as caught:
        resolve_profile(source, AMD, ())
    assert str(caught.value).startswith(f"cannot use the seccomp profile: {message}")


def docker_rules(*caps: str, machine: str = "x86_64") -> list[dict[str, Any]]:
    return list(
        resolve_profile(
            apply_docker_rules(SHIPPED), SeccompTarget(name=machine, kernel=(6, 1)), caps
        )["syscalls"]
    )


def outcome(name: str, *caps: str) -> tuple[str, int | None]:
    """Return action and errno of a system call; exactly one rule must name it."""
    naming = [rule for rule in docker_rules(*caps) if name in rule["names"]]
    assert len(naming) == 1, naming
    return naming[0]["action"], naming[0].get("errnoRet")


def test_namespaces_and_mounts_take_a_capability() -> None:
    for name in ("mount", "unshare", "setns", "fsopen"):
        assert outcome(name) == DENIED
        assert outcome(name, "CAP_SYS_ADMIN") == ALLOWED
    assert outcome("syslog", "CAP_SYS_ADMIN") == DENIED
    assert outcome("syslog", "CAP_SYSLOG") == ALLOWED


def test_some_calls_are_for_all_and_some_for_nobody() -> None:
    assert outcome("read") == outcome("vmsplice") == ALLOWED
    assert outcome("swapon") == DENIED
    for name in ("keyctl", "pivot_root"):
        assert outcome(name, "CAP_SYS_ADMIN") == DENIED


def test_clone_makes_threads_and_children_but_no_namespaces() -> None:
    rules = [rule for rule in docker_rules() if "clone" in rule["names"]]
    assert [one["args"][0]["value"] for one in rules] == [NAMESPACE_FLAGS]
    assert rules[0]["args"][0]["index"] == 0
    assert [
        rule["args"][0]["index"]
        for rule in docker_rules(machine="s390x")
        if "clone" in rule["names"]
    ] == [1]
    assert outcome("clone3") == ("SCMP_ACT_ERRNO", 38)
    assert outcome("clone", "CAP_SYS_ADMIN") == outcome("clone3", "CAP_SYS_ADMIN") == ALLOWED


def test_a_runtime_that_knows_new_calls_refuses_the_rest_by_default() -> None:
    source = apply_docker_rules(SHIPPED)
    known = resolve_profile(source, replace(AMD, answers_new_calls=True), ())
    assert known["defaultErrnoRet"] == 1
    refused = {
        (name, rule["errnoRet"])
        for rule in known["syscalls"]
        for name in rule["names"]
        if rule["action"] == "SCMP_ACT_ERRNO"
    }
    assert refused == {("clone3", 38)}
    assert known["syscalls"] == [
        rule for rule in resolve_profile(source, AMD, ())["syscalls"] if rule.get("errnoRet") != 1
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"defaultAction": "SCMP_ACT_ALLOW"},
        {"defaultErrnoRet": 2},
        {"defaultAction": "SCMP_ACT_KILL"},
    ],
)
def test_another_default_action_stays(changes: dict[str, Any]) -> None:
    source = {**apply_docker_rules(SHIPPED), **changes}
    target = replace(AMD, answers_new_calls=True)
    assert resolve_profile(source, target, ()) == resolve_profile(source, AMD, ())


def test_the_shipped_profile_stays_as_it_was() -> None:
    before = repr(SHIPPED)
    assert apply_docker_rules(SHIPPED)["defaultErrnoRet"] == 38
    assert repr(SHIPPED) == before


@pytest.mark.parametrize("profile", [None, {"syscalls": [
    {"names": ["chown", "read"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["fchownat"], "action": "SCMP_ACT_ALLOW"},
], "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"]}])  # fmt: skip
def test_proot_gets_to_hear_that_chown_is_not_permitted(profile: dict[str, Any] | None) -> None:
    before = repr(profile)
    adapted = adapt_to_proot(profile, AMD, one_id=True)
    assert repr(profile) == before
    of_chown = [rule for rule in adapted["syscalls"] if {"chown", "fchownat"} & set(rule["names"])]
    assert [(rule["action"], rule["errnoRet"]) for rule in of_chown] == [("SCMP_ACT_ERRNO", 1)]
    assert adapted["architectures"][0] == "SCMP_ARCH_X86_64"
    assert adapted["architectures"][-1] == "SCMP_ARCH_X32"
    assert "SCMP_ARCH_X32" not in adapt_to_proot(profile, ARM, one_id=True)["architectures"]
    others = adapt_to_proot(profile, AMD, one_id=False)["syscalls"]
    assert others == (profile["syscalls"] if profile else [])
