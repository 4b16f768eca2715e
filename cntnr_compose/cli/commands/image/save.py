"""`cntnr image save` and `cntnr save`: write images into a tar archive."""

from cntnr_compose.cli.parser.options import argument, command, option


@command("IMAGE [IMAGE...]", of_project=False)
@argument("names", many=True, metavar="IMAGE")
@option("-o", "--output", metavar="FILE", help="Write to a file, instead of standard output.")
@option(
    "--platform", default="", metavar="PLATFORM", help="Fail where an image is of another platform."
)
def save(names: tuple[str, ...], *, output: str | None, platform: str) -> None:
    """Write images with all their layers into a tar archive, which `docker load` reads, too."""
    from cntnr_compose.cli.flows.stored_images.saved_images import save_images

    save_images(names, output or "", platform)
