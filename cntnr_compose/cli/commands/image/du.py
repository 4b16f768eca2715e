"""`cntnr image du`: show how much disk images and what belongs to them take, as `docker system df`."""

from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import command, flag


@command(of_project=False)
@table_format()
@flag("-v", "--verbose", help="Each image, container, volume and record of the build cache.")
def du(*, form: str, verbose: bool) -> None:
    """Show how much disk images, containers, volumes and the build cache take.

    What several images share counts once. The size of an image is that of its blobs and unpacked layers.
    """
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.flows.images import disk_usage

    usage = disk_usage.DiskUsage()
    if verbose and form == "table":
        disk_usage.print_details(usage)
        return
    objects = usage.summary()
    rows = disk_usage.summary_rows(objects)
    headings = disk_usage.HEADINGS
    print_rows(form, disk_usage.HEADER, rows, objects, min_width=10, headings=headings)
