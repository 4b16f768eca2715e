"""`cntnr image import`: copy an image from anywhere into the store."""

from cntnr_compose.cli.parser.options import argument, command, flag, option


@command("TRANSPORT:REFERENCE", name="import", of_project=False)
@argument("source", metavar="REFERENCE")
@option("--tag", default="", metavar="NAME", help="Name for it, instead of its reference.")
@option("--platform", default="", metavar="PLATFORM", help="Platform, where the image has several.")
@flag("--tls-verify", default=True, help="--tls-verify=false: plain HTTP, and any certificate.")
def import_(source: str, *, tag: str, platform: str, tls_verify: bool) -> None:
    """Copy an image into the store, and print its id.

    TRANSPORT is docker (a registry; also where there is none), oci, oci-archive, docker-archive, dir,
    docker-daemon or containers-storage.
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.flows.stored_images.imported_images import import_from

    stdout.print_line(import_from(source, tag, platform, tls_verify=tls_verify))
