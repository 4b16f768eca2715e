"""`cntnr image history`: tell of what instructions an image was made."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import argument, command, flag, option


@command("IMAGE", of_project=False)
@argument("name", metavar="IMAGE")
@table_format()
@flag("-H", "--human", default=True, help="Sizes and times for people; --human=false: exact.")
@flag("--no-trunc", help="Whole ids and instructions.")
@option(
    "--platform", default="", metavar="PLATFORM", help="Fail where the image is of another one."
)
@flag("-q", "--quiet", help="Only ids.")
def history(
    name: str, *, form: str, human: bool, no_trunc: bool, platform: str, quiet: bool
) -> None:
    """Show of what instructions an image was made, the last one first."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.flows.stored_images import image_history
    from cntnr_compose.images.naming.lookup import check_platform, find_image
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()
    image = find_image(store, name).image
    check_platform(store, image, name, platform)
    objects = image_history.history_objects(store, image, human=human, whole=no_trunc)
    if quiet:
        stdout.write("".join(f"{row['ID']}\n" for row in objects))
        return
    time = "CreatedSince" if human else "CreatedAt"
    columns = ("ID", time, "CreatedBy", "Size", "Comment")
    headings = image_history.HEADINGS
    header = [headings.get(column, column.upper()) for column in columns]
    rows = [[row[column] for column in columns] for row in objects]
    print_rows(form, header, rows, objects, min_width=10, headings=headings)
