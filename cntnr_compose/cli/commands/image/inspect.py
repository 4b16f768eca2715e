"""`cntnr image inspect`: describe images as JSON, with docker's keys."""

from cntnr_compose.cli.parser.options import argument, command, option


@command("IMAGE [IMAGE...]", of_project=False)
@argument("names", many=True, metavar="IMAGE")
@option("-f", "--format", "form", default="", metavar="FORMAT", help="json, template.")
@option(
    "--platform", default="", metavar="PLATFORM", help="Fail where an image is of another platform."
)
def inspect(names: tuple[str, ...], *, form: str, platform: str) -> int:
    """Describe images."""
    from cntnr_compose.cli.flows.resource_lists import print_inspected
    from cntnr_compose.cli.flows.stored_images.image_details import describe_image
    from cntnr_compose.images.naming.lookup import check_platform, find_image
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()

    def describe(name: str) -> dict[str, object]:
        chosen = find_image(store, name)
        check_platform(store, chosen.image, name, platform)
        return describe_image(store, chosen)

    return print_inspected(names, form, describe)
