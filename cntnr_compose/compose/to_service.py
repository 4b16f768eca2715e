"""Make a `Service` of a decoded tree; values of `deploy` are merged into it."""

from collections.abc import Callable
from typing import Any

from cntnr_compose.core import units
from cntnr_compose.core.values import Seconds, Tree
from cntnr_compose.model.service import (
    BindOptions,
    Build,
    Dependency,
    Device,
    FileMount,
    Healthcheck,
    Hook,
    ImageMountOptions,
    Limits,
    Logging,
    Mount,
    NetworkAttachment,
    Port,
    Provider,
    RestartPolicy,
    Service,
    TmpfsOptions,
    Ulimit,
    VolumeOptions,
    WatchRule,
)

# Keys that a field of the same name takes as they are decoded; lists become tuples.
TEXT_KEYS = (
    "image", "pull_policy", "platform", "working_dir", "user", "stop_signal", "container_name",
    "hostname", "domainname", "network_mode", "mac_address", "pid", "ipc", "uts", "cgroup",
    "cgroup_parent", "userns_mode", "runtime", "cpuset",
)  # fmt: skip
LIST_KEYS = (
    "group_add", "profiles", "links", "external_links", "volumes_from", "tmpfs", "expose", "dns",
    "dns_search", "dns_opt", "cap_add", "cap_drop", "security_opt", "command", "entrypoint",
)  # fmt: skip
COPIED_KEYS = (
    "environment", "tty", "stdin_open", "init", "labels", "annotations", "attach", "read_only",
    "privileged", "sysctls", "cpu_shares", "cpu_period", "cpu_quota", "oom_kill_disable",
    "oom_score_adj",
)  # fmt: skip


def to_service(name: str, tree: Tree) -> Service:
    """Make a service of its decoded tree."""
    fields: dict[str, Any] = {key: tree[key] for key in (*TEXT_KEYS, *COPIED_KEYS) if key in tree}
    fields |= {key: tuple(tree[key]) for key in LIST_KEYS if key in tree}
    fields |= {key: make(tree[key]) for key, make in PARTS.items() if key in tree}
    deploy = tree.get("deploy", {})
    return Service(
        name=name,
        **fields,
        stop_grace_period=_seconds(tree.get("stop_grace_period")),
        restart=parse_restart_policy(tree.get("restart", ""), deploy.get("restart_policy")),
        replicas=tree.get("scale", deploy.get("replicas", 1)),
        depends_on={key: _dependency(one) for key, one in tree.get("depends_on", {}).items()},
        pre_start=tuple(_hook(one) for one in tree.get("pre_start", ())),
        post_start=tuple(_hook(one) for one in tree.get("post_start", ())),
        pre_stop=tuple(_hook(one) for one in tree.get("pre_stop", ())),
        develop=tuple(_watch_rule(one) for one in (tree.get("develop") or {}).get("watch") or ()),
        volumes=tuple(_mount(one) for one in tree.get("volumes", ())),
        configs=_file_mounts(tree.get("configs", ())),
        secrets=_file_mounts(tree.get("secrets", ())),
        shm_size=_bytes(tree.get("shm_size")),
        networks={key: _attachment(one or {}) for key, one in tree.get("networks", {}).items()},
        ports=tuple(_port(one) for one in tree.get("ports", ())),
        extra_hosts=_hosts(tree.get("extra_hosts", ())),
        ulimits=_ulimits(tree.get("ulimits", {})),
        devices=tuple(_device(one) for one in tree.get("devices", ())),
        limits=_limits(tree, deploy),
        reservations=_reservations(tree, deploy),
        memswap_limit=_bytes(tree.get("memswap_limit")),
        proot=read_proot(tree),
        raw=tree,
    )


def read_proot(tree: Tree) -> bool | None:
    """Read ``x-cntnr: {proot: true}``; None where there is nothing of it."""
    extension = tree.get("x-cntnr")
    value = extension.get("proot") if isinstance(extension, dict) else None
    return value if isinstance(value, bool) else None


