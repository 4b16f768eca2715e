"""Compute the model that transformations get: with ports of images, and contents of secrets and configs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import WarningEvent

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.core.events import Emit
    from cntnr_compose.core.values import Tree
    from cntnr_compose.model.image import Image
    from cntnr_compose.model.project import Project

MAX_CONTENT_SIZE = 1 << 20  # of a file; Kubernetes takes no larger ones
NOT_BUILT = (
    "image {} for service {} not found locally; ports that its Dockerfile exposes will not be included: "
    "run `cntnr compose build` first to include them"
)


class ContentUnusable(CntnrError):
    """The file of a secret or config cannot be part of the model."""

    hint = "it has to be a file of UTF-8 text, of at most 1 MiB"

    def __init__(self, kind: str, name: str, path: str, why: str) -> None:
        super().__init__(f'cannot convert {kind} "{name}": {path}: {why}')


def build_model(options: "ProjectOptions", loaded: "LoadedProject", emit: "Emit") -> "Tree":
    """Return the tree of a project for transformations; pull images that are missing.

    Raises `ContentUnusable`, and what pulling raises.
    """
    project = loaded.project
    images = _service_images(options, project, emit)
    tree = dict(loaded.tree)
    tree["services"] = {
        name: _with_image(service, project.image_name(project.service(name)), images.get(name))
        for name, service in (loaded.tree.get("services") or {}).items()
    }
    for section, kind in (("secrets", "secret"), ("configs", "config")):
        if tree.get(section):
            tree[section] = {
                name: _with_content(kind, name, definition, project)
                for name, definition in tree[section].items()
            }
    return tree


def _service_images(
    options: "ProjectOptions", project: "Project", emit: "Emit"
) -> "dict[str, Image]":
    """Find the images of services, and pull those that are missing; tell which are not built."""
    from cntnr_compose.images.store import ImageStore

    store, images, missing = ImageStore(), {}, {}
    for service in project.services.values():
        name = project.image_name(service)
        image = None if service.provider else store.find(name)
        if image is not None:
            images[service.name] = image
        elif service.provider is None and not service.image:
            emit(WarningEvent(text=NOT_BUILT.format(name, service.name)))
        elif service.provider is None:
            missing[service.name] = (name, project.platform(service))
    pull_missing(options, set(missing.values()), emit)
    pulled = {service: store.find(name) for service, (name, _) in missing.items()}
    return images | {service: image for service, image in pulled.items() if image is not None}


def pull_missing(options: "ProjectOptions", images: set[tuple[str, str]], emit: "Emit") -> None:
    """Pull images, by name and platform. Raises what pulling raises; a dry run asks for them only."""
    from cntnr_compose.builder.ensure_images import RequiredImage, pull_images

    if images:
        pull_images(
            [RequiredImage(name=name, platform=platform) for name, platform in sorted(images)],
            dry_run=options.dry_run,
            parallel=options.limit,
            emit=emit,
        )


def _with_image(service: "Tree", name: str, image: "Image | None") -> "Tree":
    """Name a service's image, and list the ports that it listens on, as docker compose does."""
    from cntnr_compose.compose.decode.keys import SERVICE_DECODERS

    ports = [*(service.get("expose") or ())]
    if image is not None:
        ports += [port.partition("/")[0] for port in image.config.exposed_ports or ()]
    ports += [str(port["target"]) for port in service.get("ports") or ()]
    changed = service | {"expose": list(dict.fromkeys(ports))}
    if not service.get("provider"):
        changed["image"] = name
    if not ports:
        del changed["expose"]
    return {key: changed[key] for key in SERVICE_DECODERS if key in changed} | changed


def _with_content(kind: str, name: str, definition: Any, project: "Project") -> Any:
    """Add the content of a secret or config, from its file or variable."""
    if definition.get("external"):
        return definition
    if variable := definition.get("environment"):
        return definition | {"content": project.environment.get(variable, "")}
    if path := definition.get("file"):
        return definition | {"content": _read_text(kind, name, path)}
    return definition


def _read_text(kind: str, name: str, path: str) -> str:
    from cntnr_compose.host.openat2 import Root

    try:
        with Root(Path("/")) as host:
            return host.read(path, MAX_CONTENT_SIZE).decode()
    except OSError as error:
        raise ContentUnusable(kind, name, path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ContentUnusable(kind, name, path, "it is not text") from error
