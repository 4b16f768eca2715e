"""Tell what a project has from what came from another directory under the same name."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.plan import Plan
    from cntnr_compose.model.project import Project


class CameFromElsewhere(CntnrError):
    """All that is to be removed came from another directory."""

    def __init__(self, project: str, containers: dict[str, str], command: str) -> None:
        names, directories = ", ".join(containers), ", ".join(sorted(set(containers.values())))
        super().__init__(
            f'project "{project}" came from another directory, {directories}: nothing was done to {names}'
        )
        self.hint = (
            "to remove it all the same, also after a folder was moved, name it: "
            f"cntnr compose -p {project} {command}"
        )


class TakenFromElsewhere(CntnrError):
    """Containers of another directory, which still has its project, would be replaced."""

    def __init__(self, project: str, containers: dict[str, str]) -> None:
        names, directories = ", ".join(containers), ", ".join(sorted(set(containers.values())))
        super().__init__(
            f'project "{project}" came from another directory, {directories}: '
            f"{names} would be replaced; nothing was done"
        )
        self.hint = (
            "another name keeps the two apart: -p NAME or COMPOSE_PROJECT_NAME; "
            f"to replace them all the same, name the project: cntnr compose -p {project} up"
        )


def with_elsewhere(
    observed: "Observed", project: "Project | None", options: ProjectOptions
) -> "Observed":
    """Add to what was observed which of it came from another directory than the project.

    Nothing did where ``-p`` or the variable names the project, since whoever does that means all of it.
    """
    if project is None or options.names_project:
        return observed
    from cntnr_compose.core.values import replace
    from cntnr_compose.reconcile.labels import WORKING_DIR

    containers = {
        container.name: container.record.labels.get(WORKING_DIR, "")
        for container in observed.containers
    }
    volumes = {name: volume.origin for name, volume in observed.volumes.items()}
    return replace(
        observed,
        elsewhere=_select_others(containers, project.working_dir),
        volumes_elsewhere=_select_others(volumes, project.working_dir),
    )


def _select_others(directories: dict[str, str], own: str) -> dict[str, str]:
    """Select what came from another directory; where that is not known it counts as its own."""
    return {
        name: directory
        for name, directory in directories.items()
        if directory and not _is_same(directory, own)
    }


def _is_same(first: str, second: str) -> bool:
    return first == second or os.path.realpath(first) == os.path.realpath(second)


def plan_removal(
    observed: "Observed", make_plan: "Callable[[Observed], Plan]", command: str
) -> "Plan":
    """Plan a removal without what came from another directory, as `with_elsewhere` has noted.

    ``make_plan`` plans the removal of what is observed. Raises what it raises, and `CameFromElsewhere` where
    nothing else is there.
    """
    from cntnr_compose.core.values import replace
    from cntnr_compose.model.plan import RemoveContainer, RemoveVolume
    from cntnr_compose.reconcile.up import describe_spared

    plan = make_plan(observed)
    if not (observed.elsewhere or observed.volumes_elsewhere):
        return plan
    others = observed.elsewhere | observed.volumes_elsewhere
    operations = (step.operation for step in plan.steps)
    names = [one.name for one in operations if isinstance(one, RemoveContainer | RemoveVolume)]
    spared = {name: others[name] for name in names if name in others}
    if spared and len(spared) == len(names):
        raise CameFromElsewhere(observed.project, spared, command)
    plan = make_plan(_without_others(observed))
    if not spared:
        return plan
    return replace(plan, warnings=(*plan.warnings, describe_spared(spared)))


def _without_others(observed: "Observed") -> "Observed":
    """Leave out what came from another directory, and the networks and volumes that it uses."""
    from cntnr_compose.core.values import replace

    others = [one.record for one in observed.containers if one.name in observed.elsewhere]
    networks = {name for record in others for name in record.networks.values()}
    volumes = {point.source for record in others for point in record.mounts}
    volumes.update(observed.volumes_elsewhere)
    own = (one for one in observed.containers if one.name not in observed.elsewhere)
    return replace(
        observed,
        containers=tuple(own),
        networks={key: one for key, one in observed.networks.items() if key not in networks},
        volumes={key: one for key, one in observed.volumes.items() if key not in volumes},
    )


def refuse_takeover(plan: "Plan", observed: "Observed") -> None:
    """Raise `TakenFromElsewhere` where a plan replaces or removes what a directory still has.

    What came from a directory without its files was moved or given up, and is anybody's.
    """
    from pathlib import Path

    from cntnr_compose.model.plan import CreateContainer, RemoveContainer, RemoveVolume

    operations = [step.operation for step in plan.steps]
    replaced = {one.replaces for one in operations if isinstance(one, CreateContainer)}
    removed = {one.name for one in operations if isinstance(one, RemoveContainer | RemoveVolume)}
    taken = {
        container.name: observed.elsewhere[container.name]
        for container in observed.containers
        if container.name in observed.elsewhere
        and (container.record.id in replaced or container.name in removed)
        and _has_files(container.record.labels)
    }
    taken |= {
        name: directory
        for name, directory in observed.volumes_elsewhere.items()
        if name in removed and Path(directory).is_dir()
    }
    if taken:
        raise TakenFromElsewhere(observed.project, taken)


def _has_files(labels: Mapping[str, str]) -> bool:
    from cntnr_compose.reconcile.labels import CONFIG_FILES

    return any(map(os.path.exists, labels.get(CONFIG_FILES, "").split(",")))


def warn_of_takeover(
    observed: "Observed", services: Iterable[str], display: "ProgressDisplay"
) -> None:
    """Warn that `up` works on containers of a directory that has a project of the same name."""
    from cntnr_compose.core.events import WarningEvent

    directories = {
        observed.elsewhere[container.name]
        for container in observed.containers
        if container.name in observed.elsewhere and container.record.service in services
    }
    if directories:
        text = (
            f"containers of project {observed.project} came from {', '.join(sorted(directories))}; "
            "another name keeps two projects apart: -p NAME or COMPOSE_PROJECT_NAME"
        )
        display.emit(WarningEvent(text=text))
