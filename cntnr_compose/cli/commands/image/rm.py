"""`cntnr image rm` and `cntnr rmi`: remove images that no container needs."""

from cntnr_compose.cli.parser.options import argument, command, flag, option


@command("IMAGE [IMAGE...]", of_project=False)
@argument("names", many=True, metavar="IMAGE")
@flag("-f", "--force", help="Names go also where a container needs the image, which stays.")
@flag("--no-prune", "_no_prune", help="Without effect: no image here has parents.")
@option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="PLATFORM",
    help="Only where the image is of this platform.",
)
def rm(names: tuple[str, ...], *, force: bool, _no_prune: bool, platforms: tuple[str, ...]) -> int:
    """Remove names, and images that have none left, with all that no other image needs of them.

    What a container was made of stays, whether it runs or not.
    """
    from cntnr_compose.cli.flows.stored_images.removed_images import remove_images

    return remove_images(names, platforms, force=force)
