"""`cntnr image push` and `cntnr push`: push an image to the registry in its name."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag, option


@command("NAME[:TAG]", of_project=False)
@argument("name", metavar="IMAGE")
@flag("-a", "--all-tags", help="All tags of the repository.")
@flag("--disable-content-trust", "_no_trust", help="Without effect: nothing is signed.")
@option(
    "--platform", default="", metavar="PLATFORM", help="Fail where the image is of another one."
)
@flag("-q", "--quiet", help="Print only the name.")
def push(name: str, *, all_tags: bool, _no_trust: bool, platform: str, quiet: bool) -> None:
    """Push an image to the registry in its name."""
    from cntnr_compose.cli.flows.stored_images import registry_images
    from cntnr_compose.images.store import ImageStore
    from cntnr_compose.model import image_name

    store = ImageStore()
    tell = _ignore if quiet else stdout.print_line
    refs = registry_images.names_to_push(store, name, tell, all_tags=all_tags)
    tell(f"The push refers to repository [{image_name.parse(refs[0]).repository}]")
    for ref in refs:
        registry_images.push(store, ref, platform, tell)
        if quiet:
            stdout.print_line(ref)


def _ignore(_text: str) -> None:
    return None
