"""A service and its parts; fields are named like the keys of the Compose specification.

Durations are seconds, sizes are bytes. A value that is not set falls back to the image or to a default.
"""

from cntnr_compose.core.values import Bytes, Seconds, Tree, Value, field


class Dependency(Value, frozen=True, kw_only=True):
    """One entry of ``depends_on``."""

    condition: str = "service_started"  # service_healthy, service_completed_successfully
    restart: bool = False
    required: bool = True


class Healthcheck(Value, frozen=True, kw_only=True):
    """``healthcheck`` of a service; None and () mean: as in the image."""

    test: tuple[str, ...] = ()  # ("NONE",): no health check
    interval: Seconds | None = None
    timeout: Seconds | None = None
    start_period: Seconds | None = None
    start_interval: Seconds | None = None
    retries: int | None = None
    disable: bool = False


class Port(Value, frozen=True, kw_only=True):
    """One entry of ``ports``; ``published`` is a port, a range ``A-B``, or empty for any free port."""

    target: int
    published: str = ""
    host_ip: str = ""
    protocol: str = "tcp"
    mode: str = "ingress"
    name: str = ""
    app_protocol: str = ""


class BindOptions(Value, frozen=True, kw_only=True):
    """Options of a bind mount."""

    create_host_path: bool = True
    propagation: str = ""
    selinux: str = ""
    recursive: str = ""


class VolumeOptions(Value, frozen=True, kw_only=True):
    """Options of a volume mount."""

    nocopy: bool = False
    subpath: str = ""
    labels: dict[str, str] = field(default_factory=dict)


class TmpfsOptions(Value, frozen=True, kw_only=True):
    """Options of a tmpfs mount."""

    size: Bytes = 0  # 0: no limit
    mode: int = 0  # 0: 01777


class ImageMountOptions(Value, frozen=True, kw_only=True):
    """Options of an image mount."""

    subpath: str = ""


class Mount(Value, frozen=True, kw_only=True):
    """One entry of ``volumes``; an anonymous volume has an empty source."""

    type: str  # bind, volume, tmpfs, image, npipe, cluster
    target: str
    source: str = ""
    read_only: bool = False
    consistency: str = ""
    bind: BindOptions = field(default_factory=BindOptions)
    volume: VolumeOptions = field(default_factory=VolumeOptions)
    tmpfs: TmpfsOptions = field(default_factory=TmpfsOptions)
    image: ImageMountOptions = field(default_factory=ImageMountOptions)


class FileMount(Value, frozen=True, kw_only=True):
    """One entry of ``configs`` or ``secrets`` of a service."""

    source: str
    target: str = ""  # empty: /run/secrets/SOURCE or /SOURCE
    uid: str = ""
    gid: str = ""
    mode: int | None = None  # None: 0444

    @property
    def is_copy(self) -> bool:
        """Tell whether the container has a copy of a file, since owner or mode are the service's own."""
        return bool(self.uid or self.gid or self.mode is not None)


class NetworkAttachment(Value, frozen=True, kw_only=True):
    """How a service is attached to one of its ``networks``."""

    aliases: tuple[str, ...] = ()
    ipv4_address: str = ""
    ipv6_address: str = ""
    link_local_ips: tuple[str, ...] = ()
    mac_address: str = ""
    interface_name: str = ""
    priority: int = 0
    gw_priority: int = 0
    driver_opts: dict[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()  # of `network connect --link`: NAME[:ALIAS]


class Device(Value, frozen=True, kw_only=True):
    """One entry of ``devices``."""

    source: str
    target: str = ""
    permissions: str = "rwm"


class Ulimit(Value, frozen=True, kw_only=True):
    """A resource limit of processes; -1: unlimited."""

    soft: int
    hard: int


class Logging(Value, frozen=True, kw_only=True):
    """``logging`` of a service."""

    driver: str = ""
    options: dict[str, str] = field(default_factory=dict)


class Limits(Value, frozen=True, kw_only=True):
    """Resource limits; 0: none."""

    cpus: float = 0
    memory: Bytes = 0
    pids: int = 0


class Hook(Value, frozen=True, kw_only=True):
    """A ``pre_start``, ``post_start`` or ``pre_stop`` hook."""

    command: tuple[str, ...]
    user: str = ""
    privileged: bool = False
    working_dir: str = ""
    environment: dict[str, str | None] = field(default_factory=dict)
    image: str = ""  # of the container of a pre_start hook; empty: the service's


class Provider(Value, frozen=True, kw_only=True):
    """``provider`` of a service: a program provides it, not a container."""

    type: str
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)


