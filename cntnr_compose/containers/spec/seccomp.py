"""Resolve docker's seccomp profiles, which depend on architecture and capabilities, to the form of OCI.

Distributions ship podman's default profile, which lets every container create namespaces, mount and use
keyrings, since its users nest containers. Docker's allows that only with certain capabilities;
`apply_docker_rules` makes the one from the other.
"""

from collections.abc import Sequence

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, Value

# Architecture as `uname -m` prints it: as docker's profiles name it, seccomp's own name and that of its
# 32-bit sister. x32 is left out, since kernels are built without it: it would cost 8 ms per container, as
# the 32-bit sister costs 6 and the rest of the profile 4.
ARCHITECTURES = {
    "x86_64": ("amd64", "SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
    "i686": ("x86", "SCMP_ARCH_X86", ""),
    "aarch64": ("arm64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
    "armv7l": ("arm", "SCMP_ARCH_ARM", ""),
    "ppc64le": ("ppc64le", "SCMP_ARCH_PPC64LE", ""),
    "riscv64": ("riscv64", "SCMP_ARCH_RISCV64", ""),
    "s390x": ("s390x", "SCMP_ARCH_S390X", "SCMP_ARCH_S390"),
}
X32 = "SCMP_ARCH_X32"
CHOWN = ("chown", "chown32", "fchown", "fchown32", "fchownat", "lchown", "lchown32")
CACHE_SIZE = 32

CAPABILITY_SYSCALLS = {
    "CAP_SYS_ADMIN": (
        "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount",
        "open_tree", "setns", "umount", "umount2", "unshare",
    ),
    "CAP_SYS_BOOT": ("reboot",),
    "CAP_SYS_NICE": ("get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"),
    "CAP_SYS_PTRACE": ("pidfd_getfd",),
    "CAP_SYSLOG": ("syslog",),
}  # fmt: skip
DENIED_SYSCALLS = ("keyctl", "pivot_root")
ALLOWED_SYSCALLS = ("futex_waitv", "io_pgetevents", "io_pgetevents_time64", "vmsplice")
NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEWNS to CLONE_NEWNET
EPERM, ENOSYS = 1, 38
ERRNO = "SCMP_ACT_ERRNO"


class SeccompTarget(Value, frozen=True, kw_only=True):
    """What a profile may depend on, beside capabilities."""

    name: str  # architecture as `uname -m` prints it
    kernel: tuple[int, int]
    compat: bool = True  # whether 32-bit programs can run
    answers_new_calls: bool = False  # see `SpecInputs`; for the default profile only


# Profiles are big and nearly always the same: keyed by identity, since comparing them would cost as much
# as resolving them. The profile is kept beside the result, so that no other one gets its identity.
_cache: dict[tuple[int, SeccompTarget, frozenset[str]], tuple[Tree, Tree]] = {}


class SeccompProfileInvalid(CntnrError):
    """A seccomp profile is not in docker's format."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"cannot use the seccomp profile: {key} {why}")


def resolve_profile(profile: Tree, target: SeccompTarget, capabilities: Sequence[str]) -> Tree:
    """Convert a profile to ``linux.seccomp`` of the runtime spec; the result is shared, do not edit it.

    Raises `SeccompProfileInvalid`.
    """
    key = (id(profile), target, frozenset(capabilities))
    cached = _cache.get(key)
    if cached is None:
        if len(_cache) >= CACHE_SIZE:
            _cache.clear()
        cached = _cache[key] = profile, _resolve_uncached(profile, target, key[2])
    return cached[1]


def _resolve_uncached(profile: Tree, target: SeccompTarget, capabilities: frozenset[str]) -> Tree:
    if "defaultAction" not in profile:
        raise SeccompProfileInvalid("defaultAction", "is missing")
    if profile.get("archMap") and profile.get("architectures"):
        raise SeccompProfileInvalid("architectures", "and archMap are given, use only one")
    architecture = ARCHITECTURES.get(target.name, (target.name,))[0]
    try:
        rules = [
            rule
            for rule in profile.get("syscalls") or ()
            if _applies(rule, architecture, capabilities, target.kernel)
        ]
        resolved: Tree = {
            "defaultAction": profile["defaultAction"],
            "architectures": _architectures(profile, target),
            "syscalls": _merge_rules(rules),
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SeccompProfileInvalid("syscalls", f"make no sense: {error!r}") from error
    if profile.get("defaultErrnoRet") is not None:
        resolved["defaultErrnoRet"] = profile["defaultErrnoRet"]
    if profile.get("flags"):
        resolved["flags"] = profile["flags"]
    return _refuse_by_default(resolved) if target.answers_new_calls else resolved


def _refuse_by_default(resolved: Tree) -> Tree:
    """Have EPERM for what no rule names, as docker does, and leave out the rules that say so.

    The profile itself has ENOSYS for that, since libc has to hear it of calls that are newer than the
    profile. Each rule costs some 25 microseconds per container and `exec`.
    """
    if resolved["defaultAction"] != ERRNO or resolved.get("defaultErrnoRet") != ENOSYS:
        return resolved
    rules = [
        rule
        for rule in resolved["syscalls"]
        if rule["action"] != ERRNO or rule.get("errnoRet", EPERM) != EPERM or rule.get("args")
    ]
    return {**resolved, "defaultErrnoRet": EPERM, "syscalls": rules}


def adapt_to_proot(profile: Tree | None, target: SeccompTarget, *, one_id: bool) -> Tree:
    """Return a resolved profile, or that of an unconfined container, under which PRoot can work.

    PRoot skips a system call by the number -2, which is killed as one of x32 unless that is known. It has
    ``chown`` succeed where that is not permitted: with one id the kernel calls it invalid instead.
    """
    adapted = dict(profile or {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []})
    known = adapted.get("architectures") or _architectures({}, target)
    if target.name == "x86_64" and X32 not in known:
        known = [*known, X32]
    adapted["architectures"] = known
    if one_id:
        rules = [
            {**rule, "names": [name for name in rule["names"] if name not in CHOWN]}
            for rule in adapted["syscalls"]
        ]
        refusal = {"names": list(CHOWN), "action": ERRNO, "errnoRet": EPERM}
        adapted["syscalls"] = [*(rule for rule in rules if rule["names"]), refusal]
    return adapted


def _architectures(profile: Tree, target: SeccompTarget) -> list[str]:
    if profile.get("architectures"):
        return list(profile["architectures"])
    _, native, sister = ARCHITECTURES.get(target.name, ("", "", ""))
    return [name for name in (native, sister if target.compat else "") if name]


def _applies(
    rule: Tree, architecture: str, capabilities: frozenset[str], kernel: tuple[int, int]
) -> bool:
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if includes.get("arches") and architecture not in includes["arches"]:
        return False
    if not capabilities.issuperset(includes.get("caps") or ()):
        return False
    if includes.get("minKernel") and kernel < _parse_version(includes["minKernel"]):
        return False
    if architecture in (excludes.get("arches") or ()):
        return False
    if not capabilities.isdisjoint(excludes.get("caps") or ()):
        return False
    return not excludes.get("minKernel") or kernel < _parse_version(excludes["minKernel"])


def _merge_rules(rules: Sequence[Tree]) -> list[Tree]:
    """Merge rules without arguments that have the same action; keep the others as they are."""
    plain: dict[tuple[str, int | None], dict[str, None]] = {}
    with_arguments = []
    for rule in rules:
        names = rule.get("names") or [rule["name"]]
        if rule.get("args"):
            kept = {"names": names, "action": rule["action"], "args": rule["args"]}
            if rule.get("errnoRet") is not None:
                kept["errnoRet"] = rule["errnoRet"]
            with_arguments.append(kept)
        else:
            plain.setdefault((rule["action"], rule.get("errnoRet")), {}).update(
                dict.fromkeys(names)
            )
    merged = [
        {"names": list(names), "action": action} | ({} if errno is None else {"errnoRet": errno})
        for (action, errno), names in plain.items()
    ]
    return merged + with_arguments


def _parse_version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


def apply_docker_rules(profile: Tree) -> Tree:
    """Replace the rules of podman's default profile for system calls that docker treats differently."""
    docker_rules = _docker_rules()
    replaced = {name for rule in docker_rules for name in rule["names"]}
    kept = []
    for rule in profile.get("syscalls") or ():
        names = [name for name in rule.get("names") or [rule["name"]] if name not in replaced]
        if names:
            kept.append({**rule, "names": names})
    return {**profile, "syscalls": kept + docker_rules}


def _docker_rules() -> list[Tree]:
    admin = {"caps": ["CAP_SYS_ADMIN"]}
    rules = [_allow(ALLOWED_SYSCALLS), _deny(DENIED_SYSCALLS)]
    for capability, names in CAPABILITY_SYSCALLS.items():
        condition = {"caps": [capability]}
        rules.append({**_allow(names), "includes": condition})
        rules.append({**_deny(names), "excludes": condition})
    # The flags of clone3 lie in memory, where a filter cannot look; libc then falls back to clone.
    rules.append({**_allow(("clone", "clone3")), "includes": admin})
    rules.append({**_deny(("clone3",), ENOSYS), "excludes": admin})
    no_flags = {"index": 0, "value": NAMESPACE_FLAGS, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    # On s390 flags are the second argument.
    s390 = ["s390", "s390x"]
    rules.append(
        {
            **_allow(("clone",)),
            "args": [no_flags],
            "excludes": {**admin, "arches": s390},
        }
    )
    rules.append(
        {
            **_allow(("clone",)),
            "args": [{**no_flags, "index": 1}],
            "includes": {"arches": s390},
            "excludes": admin,
        }
    )
    return rules


def _allow(names: tuple[str, ...]) -> Tree:
    return {"names": list(names), "action": "SCMP_ACT_ALLOW"}


def _deny(names: tuple[str, ...], errno: int = EPERM) -> Tree:
    return {"names": list(names), "action": ERRNO, "errnoRet": errno}
