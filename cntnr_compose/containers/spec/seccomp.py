"""Resolves docker's seccomp profiles, which depend on architecture and capabilities, to runc's form."""

from collections.abc import Sequence

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, Value

# Machine as the kernel names it: as docker's profiles name it, seccomp's own and its 32-bit sister.
# x32 is left out, since kernels are built without it: it would cost 8 ms per container, as the
# 32-bit sister costs 6 and the rest of the profile 4.
ARCHITECTURES = {
    "x86_64": ("amd64", "SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
    "i686": ("x86", "SCMP_ARCH_X86", ""),
    "aarch64": ("arm64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
    "armv7l": ("arm", "SCMP_ARCH_ARM", ""),
    "ppc64le": ("ppc64le", "SCMP_ARCH_PPC64LE", ""),
    "riscv64": ("riscv64", "SCMP_ARCH_RISCV64", ""),
    "s390x": ("s390x", "SCMP_ARCH_S390X", "SCMP_ARCH_S390"),
}
CACHE_SIZE = 32


class SeccompTarget(Value, frozen=True, kw_only=True):
    """What a profile may depend on beside capabilities."""

    name: str  # as `uname -m` says it
    kernel: tuple[int, int]
    compat: bool = True  # whether 32-bit programs can run


# Profiles are big and nearly always the same: by identity, since comparing them would cost as much
# as resolving them. The profile is kept beside the result, so that its identity stays taken.
_cache: dict[tuple[int, SeccompTarget, frozenset[str]], tuple[Tree, Tree]] = {}


class SeccompProfileInvalid(CntnrError):
    """A seccomp profile is not in docker's format."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"cannot use the seccomp profile: {key} {why}")


def resolve_profile(profile: Tree, machine: SeccompTarget, capabilities: Sequence[str]) -> Tree:
    """Give the profile in the form of the runtime spec; the result is shared, do not edit it.

    Raises `SeccompProfileInvalid`.
    """
    key = (id(profile), machine, frozenset(capabilities))
    found = _cache.get(key)
    if found is None:
        if len(_cache) >= CACHE_SIZE:
            _cache.clear()
        found = _cache[key] = profile, _resolve_uncached(profile, machine, key[2])
    return found[1]


def _resolve_uncached(profile: Tree, machine: SeccompTarget, capabilities: frozenset[str]) -> Tree:
    if "defaultAction" not in profile:
        raise SeccompProfileInvalid("defaultAction", "is missing")
    if profile.get("archMap") and profile.get("architectures"):
        raise SeccompProfileInvalid("architectures", "and archMap are given, use only one")
    name = ARCHITECTURES.get(machine.name, (machine.name,))[0]
    try:
        rules = [
            rule
            for rule in profile.get("syscalls") or ()
            if _applies(rule, name, capabilities, machine.kernel)
        ]
        made: Tree = {
            "defaultAction": profile["defaultAction"],
            "architectures": _architectures(profile, machine),
            "syscalls": _merge_rules(rules),
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SeccompProfileInvalid("syscalls", f"make no sense: {error!r}") from error
    if profile.get("defaultErrnoRet") is not None:
        made["defaultErrnoRet"] = profile["defaultErrnoRet"]
    if profile.get("flags"):
        made["flags"] = profile["flags"]
    return made


def _architectures(profile: Tree, machine: SeccompTarget) -> list[str]:
    if profile.get("architectures"):
        return list(profile["architectures"])
    _, own, sister = ARCHITECTURES.get(machine.name, ("", "", ""))
    return [name for name in (own, sister if machine.compat else "") if name]


def _applies(rule: Tree, name: str, capabilities: frozenset[str], kernel: tuple[int, int]) -> bool:
    wanted, refused = rule.get("includes") or {}, rule.get("excludes") or {}
    if wanted.get("arches") and name not in wanted["arches"]:
        return False
    if not capabilities.issuperset(wanted.get("caps") or ()):
        return False
    if wanted.get("minKernel") and kernel < _version(wanted["minKernel"]):
        return False
    if name in (refused.get("arches") or ()):
        return False
    if not capabilities.isdisjoint(refused.get("caps") or ()):
        return False
    return not refused.get("minKernel") or kernel < _version(refused["minKernel"])


def _merge_rules(rules: Sequence[Tree]) -> list[Tree]:
    """Lay rules without arguments together by what they do; the others stay as they are."""
    plain: dict[tuple[str, int | None], dict[str, None]] = {}
    special = []
    for rule in rules:
        names = rule.get("names") or [rule["name"]]
        if rule.get("args"):
            kept = {"names": names, "action": rule["action"], "args": rule["args"]}
            if rule.get("errnoRet") is not None:
                kept["errnoRet"] = rule["errnoRet"]
            special.append(kept)
        else:
            plain.setdefault((rule["action"], rule.get("errnoRet")), {}).update(
                dict.fromkeys(names)
            )
    together = [
        {"names": list(names), "action": action} | ({} if errno is None else {"errnoRet": errno})
        for (action, errno), names in plain.items()
    ]
    return together + special


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)
