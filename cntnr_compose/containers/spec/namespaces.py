"""Build a container's namespaces, the sysctls that belong to them, and hooks."""

from cntnr_compose.containers.spec.inputs import Reductions, SpecInputs
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service

IPC_SYSCTLS = frozenset(
    {
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
        "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    }
)  # fmt: skip
# Before this kernel, ipc sysctls belong to the host's root even in a namespace.
IPC_SYSCTLS_SINCE = (5, 19)
# crun fails at a hook that has ended before it was given the container's state.
READ_STATE_FIRST = 'while read -r _; do :; done; exec "$@"'


# Which words the keys accept beside ""; a word with a colon is followed by a name.
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
    """A namespace mode does not exist."""

    def __init__(self, service: str, key: str, mode: str) -> None:
        super().__init__(f'services.{service}.{key}: invalid {MODES[key][0]} "{mode}"')


class SysctlRefused(CntnrError):
    """A sysctl does not belong to the container's own namespaces."""

    def __init__(self, service: str, name: str, why: str) -> None:
        super().__init__(f'services.{service}.sysctls: cannot set "{name}": {why}')


def build_namespaces(service: Service, inputs: SpecInputs, reductions: Reductions) -> list[Tree]:
    """Build the namespaces to create or to join; those left out are the holder's.

    Raises `ModeInvalid`.
    """
    for key, (_, words) in MODES.items():
        _check_mode(service, key, getattr(service, key), words)
    namespaces: list[Tree] = [{"type": "mount"}]
    for kind in ("network", "uts", "pid", "ipc"):
        namespace = getattr(inputs, kind)
        if namespace != "host":
            namespaces.append(
                {"type": kind} if namespace == "new" else {"type": kind, "path": namespace}
            )
    if service.cgroup != "host":
        namespaces.append({"type": "cgroup"})
    if inputs.pid == "host":
        reductions.add("pid", "shows the processes of all containers, not those of the machine")
    if service.userns_mode not in ("", "host"):
        reductions.add(
            "userns_mode", f"{service.userns_mode} is not honoured: all containers share one"
        )
    return namespaces


def build_sysctls(
    service: Service, inputs: SpecInputs, facts: HostFacts, reductions: Reductions
) -> dict[str, str]:
    """Build the sysctls, docker's defaults included.

    Raises `SysctlRefused`.
    """
    settings = {}
    if inputs.network != "host":
        settings["net.ipv4.ip_unprivileged_port_start"] = "0"
        # Lets every user ping, as docker does; the range has to be one of ids that exist.
        settings["net.ipv4.ping_group_range"] = f"0 {min(facts.mapped_ids, 65536) - 1}"
    for key, value in service.sysctls.items():
        name = key.replace("/", ".")
        if _is_namespaced(service, name, inputs, facts, reductions):
            settings[key] = value
    return settings


def build_hooks(
    service: Service, inputs: SpecInputs, facts: HostFacts, reductions: Reductions
) -> Tree:
    """Build the hooks: those of ``inputs``, and one that sets the domain name.

    The sysctl of that name belongs to the host's root; the system call needs rights in the namespace
    only, and a createContainer hook runs there.
    """
    own_name = service.sysctls.get("kernel.domainname") or service.domainname
    name = inputs.domainname or own_name
    if not name or inputs.uts != "new":
        return inputs.hooks
    if not facts.domainname_path:
        is_sysctl = not service.domainname and own_name
        key = "sysctls.kernel.domainname" if is_sysctl else "domainname"
        reductions.add(key, "not set, since the program domainname is not installed")
        return inputs.hooks
    words = ["sh", "-c", READ_STATE_FIRST, "sh", facts.domainname_path, name]
    hook = {"path": "/bin/sh", "args": words}
    return {**inputs.hooks, "createContainer": [*inputs.hooks.get("createContainer", ()), hook]}


def _check_mode(service: Service, key: str, mode: str, words: tuple[str, ...]) -> None:
    kind, colon, name = mode.partition(":")
    if mode and (f"{kind}{colon}" not in words or (colon and not name)):
        raise ModeInvalid(service.name, key, mode)


def _is_namespaced(
    service: Service, name: str, inputs: SpecInputs, facts: HostFacts, reductions: Reductions
) -> bool:
    if name.startswith("net."):
        if inputs.network == "host":
            raise SysctlRefused(service.name, name, "not allowed in host network namespace")
        return True
    if name in IPC_SYSCTLS or name.startswith("fs.mqueue."):
        if inputs.ipc == "host":
            raise SysctlRefused(service.name, name, "not allowed in host ipc namespace")
        if facts.kernel < IPC_SYSCTLS_SINCE:
            reductions.add(f"sysctls.{name}", "not set, which takes Linux 5.19 or root")
            return False
        return True
    if name == "kernel.domainname" and inputs.uts == "new":
        return False  # see `build_hooks`
    raise SysctlRefused(service.name, name, "it is not in a separate kernel namespace")
