"""Tell a project's containers from those that came from another directory under the same name."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.plan import Plan
    from cntnr_compose.model.project import Project
    from cntnr_compose.reconcile.teardown import DownOptions


class CameFromElsewhere(CntnrError):
    """All that is to be taken down came from another directory."""

    def __init__(self, project: str, containers: dict[str, str]) -> None:
        names, directories = ", ".join(containers), ", ".join(sorted(set(containers.values())))
        super().__init__(
            f'project "{project}" came from another directory, {directories}: nothing was done to {names}'
        )
        self.hint = (
            "to take it down all the same, also after a folder was moved, name it: "
            f"cntnr compose -p {project} down"
        )


def with_elsewhere(
    observed: "Observed", project: "Project | None", options: ProjectOptions
) -> "Observed":
    """Add to what was observed which containers came from another directory than the project.

    None did where ``-p`` or the variable names the project, since whoever does that means all of it.
    """
    if project is None or options.names_project:
        return observed
    from cntnr_compose.core.values import replace
    from cntnr_compose.reconcile.labels import WORKING_DIR

    directories = {
        container.name: container.record.labels.get(WORKING_DIR, "")
        for container in observed.containers
    }
    elsewhere = {
        name: directory
        for name, directory in directories.items()
        if directory and not _is_same(directory, project.working_dir)
    }
    return replace(observed, elsewhere=elsewhere)


def _is_same(first: str, second: str) -> bool:
    return first == second or os.path.realpath(first) == os.path.realpath(second)


def plan_own_down(
    project: "Project | None", observed: "Observed", options: "DownOptions"
) -> "Plan":
    """Plan `down` without what came from another directory, as `with_elsewhere` has noted.

    Raises `CameFromElsewhere` where nothing else is there, and `NoSuchService`.
    """
    from cntnr_compose.core.values import replace
    from cntnr_compose.model.plan import RemoveContainer
    from cntnr_compose.reconcile.teardown import plan_down
    from cntnr_compose.reconcile.up import describe_spared

    elsewhere = observed.elsewhere
    plan = plan_down(project, observed, options)
    if not elsewhere:
        return plan
    removals = (step.operation for step in plan.steps)
    names = [one.name for one in removals if isinstance(one, RemoveContainer)]
    spared = {name: elsewhere[name] for name in names if name in elsewhere}
    if spared and len(spared) == len(names):
        raise CameFromElsewhere(observed.project, spared)
    plan = plan_down(project, _without(observed, elsewhere), options)
    if not spared:
        return plan
    return replace(plan, warnings=(*plan.warnings, describe_spared(spared)))


def _without(observed: "Observed", names: Iterable[str]) -> "Observed":
    """Leave out containers, and the networks and volumes that they use."""
    from cntnr_compose.core.values import replace

    others = [one.record for one in observed.containers if one.name in names]
    networks = {name for record in others for name in record.networks.values()}
    volumes = {
        mount.source for record in others for mount in record.mounts if mount.type == "volume"
    }
    return replace(
        observed,
        containers=tuple(one for one in observed.containers if one.name not in names),
        networks={key: one for key, one in observed.networks.items() if key not in networks},
        volumes={key: one for key, one in observed.volumes.items() if key not in volumes},
    )


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
