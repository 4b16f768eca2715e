"""A service's `build:` to a request: files are found and read, what cannot be is refused."""

import os
from collections.abc import Iterable
from pathlib import Path

from cntnr_compose.builder.dockerfile import dockerignore
from cntnr_compose.builder.dockerfile.run import NETWORK_MODES
from cntnr_compose.builder.walker import BuildRequest, BuildSecret
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.transports import REMOTE_PREFIXES
from cntnr_compose.host import network
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.model import image_name
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Build, Service
from cntnr_compose.reconcile import labels

IMAGE_PREFIX = "docker-image://"
SERVICE_PREFIX = "service:"
HOST_GATEWAY = "host-gateway"
INLINE_NAME = "dockerfile_inline"


class CannotBuild(CntnrError):
    """A build asks for what is not there, or for what cntnr cannot do."""

    def __init__(self, service: str, why: str, hint: str = "") -> None:
        super().__init__(f"cannot build {service}: {why}")
        self.hint = hint


def create_request(project: Project, service: Service, args: dict[str, str]) -> BuildRequest:
    """Read what a build needs, images apart. Raises `CannotBuild`."""
    build = service.build
    assert build is not None
    context = _context_folder(project, service.name, build.context)
    file, text, ignore = _read_dockerfile(service.name, build, context)
    _check_supported(service, build)
    given = {
        name: project.environment.get(name) if value is None else value
        for name, value in build.args.items()
    }
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
        args={name: _to_utf8(value) for name, value in given.items() if value is not None}
        | {name: _to_utf8(value) for name, value in args.items()},
        labels=labels.built_image(project, service),
        contexts=_additional_contexts(project, service.name, build),
        secrets=tuple(_secrets(project, service.name, build)),
        network=build.network or "default",
        extra_hosts=_extra_hosts(build),
        shm_size=build.shm_size,
        ulimits=build.ulimits,
        privileged=build.privileged,
        no_cache=build.no_cache,
    )


def _to_utf8(value: str) -> str:
    """Make a text of a variable that need not be UTF-8."""
    return value.encode(errors="surrogateescape").decode(errors="replace")


def _extra_hosts(build: Build) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(network.host_address() if one == HOST_GATEWAY else one for one in addresses)
        for name, addresses in build.extra_hosts.items()
    }


def context_services(service: Service) -> tuple[str, ...]:
    """Name the services whose images a build takes files from."""
    given = service.build.additional_contexts.values() if service.build else ()
    return tuple(
        one.removeprefix(SERVICE_PREFIX) for one in given if one.startswith(SERVICE_PREFIX)
    )


def context_images(service: Service) -> dict[str, str]:
    """Give the named contexts that are images: name to reference."""
    given = service.build.additional_contexts if service.build else {}
    return {
        name: one.removeprefix(IMAGE_PREFIX)
        for name, one in given.items()
        if one.startswith(IMAGE_PREFIX)
    }


def _context_folder(project: Project, service: str, word: str) -> Path:
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
    """Give the Dockerfile's name, its text, and what is to be ignored."""
    if build.dockerfile_inline:
        return (
            INLINE_NAME,
            build.dockerfile_inline,
            _read_ignore_patterns(context / ".dockerignore"),
        )
    word = build.dockerfile or "Dockerfile"
    path = context / word
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise CannotBuild(service, f"failed to read dockerfile: {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CannotBuild(service, f"failed to read dockerfile: {path}: {error}") from error
    own = path.with_name(f"{path.name}.dockerignore")
    return word, text, _read_ignore_patterns(own if own.is_file() else context / ".dockerignore")


def _read_ignore_patterns(path: Path) -> tuple[str, ...]:
    try:
        return dockerignore.parse_dockerignore(path.read_text(errors="replace"))
    except (FileNotFoundError, NotADirectoryError):
        return ()


def _check_supported(service: Service, build: Build) -> None:
    own = host_platform()
    wanted = build.platforms or ((service.platform,) if service.platform else ())
    for platform in wanted:
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
    found = {}
    for name, word in build.additional_contexts.items():
        if word.startswith((IMAGE_PREFIX, SERVICE_PREFIX)):
            continue
        if "://" in word or word.startswith(REMOTE_PREFIXES):
            raise CannotBuild(service, f"the additional context {name} ({word}) is not supported")
        path = Path(project.working_dir) / Path(word).expanduser()
        if not path.is_dir():
            raise CannotBuild(service, f"the additional context {name}: {path} is not a folder")
        found[name] = str(path.resolve())
    return found


def _secrets(project: Project, service: str, build: Build) -> Iterable[BuildSecret]:
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
