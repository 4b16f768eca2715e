"""Plan `cntnr run` and `cntnr create`: a container that belongs to no compose project."""

from collections.abc import Iterable

from cntnr_compose.core.values import Value, field
from cntnr_compose.model.plan import (
    CreateContainer,
    CreateVolume,
    PrepareContainer,
    RemoveContainer,
    StartContainer,
)
from cntnr_compose.model.project import Volume
from cntnr_compose.model.service import Mount, Service
from cntnr_compose.reconcile.one_off import OneOffPlan, named_volumes, single_step
from cntnr_compose.reconcile.plan_builder import PlanBuilder


class StandaloneOptions(Value, frozen=True, kw_only=True):
    """What of a container is not its service's."""

    id: str  # 64 hexadecimal digits
    image_id: str
    platform: str = ""
    auto_remove: bool = False
    keeps_stdin: bool = False
    attached: bool = False  # somebody attaches before the start
    volumes: tuple[Volume, ...] = ()  # those that a flag describes
    existing_volumes: frozenset[str] = field(default_factory=frozenset)


def plan_standalone(service: Service, options: StandaloneOptions) -> OneOffPlan:
    """Plan a container of a service, under the service's name."""
    builder = PlanBuilder()
    volumes = [
        builder.add(CreateVolume(volume=volume, config_hash="", labels=volume.labels))
        for volume in _missing_volumes(service.volumes, options)
    ]
    operation = CreateContainer(
        name=service.name,
        service=service,
        image=service.image,
        image_id=options.image_id,
        id=options.id,
        config_hash="",
        platform=options.platform,
        oneoff=True,
        auto_remove=options.auto_remove,
        keeps_stdin=options.keeps_stdin,
        labels=service.labels,
        cause="run",
    )
    created = builder.add(operation, volumes)
    if options.attached:
        builder.add(PrepareContainer(name=service.name), {created})
    return OneOffPlan(
        name=service.name,
        id=options.id,
        service=service,
        before=builder.build(),
        start=single_step(StartContainer(name=service.name)),
        removal=single_step(RemoveContainer(name=options.id, volumes=True)),
    )


def _missing_volumes(mounts: Iterable[Mount], options: StandaloneOptions) -> list[Volume]:
    described = {volume.name: volume for volume in options.volumes}
    return [
        described.get(name) or Volume(key=name, name=name, external=True)
        for name in named_volumes(mounts, options.existing_volumes)
    ]
