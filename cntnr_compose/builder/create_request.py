"""Turn a `build:` into a build request: find and read its files, refuse what is not supported."""

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from cntnr_compose.builder.cache.options import read_cache_options
from cntnr_compose.builder.dockerfile import dockerignore
from cntnr_compose.builder.dockerfile.run import NETWORK_MODES
from cntnr_compose.builder.request import BuildOptions, BuildRequest, BuildSecret
from cntnr_compose.builder.sources.contexts import MAX_DOCKERFILE, BuildContext, open_context
from cntnr_compose.builder.sources.ssh_sources import CannotBuild, find_ssh_sources
from cntnr_compose.core.docker_config import read_proxies
from cntnr_compose.core.user_config import read_user_config
from cntnr_compose.core.values import Value, field
from cntnr_compose.host import network
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.host.namespaces import subids
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model import image_name
from cntnr_compose.model.project import FileSource
from cntnr_compose.model.service import Build

IMAGE_PREFIX = "docker-image://"
SERVICE_PREFIX = "service:"
LAYOUT_PREFIX = "oci-layout://"
HOST_GATEWAY = "host-gateway"
EPOCH = "SOURCE_DATE_EPOCH"
INLINE_NAME = "dockerfile_inline"


class BuildDefinition(Value, frozen=True, kw_only=True):
    """A build as a service or a command line asks for it, and what its words refer to."""

    name: str  # for messages
    build: Build
    names: tuple[str, ...] = ()  # of the image
    working_dir: str = "."
    environment: dict[str, str] = field(default_factory=dict)  # of ARGs and secrets without a value
    secrets: dict[str, FileSource] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    service_images: dict[str, str] = field(default_factory=dict)  # for `service:` contexts
    platform: str = ""  # where `build` names none
    proot: bool | None = None  # whether RUN is under PRoot; None: as the user's settings say


def create_request(definition: BuildDefinition, options: BuildOptions) -> BuildRequest:
    """Read what a build needs, except images. Raises `CannotBuild`."""
    build = definition.build
    context = open_context(
        definition.name, build.context, definition.working_dir, "the build context"
    )
    file, text, ignore = _read_dockerfile(definition.name, build, context)
    _check_supported(definition)
    args = merge_args(build, definition.environment, options.args)
    args = {**_client_args(), **args}
    ssh = find_ssh_sources(definition.working_dir, definition.name, build.ssh, options.ssh)
    caches = read_cache_options(
        definition.name, build.cache_from, build.cache_to, definition.working_dir
    )
    return BuildRequest(
        service=definition.name,
        title=definition.names[0] if definition.names else definition.name,
        names=tuple(image_name.normalize(name) for name in (*definition.names, *build.tags)),
        context=str(context.folder),
        file=file,
        text=text,
        ignore=ignore,
        target=build.target,
        platform=host_platform(),
        args=args,
        labels=definition.labels,
        contexts=_additional_contexts(definition),
        context_images=_context_images(definition),
        secrets=tuple(_secrets(definition)),
        ssh=tuple(ssh),
        network=build.network or "default",
        extra_hosts=_extra_hosts(build),
        shm_size=build.shm_size,
        memory=options.memory,
        ulimits=build.ulimits,
        privileged=build.privileged,
        proot=_uses_proot(definition),
        entitlements=build.entitlements,
        no_cache=build.no_cache or options.no_cache,
        no_cache_stages=tuple(
            name.lower() for name in (*build.no_cache_filter, *options.no_cache_stages)
        ),
        pull=build.pull or options.pull,
        cache_from=caches.sources,
        cache_to=caches.targets,
        has_inline_cache=caches.has_inline,
        notes=caches.notes,
        epoch=_parse_epoch(definition.name, args.get(EPOCH, "")),
    )


def _uses_proot(definition: BuildDefinition) -> bool:
    if definition.proot is not None:
        return definition.proot
    return read_user_config().proot.enabled and bool(subids.explain_one_id())


def _client_args() -> dict[str, str]:
    """Return the arguments that docker's client adds: its proxies, and SOURCE_DATE_EPOCH."""
    epoch = {EPOCH: os.environ[EPOCH]} if EPOCH in os.environ else {}
    return {**read_proxies(), **epoch}


def _parse_epoch(name: str, text: str) -> int | None:
    """Read SOURCE_DATE_EPOCH; empty means that there is none. Raises `CannotBuild`."""
    if not text:
        return None
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII):
        why = f'invalid {EPOCH}: "{text}"'
        raise CannotBuild(name, why, "a time in seconds since 1970")
    return int(text)


def _to_utf8(value: str) -> str:
    """Convert a value of an environment variable, which need not be UTF-8."""
    return value.encode(errors="surrogateescape").decode(errors="replace")


def merge_args(
    build: Build, environment: Mapping[str, str], args: Mapping[str, str]
) -> dict[str, str]:
    """Merge the arguments of the file and of the command line; the environment completes the former."""
    values: dict[str, str | None] = {
        name: environment.get(name) if value is None else value
        for name, value in build.args.items()
    }
    values.update(args)
    return {name: _to_utf8(value) for name, value in values.items() if value is not None}


