"""Create one container that belongs to no project, from its flags."""

import contextlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.flows import attached_run
from cntnr_compose.cli.flows.containers.creation.bundle import prepare_bundle
from cntnr_compose.cli.flows.containers.creation.files import reserve_id_file, write_id
from cntnr_compose.cli.flows.containers.creation.images import prepare_image
from cntnr_compose.cli.flows.containers.creation.networks import (
    find_namespace_owners,
    find_networks,
)
from cntnr_compose.cli.flows.containers.creation.random_name import random_name
from cntnr_compose.cli.flows.containers.flags.mounts import describe_volumes
from cntnr_compose.cli.flows.containers.flags.service import make_service
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.units import parse_exposed_ports
from cntnr_compose.core.values import replace
from cntnr_compose.host.namespaces.restrictions import check_namespaces
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Port, Service
from cntnr_compose.reconcile.one_off import OneOffPlan, StandaloneOptions, plan_standalone
from cntnr_compose.volumes.store import observe_volumes

if TYPE_CHECKING:
    from cntnr_compose.cli.project.session import ProjectSession

MAX_ATTEMPTS = 5  # to find a random name that is free


class NewContainer:
    """A container to be created: its service, and its image, which is there."""

    def __init__(self, flags: Mapping[str, Any], undo: contextlib.ExitStack, emit: Emit) -> None:
        """Read the flags, and have the image ready; ``undo`` takes back what was done.

        Raises what is wrong with the flags, `NamespacesForbidden`, and the errors of pulling.
        """
        self._flags = flags
        reserve_id_file(flags["cidfile"], undo)
        service = make_service(flags["name"] or random_name(), flags, emit)
        service = find_namespace_owners(find_networks(service))
        check_namespaces()
        image = prepare_image(service, flags["pull"], emit, quiet=flags["quiet"])
        self._bundle = prepare_bundle(service, image, flags)
        self._image_id = image.id
        self._service = _with_all_ports(service, image.config) if flags["publish_all"] else service

    def create(self, session: "ProjectSession", *, attached: bool, starts: bool) -> OneOffPlan:
        """Create the container; one without a name of its own gets another one where the first is taken."""
        flags, service = self._flags, self._service
        options = StandaloneOptions(
            id=os.urandom(32).hex(),
            image_id=self._image_id,
            platform=service.platform,
            auto_remove=flags["rm"],
            awaits_start=not starts,
            keeps_stdin=flags.get("detach", False),
            attached=attached,
            bundle=self._bundle,
            volumes=describe_volumes(flags) if flags["mount"] else (),
            existing_volumes=frozenset(observe_volumes()) if service.volumes else frozenset(),
        )
        attempts = 1 if flags["name"] else MAX_ATTEMPTS
        while True:
            plan, attempts = plan_standalone(service, options), attempts - 1
            try:
                attached_run.create_container(session, plan, rm=flags["rm"])
            except CntnrError as error:
                if error.kind != "NameTaken" or not attempts:
                    raise
                service = replace(service, name=random_name(digit=True))
            else:
                write_id(flags["cidfile"], plan.id)
                return plan


def _with_all_ports(service: Service, image: ImageConfig) -> Service:
    """Publish the ports that the image or `--expose` name, at any free ports."""
    published = {(port.target, port.protocol) for port in service.ports}
    exposed = parse_exposed_ports((*service.expose, *(image.exposed_ports or ())))
    more = (Port(target=number, protocol=protocol) for number, protocol in exposed)
    free = (port for port in more if (port.target, port.protocol) not in published)
    return replace(service, ports=(*service.ports, *free))
