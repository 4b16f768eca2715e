"""Build config.json of a bundle that any OCI runtime can run as this user; `cntnr-hook` connects it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from cntnr_compose.bundles.place import ROOTFS, BundlePlace
from cntnr_compose.containers.bundle import accounts, mount_sources, proot
from cntnr_compose.containers.bundle.bundle import inspect_devices, read_seccomp_profile
from cntnr_compose.containers.runtime import host_facts
from cntnr_compose.containers.spec.inputs import ResolvedMount, SpecInputs, SpecResult
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import DEFAULT_NETWORK
from cntnr_compose.core.values import Tree, replace
from cntnr_compose.host import network, process
from cntnr_compose.host.openat2 import Root
from cntnr_compose.host.proc import IdMap
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service
from cntnr_compose.networks.dns import name_files
from cntnr_compose.networks.hook import lists
from cntnr_compose.volumes import relabel

HOOK_PROGRAM = "cntnr-hook"
HOOK_TIMEOUT = 60  # seconds, after which a runtime kills the hook
ETC_NAMES = ("hosts", "resolv.conf", "hostname")
# Variables that say where lists and plugins are; a runtime gives hooks only what config.json has.
HOOK_VARIABLES = ("HOME", "XDG_CONFIG_HOME", "NETCONFPATH", "CNI_PATH")


class BundleRefused(CntnrError):
    """A bundle cannot have what was asked for."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def refuse(what: str, hint: str = "") -> NoReturn:
    """Raise `BundleRefused`."""
    raise BundleRefused(what, hint) from None


def build_config(
    place: BundlePlace,
    service: Service,
    image: ImageConfig,
    rows: dict[str, IdMap],
    *,
    rootfs: Path,
    publish: Sequence[str],
    strict: bool = True,
) -> SpecResult:
    """Build the runtime spec of a bundle whose files are in ``rootfs`` now; paths in it are relative.

    ``rows`` map the ids of the user namespace, by ``uid`` and ``gid``. Raises what `build_runtime_spec`
    raises, `BundleRefused`.
    """
    mapped = sum(count for _, _, count in rows["uid"])
    facts = replace(host_facts.gather_host_facts(change_cgroups=False), mapped_ids=mapped)
    inputs = SpecInputs(
        id=place.name,
        rootfs=ROOTFS,
        hostname=service.hostname or place.name[:63],
        network="host" if service.network_mode == "host" else "new",
        mounts=tuple(_resolve_mounts(service, strict=strict)),
        etc_files={f"/etc/{name}": f"etc/{name}" for name in ETC_NAMES},
        device_nodes=inspect_devices(service),
        seccomp=read_seccomp_profile(service, "/"),
        annotations=_annotations(place, service, image),
        hooks=_build_hooks(service, place, publish, strict=strict),
        proot=proot.choose_proot(service, mapped),
    )
    with Root(rootfs) as root, accounts.read_accounts(root) as (passwd, group):
        result = build_runtime_spec(
            service, image, replace(inputs, passwd=passwd, group=group), facts
        )
    # runc refuses to set further groups for an ordinary user; those of the image's files are root's only.
    result.spec["process"]["user"].pop("additionalGids", None)
    linux = result.spec["linux"]
    linux["namespaces"].append({"type": "user"})
    for kind, mappings in rows.items():
        linux[f"{kind}Mappings"] = [
            {"containerID": inside, "hostID": outside, "size": count}
            for inside, outside, count in mappings
        ]
    linux.pop("resources", None)  # an ordinary user's runtime has no cgroup
    return result


def _annotations(place: BundlePlace, service: Service, image: ImageConfig) -> dict[str, str]:
    """Return what the OCI image specification converts to annotations, and labels."""
    signal = service.stop_signal or image.stop_signal
    ports = ",".join(sorted(image.exposed_ports or ()))
    return {
        **(image.labels or {}),
        **service.labels,
        **({"org.opencontainers.image.stopSignal": signal} if signal else {}),
        **({"org.opencontainers.image.exposedPorts": ports} if ports else {}),
        "cntnr.bundle": place.name,
    }


