from typing import Any

import pytest

from cntnr_compose.containers.spec.seccomp import (
    SeccompProfileInvalid,
    SeccompTarget,
    resolve_profile,
)

AMD = SeccompTarget(name="x86_64", kernel=(6, 1))
ARM = SeccompTarget(name="aarch64", kernel=(6, 1))


def profile(*syscalls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": list(syscalls), **more}


def allow(*names: str, **more: Any) -> dict[str, Any]:
    return {"names": list(names), "action": "SCMP_ACT_ALLOW", **more}


def allowed(
    given: dict[str, Any], machine: SeccompTarget = AMD, caps: tuple[str, ...] = ()
) -> set[str]:
    rules = resolve_profile(given, machine, caps)["syscalls"]
    return {name for rule in rules for name in rule["names"] if rule["action"] == "SCMP_ACT_ALLOW"}


def test_rules_depend_on_the_architecture() -> None:
    given = profile(
        allow("read"),
        allow("arch_prctl", includes={"arches": ["amd64", "x32"]}),
        allow("breakpoint", includes={"arches": ["arm", "arm64"]}),
        allow("not_on_arm", excludes={"arches": ["arm64"]}),
    )
    assert allowed(given) == {"read", "arch_prctl", "not_on_arm"}
    assert allowed(given, ARM) == {"read", "breakpoint"}


def test_rules_depend_on_capabilities() -> None:
    given = profile(
        allow("mount", includes={"caps": ["CAP_SYS_ADMIN"]}),
        allow("both", includes={"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}),
        allow("clone", excludes={"caps": ["CAP_SYS_ADMIN"]}),
    )
    assert allowed(given) == {"clone"}
    assert allowed(given, caps=("CAP_SYS_ADMIN",)) == {"mount"}
    assert allowed(given, caps=("CAP_SYS_ADMIN", "CAP_BPF")) == {"mount", "both"}


def test_rules_depend_on_the_kernel() -> None:
    given = profile(
        allow("ptrace", includes={"minKernel": "4.8"}), allow("old", excludes={"minKernel": "4.8"})
    )
    assert allowed(given) == {"ptrace"}
    assert allowed(given, SeccompTarget(name="x86_64", kernel=(4, 7))) == {"old"}


def test_rules_without_arguments_are_laid_together_and_others_kept() -> None:
    given = profile(
        allow("read", "write", args=[], comment="", includes={}, excludes={}),
        allow("read", "open", args=None),
        {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "errno": "EPERM"},
        allow("personality", args=[{"index": 0, "value": 8, "valueTwo": 0, "op": "SCMP_CMP_EQ"}]),
        {"name": "old_form", "action": "SCMP_ACT_ALLOW"},
        defaultErrnoRet=38,
    )
    assert resolve_profile(given, AMD, ()) == {
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
    def architectures(machine: SeccompTarget, **more: Any) -> list[str]:
        return resolve_profile(profile(**more), machine, ())["architectures"]

    assert architectures(ARM) == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    without = SeccompTarget(name="x86_64", kernel=(6, 1), compat=False)
    assert architectures(without) == ["SCMP_ARCH_X86_64"]
    assert architectures(SeccompTarget(name="vax", kernel=(6, 1))) == []
    assert architectures(AMD, architectures=["SCMP_ARCH_X86_64"]) == ["SCMP_ARCH_X86_64"]


def test_the_same_profile_is_resolved_once() -> None:
    given = profile(allow("read"))
    assert resolve_profile(given, AMD, ("CAP_CHOWN",)) is resolve_profile(
        given, AMD, ("CAP_CHOWN",)
    )
    assert resolve_profile(given, AMD, ()) is not resolve_profile(profile(allow("read")), AMD, ())


def test_many_profiles_do_not_mix_up() -> None:
    for number in range(100):  # made and dropped, so that identities come again
        assert allowed(profile(allow(f"call{number}"))) == {f"call{number}"}


@pytest.mark.parametrize(
    ("given", "message"),
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
def test_profile_that_makes_no_sense_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SeccompProfileInvalid) as caught:
        resolve_profile(given, AMD, ())
    assert str(caught.value).startswith(f"cannot use the seccomp profile: {message}")
