"""`cntnr image export`: copy an image of the store to anywhere."""

from cntnr_compose.cli.parser.options import argument, command, flag


@command("IMAGE TRANSPORT:REFERENCE", of_project=False)
@argument("name", metavar="IMAGE")
@argument("destination", metavar="REFERENCE")
@flag("--tls-verify", default=True, help="--tls-verify=false: plain HTTP, and any certificate.")
def export(name: str, destination: str, *, tls_verify: bool) -> None:
    """Copy an image to a registry, a layout, an archive or a daemon.

    TRANSPORT is docker, oci, oci-archive, docker-archive, dir, docker-daemon or containers-storage.
    """
    from cntnr_compose.images.naming.lookup import find_image
    from cntnr_compose.images.store import ImageStore
    from cntnr_compose.images.transports.export import export_image

    store = ImageStore()
    image = find_image(store, name).image
    export_image(image, destination, tls_verify=tls_verify, store=store)
