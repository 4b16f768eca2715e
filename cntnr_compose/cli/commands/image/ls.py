"""`cntnr image ls` and `cntnr images`: list the images of this machine, a row for each name."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag, option


@command("[REPOSITORY[:TAG]]", of_project=False)
@argument("pattern", required=False, metavar="IMAGE")
@flag("-a", "--all", "_everything", help="Also those in between; this store has none.")
@flag("--digests", help="Show the digests that registries know images by.")
@option(
    "-f",
    "--filter",
    "filters",
    multiple=True,
    metavar="FILTER",
    help="dangling, label, before, since, until, reference=VALUE.",
)
@option(
    "--format",
    "form",
    default="table",
    metavar="FORMAT",
    values=("table", "json"),
    help="table, json, template.",
)
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
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.flows.resource_lists import parse_filters
    from cntnr_compose.cli.flows.stored_images import image_list
    from cntnr_compose.cli.parser.since_until import NANOSECONDS, parse_time
    from cntnr_compose.images.store import ImageStore

    if tree:
        raise image_list.TreeRefused
    conditions = parse_filters(filters, image_list.FILTERS)
    if pattern:
        conditions.setdefault("reference", []).append(pattern)
    times = [parse_time("until", text) or 0 for text in conditions.get("until", ())]
    images = image_list.select_images(
        ImageStore(), conditions, until=[one / NANOSECONDS for one in times], with_digests=digests
    )
    objects = [image_list.json_object(image, whole_id=no_trunc) for image in images]
    if quiet:
        stdout.write("".join(f"{row['ID']}\n" for row in objects))
        return
    columns = image_list.DIGEST_COLUMNS if digests else image_list.COLUMNS
    rows = [[row[name] for name in columns] for row in objects]
    headings = image_list.HEADINGS
    header = [headings.get(name, name.upper()) for name in columns]
    print_rows(form, header, rows, objects, min_width=10, headings=headings)
