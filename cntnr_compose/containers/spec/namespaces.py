"""Which namespaces a container has of its own, and the kernel settings that live in them."""

from cntnr_compose.containers.spec.inputs import HostFacts, Reductions, SpecInputs
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree
from cntnr_compose.model.service import Service

IPC_SYSCTLS = frozenset(
    {
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
        "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    }
)  # fmt: skip
# Before this, ipc settings belong to the machine's root even in a namespace.
IPC_SYSCTLS_SINCE = (5, 19)


# Which words the keys know beside "" and, where they say so, service:NAME or container:NAME.
MODES = {
    "pid": ("PID mode", ("host", "service:", "container:")),
    "ipc": (
        "IPC mode",
        ("none", "host", "private", "shareable", "service:", "container:"),
    ),
    "uts": ("UTS mode", ("host",)),
    "cgroup": ("cgroup namespace mode", ("host", "private")),
}


class ModeInvalid(CntnrError):
    """A namespace is shared in a way that does not exist."""

    def __init__(self, service: str, key: str, mode: str) -> None:
        super().__init__(f'services.{service}.{key}: invalid {MODES[key][0]} "{mode}"')


class SysctlRefused(CntnrError):
    """A kernel setting is not the container's own."""

    def __init__(self, service: str, name: str, why: str) -> None:
        super().__init__(f'services.{service}.sysctls: cannot set "{name}": {why}')


def build_namespaces(service: Service, setting: SpecInputs, reductions: Reductions) -> list[Tree]:
    """Give the namespaces to make or to join; those left out are the holder's.

    Raises `ModeInvalid`.
    """
    for key, (_, words) in MODES.items():
        _check_mode(service, key, getattr(service, key), words)
    made: list[Tree] = [{"type": "mount"}]
    for kind in ("network", "uts", "pid", "ipc"):
        where = getattr(setting, kind)
        if where != "host":
            made.append({"type": kind} if where == "new" else {"type": kind, "path": where})
    if service.cgroup != "host":
        made.append({"type": "cgroup"})
    if setting.pid == "host":
        reductions.add("pid", "shows the processes of all containers, not those of the machine")
    if service.userns_mode not in ("", "host"):
        reductions.add(
            "userns_mode", f"{service.userns_mode} is not honoured: all containers share one"
        )
    return made


def build_sysctls(
    service: Service, setting: SpecInputs, facts: HostFacts, reductions: Reductions
) -> dict[str, str]:
    """Give the kernel settings, docker's defaults among them.

    Raises `SysctlRefused`.
    """
    made = {}
    if setting.network != "host":
        made["net.ipv4.ip_unprivileged_port_start"] = "0"
        # Lets everybody ping, as docker does; the range has to be one of ids that exist.
        made["net.ipv4.ping_group_range"] = f"0 {min(facts.mapped_ids, 65536) - 1}"
    for written, value in service.sysctls.items():
        name = written.replace("/", ".")
        if _is_namespaced(service, name, setting, facts, reductions):
            made[written] = value
    return made


def build_hooks(
    service: Service, setting: SpecInputs, facts: HostFacts, reductions: Reductions
) -> Tree:
    """Give the hooks of the setting, and one that sets the domain name.

    As a kernel setting that name belongs to the machine's root; the system call asks for rights in
    the namespace only, and a createContainer hook runs there.
    """
    name = service.sysctls.get("kernel.domainname") or service.domainname
    if not name or setting.uts != "new":
        return setting.hooks
    if not facts.domainname_path:
        key = "domainname" if service.domainname else "sysctls.kernel.domainname"
        reductions.add(key, "not set, since the program domainname is not installed")
        return setting.hooks
    hook = {"path": facts.domainname_path, "args": ["domainname", name]}
    return {**setting.hooks, "createContainer": [*setting.hooks.get("createContainer", ()), hook]}


def _check_mode(service: Service, key: str, mode: str, words: tuple[str, ...]) -> None:
    kind, colon, name = mode.partition(":")
    if mode and (f"{kind}{colon}" not in words or (colon and not name)):
        raise ModeInvalid(service.name, key, mode)


def _is_namespaced(
    service: Service, name: str, setting: SpecInputs, facts: HostFacts, reductions: Reductions
) -> bool:
    if name.startswith("net."):
        if setting.network == "host":
            raise SysctlRefused(service.name, name, "not allowed in host network namespace")
        return True
    if name in IPC_SYSCTLS or name.startswith("fs.mqueue."):
        if setting.ipc == "host":
            raise SysctlRefused(service.name, name, "not allowed in host ipc namespace")
        if facts.kernel < IPC_SYSCTLS_SINCE:
            reductions.add(f"sysctls.{name}", "not set, which takes Linux 5.19 or root")
            return False
        return True
    if name == "kernel.domainname" and setting.uts == "new":
        return False  # see `hooks`
    raise SysctlRefused(service.name, name, "it is not in a separate kernel namespace")