def _bytes(text: str | None) -> int:
    return int(text) if text else 0


def _seconds(text: str | None) -> Seconds | None:
    return None if text is None else units.parse_seconds(text)


def parse_restart_policy(word: str, deploy: Tree | None) -> RestartPolicy:
    """Parse `restart`; without it, take `deploy.restart_policy`."""
    if word or deploy is None:
        condition, _, attempts = word.partition(":")
        number = int(attempts) if attempts.isdecimal() else 0
        return RestartPolicy(condition=condition or "no", max_attempts=number)
    conditions = {"none": "no", "any": "always", "": "always"}
    word = deploy.get("condition", "")
    return RestartPolicy(
        condition=conditions.get(word, word),
        max_attempts=deploy.get("max_attempts", 0),
        delay=_seconds(deploy.get("delay")) or 0,
        window=_seconds(deploy.get("window")) or 0,
    )


def _dependency(tree: Tree) -> Dependency:
    return Dependency(
        condition=tree.get("condition", "service_started"),
        restart=tree.get("restart", False),
        required=tree.get("required", True),
    )


def _healthcheck(tree: Tree) -> Healthcheck:
    return Healthcheck(
        test=tuple(tree.get("test", ())),
        interval=_seconds(tree.get("interval")),
        timeout=_seconds(tree.get("timeout")),
        start_period=_seconds(tree.get("start_period")),
        start_interval=_seconds(tree.get("start_interval")),
        retries=tree.get("retries"),
        disable=tree.get("disable", False),
    )


def _hook(tree: Tree) -> Hook:
    return Hook(
        command=tuple(tree.get("command", ())),
        user=tree.get("user", ""),
        privileged=tree.get("privileged", False),
        working_dir=tree.get("working_dir", ""),
        environment=tree.get("environment", {}),
        image=tree.get("image", ""),
    )


def _port(tree: Tree) -> Port:
    return Port(
        target=tree.get("target", 0),
        published=tree.get("published", ""),
        host_ip=tree.get("host_ip", ""),
        protocol=tree.get("protocol", "tcp"),
        mode=tree.get("mode", "ingress"),
        name=tree.get("name", ""),
        app_protocol=tree.get("app_protocol", ""),
    )


def _watch_rule(tree: Tree) -> WatchRule:
    return WatchRule(
        path=tree.get("path", ""),
        action=tree.get("action", ""),
        target=tree.get("target", ""),
        ignore=tuple(tree.get("ignore", ())),
        include=tuple(tree.get("include", ())),
        initial_sync=tree.get("initial_sync", False),
        exec=_hook(tree["exec"]) if tree.get("exec") else None,
    )


def _mount(tree: Tree) -> Mount:
    bind, volume = tree.get("bind", {}), tree.get("volume", {})
    tmpfs, image = tree.get("tmpfs", {}), tree.get("image", {})
    return Mount(
        type=tree.get("type", "volume"),
        target=tree.get("target", ""),
        source=tree.get("source", ""),
        read_only=tree.get("read_only", False),
        consistency=tree.get("consistency", ""),
        bind=BindOptions(
            create_host_path=bind.get("create_host_path", False),
            propagation=bind.get("propagation", ""),
            selinux=bind.get("selinux", ""),
            recursive=bind.get("recursive", ""),
        ),
        volume=VolumeOptions(
            nocopy=volume.get("nocopy", False),
            subpath=volume.get("subpath", ""),
            labels=volume.get("labels", {}),
        ),
        tmpfs=TmpfsOptions(size=_bytes(tmpfs.get("size")), mode=tmpfs.get("mode", 0)),
        image=ImageMountOptions(subpath=image.get("subpath", "")),
    )


def _file_mounts(trees: Any) -> tuple[FileMount, ...]:
    return tuple(
        FileMount(
            source=tree.get("source", ""),
            target=tree.get("target", ""),
            uid=tree.get("uid", ""),
            gid=tree.get("gid", ""),
            mode=int(tree["mode"][1:], 8) if "mode" in tree else None,
        )
        for tree in trees
    )


