"""`cntnr image ls` and `cntnr images`: list the images of this machine, a row for each name."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import filter_option, table_format
from cntnr_compose.cli.parser.options import argument, command, flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cntnr_compose.images.quick_catalogue import ListedImage


@command("[REPOSITORY[:TAG]]", of_project=False)
@argument("pattern", required=False, metavar="IMAGE")
@flag("-a", "--all", "_everything", help="Also those in between; this store has none.")
@flag("--digests", help="Show the digests that registries know images by.")
@filter_option("dangling, label, before, since, until, reference=VALUE.", "-f")
@table_format()
@flag("--no-trunc", help="Whole ids.")
@flag("-q", "--quiet", help="Only ids.")
@flag("--tree", help="Refused: each image is of one platform, there is no tree.")
def ls(
    pattern: str | None,
    *,
    _everything: bool,
    digests: bool,
    filters: tuple[str, ...],
    form: str,
    no_trunc: bool,
    quiet: bool,
    tree: bool,
) -> None:
    """List images: all, or those whose name matches a pattern."""
    from cntnr_compose.cli.flows.stored_images import image_list

    if tree:
        raise image_list.TreeRefused
    images = image_list.list_images()
    if filters or pattern:
        images = _filtered(images, filters, pattern)
    images = image_list.order_images(images, with_digests=digests)
    objects = [image_list.json_object(image, whole_id=no_trunc) for image in images]
    if quiet:
        stdout.write("".join(f"{row['ID']}\n" for row in objects))
        return
    columns = image_list.DIGEST_COLUMNS if digests else image_list.COLUMNS
    rows = [[row[name] for name in columns] for row in objects]
    headings = image_list.HEADINGS
    header = [headings.get(name, name.upper()) for name in columns]
    if form == "table":
        from cntnr_compose.cli.display.tables import format_table

        stdout.write("".join(f"{line}\n" for line in format_table(header, rows, min_width=10)))
        return
    from cntnr_compose.cli.display.listing import print_rows

    print_rows(form, header, rows, objects, min_width=10, headings=headings)


def _filtered(
    images: "Sequence[ListedImage]", filters: tuple[str, ...], pattern: str | None
) -> "Sequence[ListedImage]":
    """Return the images that filters let through.

    Raises `FilterInvalid`, `TimeUnreadable`, `NoSuchImage`, `AmbiguousImage`.
    """
    from cntnr_compose.cli.flows.resource_lists import parse_filters
    from cntnr_compose.cli.flows.stored_images import image_list
    from cntnr_compose.cli.parser.since_until import NANOSECONDS, parse_time
    from cntnr_compose.images.naming.lookup import find_image
    from cntnr_compose.images.store import ImageStore

    conditions = parse_filters(filters, image_list.FILTERS)
    if pattern:
        conditions.setdefault("reference", []).append(pattern)

    def times(name: str) -> list[float]:
        chosen = [find_image(ImageStore(), text).image for text in conditions.get(name, ())]
        return [image_list.parse_created(image.created) for image in chosen]

    until = [(parse_time("until", text) or 0) / NANOSECONDS for text in conditions.get("until", ())]
    before, since = [*until, *times("before")], times("since")
    return image_list.filter_images(images, conditions, before=before, since=since)
