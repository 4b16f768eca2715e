"""`cntnr compose images`: list the images of the containers of a project."""

import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.core.values import Tree
    from cntnr_compose.images.store import ImageStore
    from cntnr_compose.model.observed import Container

HEADER = ("CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED")
NONE = "<none>"


@command("[SERVICE...]")
@services
@table_format("table or json.")
@flag("-q", "--quiet", help="Print only ids.")
def images(options: "ProjectOptions", services: tuple[str, ...], *, form: str, quiet: bool) -> None:
    """List the images that the containers of a project were made of."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.images.store import ImageStore

    name = options.resolve_name()
    containers = select_containers(
        observe_project(name).containers, services, options.find_project, oneoff=True
    )
    store = ImageStore()
    containers.sort(key=lambda one: one.name)
    objects = [json_object(container, store) for container in containers]
    if quiet:
        ids = dict.fromkeys(str(one["ID"]).partition(":")[2] for one in objects)
        stdout.write("".join(f"{identity}\n" for identity in ids))
        return
    rows = [table_row(one, time.time()) for one in objects]
    print_rows(form, HEADER, rows, objects, json_array=True)


def json_object(container: "Container", store: "ImageStore") -> "Tree":
    """Make the JSON object of a container's image, with docker's keys."""
    from cntnr_compose.model import image_name

    record = container.record
    image = store.find_by_id(record.image_id) if record.image_id else None
    named = store.find(record.image) or image
    repository, tag = NONE, NONE
    if named is not None and named.id == record.image_id and not image_name.transport(named.ref):
        repository, _, tag = image_name.familiar(named.ref).rpartition(":")
    return {
        "ID": record.image_id,
        "ContainerName": container.name,
        "Repository": repository,
        "Tag": tag,
        "Platform": f"{image.os}/{image.architecture}" if image else "",
        "Size": image.size if image else 0,
        "Created": image.created if image else "",
        "LastTagTime": _format_time(image.tagged) if image else "",
    }


def table_row(image: "Tree", now: float) -> tuple[str, ...]:
    """Format the JSON object of an image as a row below `HEADER`."""
    from cntnr_compose.cli.display.tables import format_age, format_size
    from cntnr_compose.cli.parser.since_until import NANOSECONDS, parse_time

    created = parse_time("Created", str(image["Created"]))
    return (
        image["ContainerName"],
        image["Repository"],
        image["Tag"],
        image["Platform"],
        str(image["ID"]).partition(":")[2][:12],
        format_size(image["Size"]),
        "N/A" if created is None else f"{format_age(now - created / NANOSECONDS)} ago",
    )


def _format_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if seconds else ""