def _attachment(tree: Tree) -> NetworkAttachment:
    return NetworkAttachment(
        aliases=tuple(tree.get("aliases", ())),
        ipv4_address=tree.get("ipv4_address", ""),
        ipv6_address=tree.get("ipv6_address", ""),
        link_local_ips=tuple(tree.get("link_local_ips", ())),
        mac_address=tree.get("mac_address", ""),
        interface_name=tree.get("interface_name", ""),
        priority=tree.get("priority", 0),
        gw_priority=tree.get("gw_priority", 0),
        driver_opts=tree.get("driver_opts", {}),
    )


def _hosts(lines: Any) -> dict[str, tuple[str, ...]]:
    hosts: dict[str, tuple[str, ...]] = {}
    for line in lines:
        name, _, address = line.partition("=")
        hosts[name] = (*hosts.get(name, ()), address)
    return hosts


def _ulimits(trees: Tree) -> dict[str, Ulimit]:
    ulimits = {}
    for name, limit in trees.items():
        if isinstance(limit, dict):
            ulimits[name] = Ulimit(soft=limit.get("soft", 0), hard=limit.get("hard", 0))
        else:
            ulimits[name] = Ulimit(soft=limit, hard=limit)
    return ulimits


def _device(tree: Tree) -> Device:
    return Device(
        source=tree.get("source", ""),
        target=tree.get("target", ""),
        permissions=tree.get("permissions", "") or "rwm",
    )


def _logging(tree: Tree) -> Logging:
    return Logging(driver=tree.get("driver", ""), options=tree.get("options", {}))


def _limits(tree: Tree, deploy: Tree) -> Limits:
    of_deploy = deploy.get("resources", {}).get("limits", {})
    return Limits(
        cpus=tree.get("cpus", 0) or of_deploy.get("cpus", 0),
        memory=_bytes(tree.get("mem_limit")) or _bytes(of_deploy.get("memory")),
        pids=tree.get("pids_limit", 0) or of_deploy.get("pids", 0),
    )


def _reservations(tree: Tree, deploy: Tree) -> Limits:
    of_deploy = deploy.get("resources", {}).get("reservations", {})
    return Limits(
        cpus=of_deploy.get("cpus", 0),
        memory=_bytes(tree.get("mem_reservation")) or _bytes(of_deploy.get("memory")),
        pids=of_deploy.get("pids", 0),
    )


def _build(tree: Tree) -> Build:
    fields: dict[str, Any] = {
        key: tree[key]
        for key in (
            "context", "dockerfile", "dockerfile_inline", "args", "target", "labels", "network",
            "additional_contexts", "no_cache", "pull", "privileged", "provenance", "sbom",
        )
        if key in tree
    }  # fmt: skip
    return Build(
        **fields,
        tags=tuple(tree.get("tags", ())),
        no_cache_filter=tuple(tree.get("no_cache_filter", ())),
        cache_from=tuple(tree.get("cache_from", ())),
        cache_to=tuple(tree.get("cache_to", ())),
        entitlements=tuple(tree.get("entitlements", ())),
        platforms=tuple(tree.get("platforms", ())),
        extra_hosts=_hosts(tree.get("extra_hosts", ())),
        secrets=_file_mounts(tree.get("secrets", ())),
        ssh=dict(_ssh_key(word) for word in tree.get("ssh", ())),
        shm_size=_bytes(tree.get("shm_size")),
        ulimits=_ulimits(tree.get("ulimits", {})),
    )


def _provider(tree: Tree) -> Provider:
    options = {key: tuple(values) for key, values in tree.get("options", {}).items()}
    return Provider(type=tree.get("type", ""), options=options)


def _ssh_key(word: str) -> tuple[str, str]:
    """Split a key, which is printed as ``id: path``."""
    identity, _, path = word.partition(": ")
    return identity, path


PARTS: dict[str, Callable[[Tree], Any]] = {
    "build": _build,
    "healthcheck": _healthcheck,
    "logging": _logging,
    "provider": _provider,
}