def write_etc_files(place: BundlePlace, service: Service) -> None:
    """Write what is mounted over files in /etc; the hook writes it again when it knows the addresses."""
    folder = place.path / "etc"
    folder.mkdir(exist_ok=True)
    hostname = service.hostname or place.name[:63]
    names = name_files.own_names(hostname, service.domainname)
    entries = [(address, name) for name, address in list_hosts(service)]
    if service.network_mode == "host":
        entries.append(("127.0.1.1", names))
    text = network.host_resolv_conf() if service.network_mode == "host" else ""
    if service.network_mode == "host" and (service.dns or service.dns_search or service.dns_opt):
        text = name_files.resolv_conf_text(
            service.dns or _servers(text), service.dns_search, service.dns_opt
        )
    contents = {
        "hosts": name_files.hosts_text(entries),
        "resolv.conf": text,
        "hostname": f"{hostname}\n",
    }
    for name, content in contents.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(content)


def _servers(text: str) -> list[str]:
    lines = (line.split() for line in text.splitlines())
    return [words[1] for words in lines if words[:1] == ["nameserver"] and words[1:]]


def list_hosts(service: Service) -> list[tuple[str, str]]:
    """List further names of /etc/hosts and their addresses."""
    gateway = "host-gateway"
    return [
        (name, network.host_address() if address == gateway else address)
        for name, addresses in service.extra_hosts.items()
        for address in addresses
    ]


def _build_hooks(
    service: Service, place: BundlePlace, publish: Sequence[str], *, strict: bool
) -> Tree:
    """Build the hooks that connect the container to its networks; none where it has none.

    Raises `NoSuchList`, `ConflistInvalid`, `PluginMissing` where ``strict``, `BundleRefused`.
    """
    if service.network_mode:
        if publish:
            refuse(f"--publish takes a network, and --network is {service.network_mode}")
        return {}
    names = list(service.networks) or [DEFAULT_NETWORK]
    if strict:
        plugins = lists.plugin_folder()
        for name in names:
            lists.find_list(name, plugins)
    words = [f"--hostname={service.hostname or place.name[:63]}"]
    words += [f"--domainname={service.domainname}"] if service.domainname else []
    words += [f"--dns={server}" for server in service.dns]
    words += [f"--dns-search={domain}" for domain in service.dns_search]
    words += [f"--dns-opts={option}" for option in service.dns_opt]
    words += [f"--hosts-entry={name}={address}" for name, address in list_hosts(service)]
    ports = [f"--publish={port}" for port in publish]
    return {
        "prestart": [_hook("init", *words, *ports, *names)],
        "createContainer": [_hook("join")],
        "poststop": [_hook("rm", *names)],
    }


def _hook(*words: str) -> Tree:
    env = [f"PATH={process.SYSTEM_PATH}"]
    env += [f"{name}={os.environ[name]}" for name in HOOK_VARIABLES if os.environ.get(name)]
    args = [HOOK_PROGRAM, "net", *words]
    return {"path": find_hook_program(), "args": args, "env": env, "timeout": HOOK_TIMEOUT}


def find_hook_program() -> str:
    """Find the program of the hook, where it was installed: beside the interpreter.

    Raises `ProgramMissing`.
    """
    beside = Path(sys.executable).with_name(HOOK_PROGRAM)
    return str(beside) if os.access(beside, os.X_OK) else process.find_program(HOOK_PROGRAM)


def _resolve_mounts(service: Service, *, strict: bool) -> list[ResolvedMount]:
    resolved = []
    for mount in service.volumes:
        base = ResolvedMount(target=mount.target, type=mount.type, read_only=mount.read_only)
        if mount.type == "tmpfs":
            resolved.append(replace(base, size=mount.tmpfs.size, mode=mount.tmpfs.mode))
            continue
        if mount.type != "bind" and not strict:
            continue
        if mount.type != "bind":
            what = f"a bundle cannot mount {mount.source or mount.target}: its type is {mount.type}"
            refuse(what, "volumes and images are cntnr's: bind a folder, ./data:/data")
        source = Path(mount.source)
        if not source.exists():
            what = f"cannot mount {source}: no such file or directory"
            refuse(what, "make it, or correct the path")
        bound = mount_sources.bind(base, mount, source)
        if mount.bind.selinux and relabel.is_enabled():
            why = relabel.relabel(str(source), mount.bind.selinux, service.name)
            bound = replace(bound, not_relabelled=why)
        resolved.append(bound)
    return resolved
