"""`cntnr image pull` and `cntnr pull`: get an image from a registry."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag, option


@command("NAME[:TAG|@DIGEST]", of_project=False)
@argument("name", metavar="IMAGE")
@flag("-a", "--all-tags", help="All images of the repository.")
@flag("--disable-content-trust", "_no_trust", help="Without effect: `--image-policy` decides.")
@option("--platform", default="", metavar="PLATFORM", help="Platform, where the image has several.")
@flag("-q", "--quiet", help="Print only the name.")
def pull(name: str, *, all_tags: bool, _no_trust: bool, platform: str, quiet: bool) -> None:
    """Get an image from its registry, or all of a repository."""
    from cntnr_compose.cli.flows.stored_images import registry_images

    tell = _ignore if quiet else stdout.print_line
    names = registry_images.names_to_pull(name, tell, all_tags=all_tags)
    for ref in names:
        registry_images.pull(ref, platform, tell)
    if len(names) == 1:
        stdout.print_line(names[0])


def _ignore(_text: str) -> None:
    return None
