"""Create a bundle by the flags of `run`; those that a bundle cannot have are refused."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.bundles.create import BundleOutcome
    from cntnr_compose.bundles.place import BundlePlace
    from cntnr_compose.core.events import Emit
    from cntnr_compose.model.image import Image
    from cntnr_compose.model.service import Service

SERVICE_NAME = "bundle"  # in messages
# What a bundle cannot have: whoever runs it decides on that, or it is cntnr's own.
_RUNNER = "whoever runs the bundle decides on it"
_ENGINE = "it takes a container of cntnr: use `cntnr run`"
_NETWORK = "the CNI list of the network decides on it"
REFUSED_FLAGS = {
    "name": "--bundle names a bundle",
    **dict.fromkeys(
        ("attach", "cgroup_parent", "cidfile", "interactive", "no_new_keyring", "no_pivot", "pidfile",
         "rm", "runtime", "sdnotify"),
        _RUNNER,
    ),
    **dict.fromkeys(
        ("restart", "health_cmd", "health_interval", "health_retries", "health_start_interval",
         "health_start_period", "health_timeout", "no_healthcheck", "log_driver", "log_opt",
         "stop_timeout", "link", "volumes_from", "storage_opt"),
        _ENGINE,
    ),
    **dict.fromkeys(
        ("ip", "ip6", "link_local_ip", "mac_address", "network_alias"), _NETWORK
    ),
    "group_add": "runc sets no further groups for an ordinary user",
    "mount_cgroups": "an ordinary user's runtime has no cgroup",
    "publish_all": "name each port: --publish HOST:CONTAINER",
    "expose": "it does nothing here: --publish HOST:CONTAINER publishes a port",
}  # fmt: skip
UNSET = {"sdnotify": "conmon"}  # defaults that are not empty
REFUSED_MODES = ("pid", "ipc", "network")  # where they name another container


class FlagRefused(CntnrError):
    """A flag of `run` that a bundle cannot have."""

    exit_code = 125

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"a bundle cannot have --{name.replace('_', '-')}: {why}")


def create(flags: Mapping[str, Any]) -> str:
    """Create or update a bundle; return its name, or its path where it is a folder of the user's."""
    from cntnr_compose.bundles import place as places
    from cntnr_compose.bundles.create import BundleRequest, create_bundle
    from cntnr_compose.cli.display.progress import choose_display
    from cntnr_compose.cli.flows.containers.creation.random_name import random_name
    from cntnr_compose.cli.flows.containers.flags.service import make_service

    _check_flags(flags)
    is_folder = places.is_path(flags["image"])
    place = places.locate(flags["bundle"] or (flags["image"] if is_folder else random_name()))
    if is_folder and places.locate(flags["image"]).path != place.path:
        raise FlagRefused("bundle", f"the bundle of folder {flags['image']} is that folder")
    with choose_display("auto", "auto") as display:
        service = make_service(SERVICE_NAME, flags, display.emit)
        image = None if is_folder else _prepare_image(place, service, flags, display.emit)
        outcome = create_bundle(
            BundleRequest(
                place=place,
                service=service,
                image=image,
                image_name="" if is_folder else service.image,
                publish=flags["publish"],
                update=flags["update"],
            )
        )
        display.finish()
    print_warnings(outcome)
    return str(place.path) if place.is_custom else place.name


def _prepare_image(
    place: "BundlePlace", service: "Service", flags: Mapping[str, Any], emit: "Emit"
) -> "Image":
    """Pull the image where that is due; what is refused anyway is refused before."""
    from cntnr_compose.bundles.create import BundleExists
    from cntnr_compose.cli.flows.containers.creation.images import prepare_image

    if place.config.exists() and not flags["update"]:
        raise BundleExists(place.name)
    return prepare_image(service, flags["pull"], emit, quiet=flags["quiet"])


def print_warnings(outcome: "BundleOutcome") -> None:
    """Print what has no effect in a bundle."""
    for text in outcome.warnings:
        sys.stderr.write(f"warning: {text.removeprefix(f'services.{SERVICE_NAME}.')}\n")


def _check_flags(flags: Mapping[str, Any]) -> None:
    """Raise `FlagRefused`, `PublishInvalid`."""
    from cntnr_compose.networks.hook.ports import parse_publish

    for name, why in REFUSED_FLAGS.items():
        if flags.get(name) not in (None, False, (), "", UNSET.get(name)):
            raise FlagRefused(name, why)
    for name in REFUSED_MODES:
        modes = flags[name] or ()
        for mode in (modes,) if isinstance(modes, str) else modes:
            if mode.startswith("container:") or (name == "pid" and mode == "host"):
                raise FlagRefused(name, f"{mode} is not there when others run it")
            if name == "network" and "=" in mode:
                raise FlagRefused(name, f"{mode}: name CNI lists alone; {_NETWORK}")
    parse_publish(flags["publish"])
