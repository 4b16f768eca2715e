"""Turn `build:` of a service into a build request: find and read its files, refuse what is not supported."""

import os
from collections.abc import Iterable
from pathlib import Path

from cntnr_compose.builder.dockerfile import dockerignore
from cntnr_compose.builder.dockerfile.parser import parse_dockerfile
from cntnr_compose.builder.dockerfile.run import NETWORK_MODES
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, split_stages
from cntnr_compose.builder.ssh_sources import CannotBuild, SshSource, find_ssh_sources
from cntnr_compose.core.transports import REMOTE_PREFIXES
from cntnr_compose.core.values import Bytes, Value, field
from cntnr_compose.host import network
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Build, Service, Ulimit
from cntnr_compose.reconcile import labels

IMAGE_PREFIX = "docker-image://"
SERVICE_PREFIX = "service:"
HOST_GATEWAY = "host-gateway"
INLINE_NAME = "dockerfile_inline"


class BuildSecret(Value, frozen=True, kw_only=True):
    """A secret that RUN may mount: a file, or a text."""

    id: str
    file: str = ""
    content: str | None = None
    uid: str = ""
    gid: str = ""
    mode: int | None = None


class BuildOptions(Value, frozen=True, kw_only=True):
    """Options of one build beside those in the file, over which they win."""

    args: dict[str, str] = field(default_factory=dict)
    no_cache: bool = False
    pull: bool = False
    ssh: tuple[str, ...] = ()
    memory: Bytes = 0  # of the programs of RUN; 0: without limit


class BuildRequest(Value, frozen=True, kw_only=True):
    """Everything that one build depends on."""

    service: str
    names: tuple[str, ...]  # full image names; the first is the service's image
    context: str
    file: str  # the Dockerfile's name for messages
    text: str
    ignore: tuple[str, ...] = ()
    target: str = ""
    platform: str = "linux/amd64"
    args: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)  # by the word in the Dockerfile
    contexts: dict[str, str] = field(default_factory=dict)  # name: folder
    downloads: dict[str, str] = field(default_factory=dict)  # URL: file
    secrets: tuple[BuildSecret, ...] = ()
    ssh: tuple[SshSource, ...] = ()
    network: str = "default"
    extra_hosts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shm_size: Bytes = 0
    memory: Bytes = 0
    ulimits: dict[str, Ulimit] = field(default_factory=dict)
    privileged: bool = False
    no_cache: bool = False


class BuildJob(Value, frozen=True, kw_only=True):
    """What a worker builds; its requests do not depend on each other."""

    requests: tuple[BuildRequest, ...]
    payload: int  # process id of the holder's payload, as seen in the namespaces


def create_request(project: Project, service: Service, options: BuildOptions) -> BuildRequest:
    """Read what a build needs, except images. Raises `CannotBuild`."""
    build = service.build
    assert build is not None
    context = _context_folder(project, service.name, build.context)
    file, text, ignore = _read_dockerfile(service.name, build, context)
    _check_supported(service, build)
    names = (project.image_name(service), *build.tags)
    return BuildRequest(
        service=service.name,
        names=tuple(image_name.normalize(name) for name in names),
        context=str(context),
        file=file,
        text=text,
        ignore=ignore,
        target=build.target,
        platform=host_platform(),
        args=merge_args(project, build, options.args),
        labels=labels.built_image(project, service),
        contexts=_additional_contexts(project, service.name, build),
        secrets=tuple(_secrets(project, service.name, build)),
        ssh=tuple(find_ssh_sources(project.working_dir, service.name, build.ssh, options.ssh)),
        network=build.network or "default",
        extra_hosts=_extra_hosts(build),
        shm_size=build.shm_size,
        memory=options.memory,
        ulimits=build.ulimits,
        privileged=build.privileged,
        no_cache=build.no_cache or options.no_cache,
    )


def parse_stages(request: BuildRequest) -> DockerfileScope:
    """Parse the Dockerfile of a build. Raises `DockerfileInvalid`."""
    return split_stages(
        parse_dockerfile(request.text, request.file),
        args=request.args,
        platform=request.platform,
        contexts=tuple(request.contexts),
    )


def _to_utf8(value: str) -> str:
    """Convert a value of an environment variable, which need not be UTF-8."""
    return value.encode(errors="surrogateescape").decode(errors="replace")


def merge_args(project: Project, build: Build, args: dict[str, str]) -> dict[str, str]:
    """Merge the arguments of the file and of the command line; the environment completes the former."""
    values = {
        name: project.environment.get(name) if value is None else value
        for name, value in build.args.items()
    }
    return {name: _to_utf8(value) for name, value in (values | args).items() if value is not None}


