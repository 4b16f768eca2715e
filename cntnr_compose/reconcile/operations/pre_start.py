"""Make the operations that run the ``pre_start`` hooks of a service, each in a container of its own."""

from collections.abc import Collection, Iterator, Sequence

from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import CreateContainer, RemoveContainer, RunPreStart
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import (
    Healthcheck,
    Hook,
    Logging,
    NetworkAttachment,
    RestartPolicy,
    Service,
)
from cntnr_compose.reconcile import labels
from cntnr_compose.reconcile.container_decisions import ContainerDecision

# `logs` and errors show the end of its output: nobody reads more of a hook that has gone wrong.
LOGGING = Logging(driver="json-file", options={"max-size": "10m"})


def hook_runs(
    project: Project, service: Service, decisions: Sequence[ContainerDecision]
) -> Iterator[RunPreStart]:
    """Yield an operation for each hook, in order, where the service is about to start for the first time.

    Once a container of it has been started, hooks run again only when all are recreated.
    """
    staying = [decision for decision in decisions if decision.action != "remove"]
    if not staying or any(_was_started(decision) for decision in staying):
        return
    for index, hook in enumerate(service.pre_start):
        name = f"{project.name}-{service.name}-pre_start-{index}"
        hook_service = _hook_service(service, hook, staying[0].name)
        yield RunPreStart(
            container=CreateContainer(
                name=name,
                service=hook_service,
                image=project.image_name(hook_service),
                config_hash="",
                number=0,
                oneoff=True,
                hook=f"pre_start[{index}]",
                labels=labels.hook(project, hook_service, "pre_start"),
                cause="pre_start",
            ),
            cause=f"{staying[0].name} starts for the first time",
        )


def leftover_removals(
    observed: Observed, service: Service, runs: Collection[RunPreStart]
) -> Iterator[RemoveContainer]:
    """Yield the removals of what hooks that failed have left, but for those that run again.

    These replace it themselves.
    """
    names = {run.name for run in runs}
    for container in observed.service_containers(service.name, oneoff=True):
        if container.record.hook and container.name not in names:
            yield RemoveContainer(name=container.name, volumes=True, cause="its hook runs no more")


def _was_started(decision: ContainerDecision) -> bool:
    """Tell whether a container goes on that has been started before."""
    is_new = decision.existing is None or decision.action == "recreate"
    return not is_new and decision.existing is not None and decision.existing.status.started > 0


def _hook_service(service: Service, hook: Hook, replica: str) -> Service:
    """Return what the container of a hook is created from: the service, but for what the hook says.

    It mounts what the replica mounts, and is on the same networks under a name of its own. The entrypoint is
    that of the image.
    """
    environment = {key: value for key, value in hook.environment.items() if value is not None}
    return replace(
        service,
        image=hook.image or service.image,
        build=None if hook.image else service.build,
        command=hook.command,
        entrypoint=None,
        environment=service.environment | environment,
        user=hook.user or service.user,
        working_dir=hook.working_dir or service.working_dir,
        privileged=hook.privileged or service.privileged,
        volumes=(),
        volumes_from=(f"container:{replica}",),
        networks={key: _attachment(one) for key, one in service.networks.items()},
        mac_address="",
        ports=(),
        container_name="",
        replicas=1,
        restart=RestartPolicy(),
        healthcheck=Healthcheck(disable=True),
        depends_on={},
        pre_start=(),
        post_start=(),
        pre_stop=(),
        tty=False,
        stdin_open=False,
        logging=LOGGING,
    )


def _attachment(attachment: NetworkAttachment) -> NetworkAttachment:
    """Leave out addresses and names of the service, which its own containers have."""
    return replace(attachment, aliases=(), ipv4_address="", ipv6_address="", mac_address="")