def _extra_hosts(build: Build) -> dict[str, tuple[str, ...]]:
    """Replace ``host-gateway`` by the host's address."""
    return {
        name: tuple(
            network.host_address() if address == HOST_GATEWAY else address for address in addresses
        )
        for name, addresses in build.extra_hosts.items()
    }


def context_services(build: Build | None) -> tuple[str, ...]:
    """List the services that the named contexts of a build refer to."""
    contexts = build.additional_contexts.values() if build else ()
    return tuple(
        context.removeprefix(SERVICE_PREFIX)
        for context in contexts
        if context.startswith(SERVICE_PREFIX)
    )


def _context_images(definition: BuildDefinition) -> dict[str, str]:
    """Return the named contexts that are images: name to reference."""
    images = {}
    for name, word in definition.build.additional_contexts.items():
        if word.startswith(IMAGE_PREFIX):
            images[name] = word.removeprefix(IMAGE_PREFIX)
        elif word.startswith(LAYOUT_PREFIX):
            path = Path(definition.working_dir) / word.removeprefix(LAYOUT_PREFIX)
            if "@" in path.name:
                why = f"the additional context {name}: an image of a layout is named by its tag"
                raise CannotBuild(definition.name, why)
            images[name] = f"oci:{path}"
        elif word.startswith(SERVICE_PREFIX):
            service = word.removeprefix(SERVICE_PREFIX)
            if service not in definition.service_images:
                why = f"the additional context {name} names the unknown service {service}"
                raise CannotBuild(definition.name, why)
            images[name] = definition.service_images[service]
    return images


def _read_dockerfile(
    service: str, build: Build, context: BuildContext
) -> tuple[str, str, tuple[str, ...]]:
    """Return the Dockerfile's name, its text, and the patterns of its .dockerignore."""
    if not context.is_own:
        return _read_from_tree(service, build, context)
    ignored = read_dockerignore(build, context.folder)
    if build.dockerfile_inline:
        return INLINE_NAME, build.dockerfile_inline, ignored
    word = build.dockerfile or "Dockerfile"
    path = context.folder / word
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise CannotBuild(service, f"failed to read dockerfile: {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CannotBuild(service, f"failed to read dockerfile: {path}: {error}") from error
    return word, text, ignored


def _read_from_tree(
    service: str, build: Build, context: BuildContext
) -> tuple[str, str, tuple[str, ...]]:
    """Read the same from a context that somebody else made: through no link that leads out of it."""
    word = build.dockerfile or "Dockerfile"
    with Root(context.folder) as root:
        names = (f"{word}.dockerignore",) if not build.dockerfile_inline else ()
        ignored: tuple[str, ...] = ()
        for name in (*names, ".dockerignore"):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                content = root.read(name, MAX_DOCKERFILE)
                ignored = dockerignore.parse_dockerignore(content.decode(errors="replace"))
                break
        if build.dockerfile_inline:
            return INLINE_NAME, build.dockerfile_inline, ignored
        if context.dockerfile is not None:
            return word, context.dockerfile, ignored
        try:
            return word, root.read(word, MAX_DOCKERFILE).decode(), ignored
        except (FileNotFoundError, NotADirectoryError):
            why = f"failed to read dockerfile: {word} does not exist in {build.context}"
            raise CannotBuild(service, why) from None
        except (OSError, UnicodeDecodeError) as error:
            raise CannotBuild(service, f"failed to read dockerfile: {word}: {error}") from error


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


def _check_supported(definition: BuildDefinition) -> None:
    """Refuse other platforms than this machine's, and unknown networks."""
    own, build = host_platform(), definition.build
    for platform in build.platforms or ((definition.platform,) if definition.platform else ()):
        if platform.rpartition("/v")[0] != own and platform != own:
            raise CannotBuild(
                definition.name, f"cannot build for {platform}: this machine is {own}",
                "build images for other platforms on such a machine",
            )  # fmt: skip
    if build.network and build.network not in NETWORK_MODES:
        raise CannotBuild(
            definition.name, f'unsupported network "{build.network}"', "none, host or default"
        )


def _additional_contexts(definition: BuildDefinition) -> dict[str, str]:
    """Return the named contexts that are folders, or become some."""
    folders = {}
    for name, word in definition.build.additional_contexts.items():
        if not word.startswith((IMAGE_PREFIX, SERVICE_PREFIX, LAYOUT_PREFIX)):
            label = f"the additional context {name}:"
            context = open_context(definition.name, word, definition.working_dir, label)
            if context.dockerfile is not None:
                why = f"{label} {word} is no archive"
                raise CannotBuild(definition.name, why)
            folders[name] = str(context.folder)
    return folders


def _secrets(definition: BuildDefinition) -> Iterable[BuildSecret]:
    """Find the secrets of a build."""
    for mount in definition.build.secrets:
        source = definition.secrets.get(mount.source)
        if source is None:
            raise CannotBuild(definition.name, f"undefined secret {mount.source}")
        content = source.content
        if source.environment and content is None:
            content = definition.environment.get(
                source.environment, os.environ.get(source.environment)
            )
        if not source.file and content is None:
            why = f"the secret {mount.source} has neither file nor value"
            raise CannotBuild(definition.name, why)
        yield BuildSecret(
            id=mount.target or mount.source,
            file=source.file,
            content=content,
            uid=mount.uid,
            gid=mount.gid,
            mode=mount.mode,
        )
