"""A project: services, networks, volumes, configs and secrets."""

from cntnr_compose.core.errors import NoSuchService, ServiceEnvFileMissing
from cntnr_compose.core.values import Value, field, replace
from cntnr_compose.model.service import Service


class AddressPool(Value, frozen=True, kw_only=True):
    """One entry of ``ipam.config`` of a network."""

    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    aux_addresses: dict[str, str] = field(default_factory=dict)


class Network(Value, frozen=True, kw_only=True):
    """A network; ``key`` is its key in the file, ``name`` its name on the machine."""

    key: str
    name: str
    external: bool = False
    driver: str = ""
    driver_opts: dict[str, str] = field(default_factory=dict)
    internal: bool = False
    attachable: bool = False
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    ipam_driver: str = ""
    pools: tuple[AddressPool, ...] = ()


class Volume(Value, frozen=True, kw_only=True):
    """A named volume."""

    key: str
    name: str
    external: bool = False
    driver: str = ""
    driver_opts: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


class FileSource(Value, frozen=True, kw_only=True):
    """Source of a config or secret: exactly one of file, content, environment, external."""

    key: str
    name: str = ""
    file: str = ""  # absolute path
    content: str | None = None  # configs only; also the value of the variable, once resolved
    environment: str = ""  # the variable's name
    external: bool = False


class Project(Value, frozen=True, kw_only=True):
    """A project as its compose files define it, after profiles and selection."""

    name: str
    working_dir: str
    files: tuple[str, ...] = ()  # absolute; "-" for standard input
    env_files: tuple[str, ...] = ()  # of --env-file
    services: dict[str, Service] = field(default_factory=dict)
    disabled: dict[str, Service] = field(default_factory=dict)  # by profiles
    networks: dict[str, Network] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    configs: dict[str, FileSource] = field(default_factory=dict)
    secrets: dict[str, FileSource] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)  # used for interpolation
    missing_env_files: dict[str, str] = field(default_factory=dict)  # by service: the first

    def service(self, name: str) -> Service:
        """Return a service, or raise `NoSuchService`."""
        try:
            return self.services[name]
        except KeyError:
            raise NoSuchService(name, [*self.services, *self.disabled]) from None

    def select(self, names: tuple[str, ...], *, dependencies: bool = True) -> "Project":
        """Return the project with only these services and, where asked, what they depend on.

        Raises `NoSuchService`.
        """
        if not names:
            return self
        selected: set[str] = set()
        pending = [self.service(name).name for name in names]
        while pending:
            name = pending.pop()
            if name in selected:
                continue
            selected.add(name)
            if dependencies:
                required = self.services[name].depends_on
                pending.extend(one for one in required if one in self.services)
        kept = {name: one for name, one in self.services.items() if name in selected}
        return replace(self, services=kept)

    def require_env_files(self) -> None:
        """Raise `ServiceEnvFileMissing` where a service lacks an env file that it requires."""
        for name in self.services:
            if name in self.missing_env_files:
                raise ServiceEnvFileMissing(self.missing_env_files[name])

    def without_providers(self) -> "Project":
        """Return the project with only the services that have containers."""
        kept = {name: one for name, one in self.services.items() if one.provider is None}
        return self if len(kept) == len(self.services) else replace(self, services=kept)

    def container_name(self, service: Service, number: int, *, separator: str = "-") -> str:
        """Return the name of container ``number`` of a service."""
        if service.container_name:
            return service.container_name
        return separator.join((self.name, service.name, str(number)))

    def platform(self, service: Service) -> str:
        """Return the platform to pull a service's image for; "" means that of this machine."""
        return service.platform or self.environment.get("DOCKER_DEFAULT_PLATFORM", "")

    def image_name(self, service: Service) -> str:
        """Return the image name of a service as the user wrote it, or as a build names it."""
        return service.image or f"{self.name}-{service.name}"
