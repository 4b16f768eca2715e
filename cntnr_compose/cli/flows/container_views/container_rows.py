"""Format containers of all projects as docker's `ps` lists them: rows, and JSON objects."""

from collections.abc import Mapping, Sequence

from cntnr_compose.cli.display import container_table, container_text
from cntnr_compose.cli.display.container_text import COLUMNS, MIN_WIDTH
from cntnr_compose.cli.display.tables import format_size
from cntnr_compose.cli.display.templates.template_row import TemplateRow
from cntnr_compose.core.values import Bytes, Seconds, Tree
from cntnr_compose.model.observed import Container

HEADINGS = {**COLUMNS, "Size": "SIZE", "CreatedAt": "CREATED AT", "LocalVolumes": "LOCAL VOLUMES"}
FIELDS = (
    "Command", "CreatedAt", "ID", "Image", "Labels", "LocalVolumes", "Mounts", "Names", "Networks",
    "Platform", "Ports", "RunningFor", "Size", "State", "Status",
)  # fmt: skip
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
    print_rows(form, list(columns.values()), rows, objects, min_width=MIN_WIDTH, headings=HEADINGS)


def describe_row(container: Container, now: Seconds, *, trunc: bool, sizes: Sizes) -> Tree:
    """Make the JSON object of a container, with docker's keys."""
    record = container.record
    fields = container_table.json_object(container, now, trunc=trunc)
    fields |= {
        "Image": container_text.format_image(container.listed(), trunc=trunc),
        "Platform": None,
    }
    if record.id in sizes:
        changed, whole = sizes[record.id]
        fields["Size"] = f"{format_size(changed)} (virtual {format_size(whole)})"

    def label(name: str) -> str:
        return record.labels.get(name, "")

    return TemplateRow({name: fields[name] for name in FIELDS}, {"Label": label})
