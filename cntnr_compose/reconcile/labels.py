"""Labels of containers, networks, volumes and images: those of docker compose, over the user's own."""

from cntnr_compose import __version__
from cntnr_compose.model.project import Network, Project, Volume
from cntnr_compose.model.service import Service

PREFIX = "com.docker.compose."
PROJECT = PREFIX + "project"
SERVICE = PREFIX + "service"
NUMBER = PREFIX + "container-number"
ONEOFF = PREFIX + "oneoff"
HASH = PREFIX + "config-hash"
IMAGE = PREFIX + "image"
DEPENDS_ON = PREFIX + "depends_on"
VERSION = PREFIX + "version"
WORKING_DIR = PREFIX + "project.working_dir"
CONFIG_FILES = PREFIX + "project.config_files"
ENVIRONMENT_FILE = PREFIX + "project.environment_file"
SLUG = PREFIX + "slug"
REPLACE = PREFIX + "replace"
HOOK = PREFIX + "hook"
NETWORK = PREFIX + "network"
VOLUME = PREFIX + "volume"


def container(
    project: Project,
    service: Service,
    *,
    number: int,
    config_hash: str,
    image_id: str,
    replaces: str = "",
) -> dict[str, str]:
    """Return the labels of a service's container."""
    labels = _service_labels(project, service, config_hash, image_id)
    labels |= {NUMBER: str(number), ONEOFF: "False"}
    if replaces:
        labels[REPLACE] = replaces
    return labels


def oneoff(
    project: Project, service: Service, *, slug: str, config_hash: str, image_id: str
) -> dict[str, str]:
    """Return the labels of a one-off container."""
    labels = _service_labels(project, service, config_hash, image_id)
    return labels | {ONEOFF: "True", SLUG: slug}


def hook(project: Project, service: Service, kind: str) -> dict[str, str]:
    """Return the labels of a container that runs a hook of a service."""
    own = {PROJECT: project.name, SERVICE: service.name, VERSION: __version__, HOOK: kind}
    return service.labels | own


def network(project: Project, network: Network, config_hash: str) -> dict[str, str]:
    """Return the labels of a network."""
    return network.labels | {
        NETWORK: network.key,
        PROJECT: project.name,
        VERSION: __version__,
        HASH: config_hash,
    }


def volume(project: Project, volume: Volume, config_hash: str) -> dict[str, str]:
    """Return the labels of a named volume."""
    return volume.labels | {
        VOLUME: volume.key,
        PROJECT: project.name,
        VERSION: __version__,
        HASH: config_hash,
    }


def built_image(project: Project, service: Service) -> dict[str, str]:
    """Return the labels of an image that is built for a service."""
    own = service.build.labels if service.build else {}
    return own | {PROJECT: project.name, SERVICE: service.name, VERSION: __version__}


def _service_labels(
    project: Project, service: Service, config_hash: str, image_id: str
) -> dict[str, str]:
    depends_on = (
        f"{name}:{dependency.condition}:{str(dependency.restart).lower()}"
        for name, dependency in service.depends_on.items()
    )
    labels = service.labels | {
        PROJECT: project.name,
        SERVICE: service.name,
        HASH: config_hash,
        IMAGE: image_id,
        DEPENDS_ON: ",".join(depends_on),
        VERSION: __version__,
        WORKING_DIR: project.working_dir,
        CONFIG_FILES: ",".join(project.files),
    }
    if project.env_files:
        labels[ENVIRONMENT_FILE] = ",".join(project.env_files)
    return labels