class WatchRule(Value, frozen=True, kw_only=True):
    """One entry of ``develop.watch``: what to do when files below a path change."""

    path: str  # absolute, its links resolved
    action: str  # sync, rebuild, restart, sync+restart, sync+exec
    target: str = ""  # in the container
    ignore: tuple[str, ...] = ()  # patterns as in a .dockerignore, relative to the path
    include: tuple[str, ...] = ()  # (): everything
    initial_sync: bool = False
    exec: Hook | None = None  # of sync+exec

    @property
    def is_sync(self) -> bool:
        """Return whether changed files are copied into containers."""
        return self.action.startswith("sync")


class Build(Value, frozen=True, kw_only=True):
    """``build`` of a service."""

    context: str = "."
    dockerfile: str = ""
    dockerfile_inline: str = ""
    args: dict[str, str | None] = field(default_factory=dict)
    target: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    network: str = ""
    extra_hosts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    additional_contexts: dict[str, str] = field(default_factory=dict)
    secrets: tuple[FileMount, ...] = ()
    ssh: dict[str, str] = field(default_factory=dict)  # id: path; empty: the agent of the user
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()  # names of stages
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ()
    provenance: str = ""
    sbom: str = ""
    pull: bool = False
    platforms: tuple[str, ...] = ()
    shm_size: Bytes = 0
    ulimits: dict[str, Ulimit] = field(default_factory=dict)
    privileged: bool = False


class RestartPolicy(Value, frozen=True, kw_only=True):
    """When a container that has ended by itself is started again."""

    condition: str = "no"  # no, always, on-failure, unless-stopped
    max_attempts: int = 0  # 0: without limit
    delay: Seconds = 0
    window: Seconds = 0


class EngineOptions(Value, frozen=True, kw_only=True):
    """What flags of `cntnr run` ask of a container, and no key of a compose file does."""

    mount_cgroups: str = ""  # ro, rw, no; empty: as docker
    no_new_keyring: bool = False
    no_pivot: bool = False


class Service(Value, frozen=True, kw_only=True):
    """One service of a project."""

    name: str
    image: str = ""  # empty: built, and then named PROJECT-SERVICE
    build: Build | None = None
    pull_policy: str = ""
    platform: str = ""

    command: tuple[str, ...] | None = None  # None: the image's; (): explicitly none
    entrypoint: tuple[str, ...] | None = None
    working_dir: str = ""
    user: str = ""
    group_add: tuple[str, ...] = ()
    environment: dict[str, str | None] = field(default_factory=dict)  # env_file merged in
    tty: bool = False
    stdin_open: bool = False
    init: bool = False
    stop_signal: str = ""
    stop_grace_period: Seconds | None = None  # None: 10 s
    restart: RestartPolicy = field(default_factory=RestartPolicy)  # deploy.restart_policy merged in
    container_name: str = ""
    hostname: str = ""
    domainname: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    attach: bool = True
    profiles: tuple[str, ...] = ()
    replicas: int = 1  # scale and deploy.replicas

    depends_on: dict[str, Dependency] = field(default_factory=dict)
    links: tuple[str, ...] = ()  # "service:alias"
    external_links: tuple[str, ...] = ()
    healthcheck: Healthcheck | None = None
    provider: Provider | None = None
    pre_start: tuple[Hook, ...] = ()
    post_start: tuple[Hook, ...] = ()
    pre_stop: tuple[Hook, ...] = ()
    develop: tuple[WatchRule, ...] = ()  # develop.watch, its only key

    volumes: tuple[Mount, ...] = ()
    volumes_from: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    configs: tuple[FileMount, ...] = ()
    secrets: tuple[FileMount, ...] = ()
    read_only: bool = False
    shm_size: Bytes = 0  # 0: 64 MiB

    networks: dict[str, NetworkAttachment] = field(default_factory=dict)
    network_mode: str = ""
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    extra_hosts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_opt: tuple[str, ...] = ()
    mac_address: str = ""

    pid: str = ""
    ipc: str = ""
    uts: str = ""
    cgroup: str = ""
    cgroup_parent: str = ""
    userns_mode: str = ""
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    sysctls: dict[str, str] = field(default_factory=dict)
    ulimits: dict[str, Ulimit] = field(default_factory=dict)
    devices: tuple[Device, ...] = ()
    logging: Logging | None = None
    runtime: str = ""
    proot: bool | None = None  # x-cntnr.proot; None: as the user's settings say

    limits: Limits = field(default_factory=Limits)  # deploy.resources.limits, cpus, mem_limit, …
    reservations: Limits = field(default_factory=Limits)
    cpu_shares: int = 0
    cpuset: str = ""
    cpu_period: int = 0
    cpu_quota: int = 0
    memswap_limit: Bytes = 0
    oom_kill_disable: bool = False
    oom_score_adj: int = 0

    engine: EngineOptions = field(default_factory=EngineOptions)
    raw: Tree = field(default_factory=dict)  # the canonical tree, for config hashes and reports
