"""Format containers of all projects as docker's `ps` lists them: rows, and JSON objects."""

from collections.abc import Mapping, Sequence

from cntnr_compose.cli.display import container_table
from cntnr_compose.cli.display.tables import TemplateRow, format_size
from cntnr_compose.core.values import Bytes, Seconds, Tree
from cntnr_compose.model.observed import Container

COLUMNS = {
    "ID": "CONTAINER ID",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "RunningFor": "CREATED",
    "Status": "STATUS",
    "Ports": "PORTS",
    "Names": "NAMES",
}
HEADINGS = {**COLUMNS, "Size": "SIZE", "CreatedAt": "CREATED AT", "LocalVolumes": "LOCAL VOLUMES"}
FIELDS = (
    "Command", "CreatedAt", "ID", "Image", "Labels", "LocalVolumes", "Mounts", "Names", "Networks",
    "Platform", "Ports", "RunningFor", "Size", "State", "Status",
)  # fmt: skip
SHORT_ID = 12
Sizes = Mapping[str, tuple[Bytes, Bytes]]  # by id: of what it has changed, and of its image


def print_containers(
    containers: Sequence[Container],
    form: str,
    *,
    now: Seconds,
    trunc: bool,
    sizes: Sizes | None = None,
) -> None:
    """Print containers in the format ``form``; without ``sizes`` there is no column of them.

    Raises `UnknownFormat` and the errors of templates.
    """
    from cntnr_compose.cli.display.listing import print_rows

    columns = {**COLUMNS, **({} if sizes is None else {"Size": "SIZE"})}
    objects = [describe_row(one, now, trunc=trunc, sizes=sizes or {}) for one in containers]
    rows = [[str(fields[name]) for name in columns] for fields in objects]
    print_rows(form, list(columns.values()), rows, objects, min_width=10, headings=HEADINGS)


def describe_row(container: Container, now: Seconds, *, trunc: bool, sizes: Sizes) -> Tree:
    """Make the JSON object of a container, with docker's keys."""
    record = container.record
    fields = container_table.json_object(container, now, trunc=trunc)
    fields |= {"Image": _format_image(container, trunc=trunc), "Platform": None}
    if record.id in sizes:
        changed, whole = sizes[record.id]
        fields["Size"] = f"{format_size(changed)} (virtual {format_size(whole)})"

    def label(name: str) -> str:
        return record.labels.get(name, "")

    return TemplateRow({name: fields[name] for name in FIELDS}, {"Label": label})


def _format_image(container: Container, *, trunc: bool) -> str:
    """Return the name of a container's image; an id or a digest is cut."""
    image = container.record.image
    if not image:
        return "<no image>"
    if not trunc:
        return image
    digits = container.record.image_id.removeprefix("sha256:")
    if image.removeprefix("sha256:").startswith(digits[:SHORT_ID] or " "):
        return digits[:SHORT_ID]
    name, _, digest = image.partition("@")
    return name if digest and ":" in name.rpartition("/")[2] else image