def _extra_hosts(build: Build) -> dict[str, tuple[str, ...]]:
    """Replace ``host-gateway`` by the host's address."""
    return {
        name: tuple(
            network.host_address() if address == HOST_GATEWAY else address for address in addresses
        )
        for name, addresses in build.extra_hosts.items()
    }


def context_services(service: Service) -> tuple[str, ...]:
    """List the services that the named contexts of a build refer to."""
    contexts = service.build.additional_contexts.values() if service.build else ()
    return tuple(
        context.removeprefix(SERVICE_PREFIX)
        for context in contexts
        if context.startswith(SERVICE_PREFIX)
    )


def context_images(service: Service) -> dict[str, str]:
    """Return the named contexts that are images: name to reference."""
    contexts = service.build.additional_contexts if service.build else {}
    return {
        name: context.removeprefix(IMAGE_PREFIX)
        for name, context in contexts.items()
        if context.startswith(IMAGE_PREFIX)
    }


def _context_folder(project: Project, service: str, word: str) -> Path:
    """Find the folder of the build context."""
    if word.startswith(REMOTE_PREFIXES):
        raise CannotBuild(
            service,
            f"the context {word} is not on this machine",
            "clone or download it, and name the folder",
        )
    path = Path(project.working_dir) / Path(word).expanduser()
    if not path.is_dir():
        why = "is not a folder" if path.exists() else "does not exist"
        raise CannotBuild(service, f"the build context {path} {why}")
    return path.resolve()


def _read_dockerfile(service: str, build: Build, context: Path) -> tuple[str, str, tuple[str, ...]]:
    """Return the Dockerfile's name, its text, and the patterns of its .dockerignore."""
    ignored = read_dockerignore(build, context)
    if build.dockerfile_inline:
        return INLINE_NAME, build.dockerfile_inline, ignored
    word = build.dockerfile or "Dockerfile"
    path = context / word
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise CannotBuild(service, f"failed to read dockerfile: {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CannotBuild(service, f"failed to read dockerfile: {path}: {error}") from error
    return word, text, ignored


def read_dockerignore(build: Build, context: Path) -> tuple[str, ...]:
    """Read the patterns of the .dockerignore of a Dockerfile, or of the build context."""
    dockerfile = context / (build.dockerfile or "Dockerfile")
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    has_own = own.is_file() and not build.dockerfile_inline
    return _read_ignore_patterns(own if has_own else context / ".dockerignore")


def _read_ignore_patterns(path: Path) -> tuple[str, ...]:
    try:
        return dockerignore.parse_dockerignore(path.read_text(errors="replace"))
    except (FileNotFoundError, NotADirectoryError):
        return ()


def _check_supported(service: Service, build: Build) -> None:
    """Refuse other platforms than this machine's, and unknown networks."""
    own = host_platform()
    platforms = build.platforms or ((service.platform,) if service.platform else ())
    for platform in platforms:
        if platform.rpartition("/v")[0] != own and platform != own:
            raise CannotBuild(
                service.name, f"cannot build for {platform}: this machine is {own}",
                "build images for other platforms on such a machine",
            )  # fmt: skip
    if build.network and build.network not in NETWORK_MODES:
        raise CannotBuild(
            service.name, f'unsupported network "{build.network}"', "none, host or default"
        )


def _additional_contexts(project: Project, service: str, build: Build) -> dict[str, str]:
    """Return the named contexts that are folders."""
    folders = {}
    for name, word in build.additional_contexts.items():
        if word.startswith((IMAGE_PREFIX, SERVICE_PREFIX)):
            continue
        if "://" in word or word.startswith(REMOTE_PREFIXES):
            raise CannotBuild(service, f"the additional context {name} ({word}) is not supported")
        path = Path(project.working_dir) / Path(word).expanduser()
        if not path.is_dir():
            raise CannotBuild(service, f"the additional context {name}: {path} is not a folder")
        folders[name] = str(path.resolve())
    return folders


def _secrets(project: Project, service: str, build: Build) -> Iterable[BuildSecret]:
    """Find the secrets of a build."""
    for mount in build.secrets:
        source = project.secrets.get(mount.source)
        if source is None:
            raise CannotBuild(service, f"undefined secret {mount.source}")
        content = source.content
        if source.environment and content is None:
            content = project.environment.get(
                source.environment, os.environ.get(source.environment)
            )
        if not source.file and content is None:
            raise CannotBuild(service, f"the secret {mount.source} has neither file nor value")
        yield BuildSecret(
            id=mount.target or mount.source,
            file=source.file,
            content=content,
            uid=mount.uid,
            gid=mount.gid,
            mode=mount.mode,
        )
