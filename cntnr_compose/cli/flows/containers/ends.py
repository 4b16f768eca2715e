"""Wait until containers end."""

import contextlib
from collections.abc import Sequence

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.flows.resource_lists import print_error
from cntnr_compose.cli.project.any_container import find_containers
from cntnr_compose.client import client as clients
from cntnr_compose.client import observe
from cntnr_compose.client.follow import ProjectStream
from cntnr_compose.core.errors import CntnrError, NoSuchContainer
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.model.observed import Container


def wait_for_ends(references: Sequence[str]) -> int:
    """Wait for the end of containers, print the exit code of each; errors follow. Return the exit code."""
    named, errors = find_containers(references)
    for each in named:
        try:
            stdout.print_line(str(wait_for_end(each.container)))
            stdout.flush()
        except CntnrError as error:
            errors.append(error)
    for failure in errors:
        print_error(str(failure), failure.hint)
    return 1 if errors else 0


def wait_for_end(container: Container) -> int:
    """Wait until a container does not run, and return its exit code; that of its next end where it restarts.

    Raises `NoSuchContainer` where it is removed without having run.
    """
    project, identity = container.record.project, container.record.id
    if not container.is_running:
        return container.status.exit_code
    client = clients.connect(project, start=False)
    with contextlib.closing(ProjectStream(project, client, lambda _record: False)) as stream:
        stream.records[identity] = container.record
        while True:
            current = next(
                (one for one in observe.read_containers(project) if one.record.id == identity), None
            )
            if current is not None and not current.is_running:
                return current.status.exit_code
            for item in stream.wait_for_items():
                if isinstance(item, ContainerEvent) and (item.id, item.action) == (identity, "die"):
                    return int(item.attributes.get("exitCode", 1))
            if current is None:
                raise NoSuchContainer(container.name)
