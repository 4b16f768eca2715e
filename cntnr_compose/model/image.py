"""Images in the store: names, digests, configuration."""

from cntnr_compose.core.values import Seconds, Tree, Value, field

# What docker prints of a configuration even where it is not set.
EMPTY_CONFIG: Tree = {
    "Cmd": None,
    "Entrypoint": None,
    "Env": None,
    "Labels": None,
    "OnBuild": None,
    "User": "",
    "Volumes": None,
    "WorkingDir": "",
}


class ImageHealthcheck(Value, frozen=True, kw_only=True, rename="pascal"):
    """``Healthcheck`` of an image configuration; durations in nanoseconds, 0 where not set."""

    test: tuple[str, ...] = ()
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class ImageConfig(Value, frozen=True, kw_only=True):
    """``config`` of an OCI image, with docker's Healthcheck, Shell and OnBuild."""

    user: str = field(default="", name="User")
    env: tuple[str, ...] = field(default=(), name="Env")
    entrypoint: tuple[str, ...] | None = field(default=None, name="Entrypoint")
    cmd: tuple[str, ...] | None = field(default=None, name="Cmd")
    working_dir: str = field(default="", name="WorkingDir")
    volumes: dict[str, dict[str, str]] | None = field(default=None, name="Volumes")
    exposed_ports: dict[str, dict[str, str]] | None = field(default=None, name="ExposedPorts")
    labels: dict[str, str] | None = field(default=None, name="Labels")
    stop_signal: str = field(default="", name="StopSignal")
    healthcheck: ImageHealthcheck | None = field(default=None, name="Healthcheck")
    shell: tuple[str, ...] | None = field(default=None, name="Shell")
    on_build: tuple[str, ...] | None = field(default=None, name="OnBuild")


class Image(Value, frozen=True, kw_only=True):
    """An image in the store."""

    id: str  # config digest, sha256:…, as docker shows it
    ref: str  # full name, docker.io/library/redis:7
    manifest: str  # manifest digest
    digest: str = ""  # by which the registry knows what was pulled: that of an index or a manifest
    size: int = 0  # bytes of layers and configuration, compressed
    created: str = ""  # RFC 3339
    tagged: Seconds = 0  # when it was given this name on this machine
    architecture: str = ""
    os: str = "linux"
    config: ImageConfig = field(default_factory=ImageConfig)
    store: str = ""  # folder of the additional store that it lies in; empty for the user's own
