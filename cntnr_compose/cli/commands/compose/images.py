"""`cntnr compose images`: what the containers of a project were made from."""

import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.core.values import Tree
    from cntnr_compose.images.store import ImageStore
    from cntnr_compose.model.observed import Container

HEADER = ("CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED")
NONE = "<none>"


@command("[SERVICE...]")
@services
@option("--format", "form", default="table", metavar="FORMAT", help="table or json.")
@flag("-q", "--quiet", text="Only ids.")
def images(scope: "ProjectOptions", services: tuple[str, ...], *, form: str, quiet: bool) -> None:
    """List the images of containers."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.images.store import ImageStore

    name = scope.resolve_name()
    containers = select_containers(
        observe_project(name).containers, services, scope.find_project, oneoff=True
    )
    store = ImageStore()
    containers.sort(key=lambda one: one.name)
    trees = [json_object(one, store) for one in containers]
    if quiet:
        ids = dict.fromkeys(str(one["ID"]).partition(":")[2] for one in trees)
        out.write("".join(f"{one}\n" for one in ids))
        return
    print_rows(form, HEADER, [table_row(one, time.time()) for one in trees], trees, json_array=True)


def json_object(container: "Container", store: "ImageStore") -> "Tree":
    """Give the JSON object of one container, with docker's keys."""
    from cntnr_compose.model import image_name

    record = container.record
    found = store.find_by_id(record.image_id) if record.image_id else None
    named = store.find(record.image) or found
    repository, tag = NONE, NONE
    if named is not None and named.id == record.image_id and not image_name.transport(named.ref):
        repository, _, tag = image_name.familiar(named.ref).rpartition(":")
    return {
        "ID": record.image_id,
        "ContainerName": container.name,
        "Repository": repository,
        "Tag": tag,
        "Platform": f"{found.os}/{found.architecture}" if found else "",
        "Size": found.size if found else 0,
        "Created": found.created if found else "",
        "LastTagTime": _tagged(store, found.manifest) if found else "",
    }


def table_row(row: "Tree", now: float) -> tuple[str, ...]:
    """Give the row of the table."""
    from cntnr_compose.cli.display.tables import format_age, format_size
    from cntnr_compose.cli.parser.timestamps import parse_time

    created = parse_time("Created", str(row["Created"]))
    return (
        row["ContainerName"],
        row["Repository"],
        row["Tag"],
        row["Platform"],
        str(row["ID"]).partition(":")[2][:12],
        format_size(row["Size"]),
        "N/A" if created is None else f"{format_age(now - created / 1_000_000_000)} ago",
    )


def _tagged(store: "ImageStore", manifest: str) -> str:
    """Give the time from which on the store has the image."""
    try:
        seconds = store.blob_path(manifest).stat().st_mtime
    except OSError:
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
