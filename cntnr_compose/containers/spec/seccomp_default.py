"""Makes docker's default seccomp profile of the one that distributions ship.

Theirs is podman's, which lets every container make namespaces, mount and use keyrings, since its users
nest containers. Docker's ties that to capabilities, so we do, too.
"""

from cntnr_compose.core.values import Tree

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


def apply_docker_rules(profile: Tree) -> Tree:
    """Give the profile with docker's rules for what both of them treat differently."""
    ours = _docker_rules()
    settled = {name for rule in ours for name in rule["names"]}
    kept = []
    for rule in profile.get("syscalls") or ():
        names = [name for name in rule.get("names") or [rule["name"]] if name not in settled]
        if names:
            kept.append({**rule, "names": names})
    return {**profile, "syscalls": kept + ours}


def _docker_rules() -> list[Tree]:
    admin = {"caps": ["CAP_SYS_ADMIN"]}
    made = [_allow(ALLOWED_SYSCALLS), _deny(DENIED_SYSCALLS)]
    for capability, names in CAPABILITY_SYSCALLS.items():
        condition = {"caps": [capability]}
        made.append({**_allow(names), "includes": condition})
        made.append({**_deny(names), "excludes": condition})
    # The flags of clone3 lie in memory, where a filter cannot look; libc then falls back to clone.
    made.append({**_allow(("clone", "clone3")), "includes": admin})
    made.append({**_deny(("clone3",), ENOSYS), "excludes": admin})
    no_flags = {"index": 0, "value": NAMESPACE_FLAGS, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    # On s390 flags are the second argument.
    s390 = ["s390", "s390x"]
    made.append(
        {
            **_allow(("clone",)),
            "args": [no_flags],
            "excludes": {**admin, "arches": s390},
        }
    )
    made.append(
        {
            **_allow(("clone",)),
            "args": [{**no_flags, "index": 1}],
            "includes": {"arches": s390},
            "excludes": admin,
        }
    )
    return made


def _allow(names: tuple[str, ...]) -> Tree:
    return {"names": list(names), "action": "SCMP_ACT_ALLOW"}


def _deny(names: tuple[str, ...], errno: int = EPERM) -> Tree:
    return {"names": list(names), "action": "SCMP_ACT_ERRNO", "errnoRet": errno}
