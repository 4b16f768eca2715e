"""`cntnr image untag`: take names away, and keep the images."""

from cntnr_compose.cli.parser.options import argument, command


@command("IMAGE[:TAG] [IMAGE[:TAG]...]", of_project=False)
@argument("names", many=True, metavar="IMAGE")
def untag(names: tuple[str, ...]) -> int:
    """Take names away; an image that has none left stays under its id until it is removed."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.flows.resource_lists import print_error
    from cntnr_compose.cli.flows.stored_images.image_names import untag_image
    from cntnr_compose.core.errors import CntnrError
    from cntnr_compose.images.store import ImageStore

    store, failed = ImageStore(), False
    for name in names:
        try:
            stdout.print_line(f"Untagged: {untag_image(store, name)}")
        except CntnrError as error:
            print_error(str(error), error.hint)
            failed = True
    return 1 if failed else 0
