"""`cntnr system df`: show how much disk all that is stored takes."""

from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import command, flag


@command(of_project=False)
@table_format()
@flag("-v", "--verbose", help="Each image, container, volume and record of the build cache.")
def df(*, form: str, verbose: bool) -> None:
    """Show how much disk images, containers, volumes and the build cache take.

    What several images share counts once. The size of an image is that of its blobs and unpacked layers.
    """
    from cntnr_compose.cli.flows.images.disk_usage import print_usage

    print_usage(form, verbose=verbose)
