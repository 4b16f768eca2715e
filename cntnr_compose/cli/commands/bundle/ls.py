"""`cntnr bundle ls`: list the bundles that are kept by name."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import command, flag


@command(of_project=False)
@table_format()
@flag("-q", "--quiet", help="Only names.")
def ls(*, form: str, quiet: bool) -> None:
    """List bundles in the order of their creation; those in folders of yours are not listed."""
    from cntnr_compose.bundles.place import list_places
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.flows.bundles.listing import HEADER, list_rows

    rows, objects = list_rows(list_places())
    if quiet:
        stdout.write("".join(f"{row[0]}\n" for row in rows))
        return
    print_rows(form, HEADER, rows, objects)
