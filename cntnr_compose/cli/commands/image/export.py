"""`cntnr image export`: copy an image of the store to anywhere."""

from cntnr_compose.cli.parser.options import argument, command, flag


@command("IMAGE TRANSPORT:REFERENCE", of_project=False)
@argument("name", metavar="IMAGE")
@argument("destination", metavar="REFERENCE")
@flag("--unpacked", help="Into a store in a folder; with unpacked layers, for stores of others.")
@flag("--tls-verify", default=True, help="--tls-verify=false: plain HTTP, and any certificate.")
def export(name: str, destination: str, *, unpacked: bool, tls_verify: bool) -> None:
    """Copy an image to a registry, a layout, an archive or a daemon.

    TRANSPORT is docker, oci, oci-archive, docker-archive, dir, docker-daemon or containers-storage. A folder,
    such as ./DIR, is an OCI layout, to which the image is added: others name it as an additional store.
    """
    from cntnr_compose.images.naming.lookup import find_image
    from cntnr_compose.images.store import ImageStore
    from cntnr_compose.images.transports.export import export_image
    from cntnr_compose.images.transports.references import destination_of, layout_folder

    store = ImageStore()
    image = find_image(store, name).image
    if unpacked:
        layout_folder(destination_of(image, destination))
    target = export_image(image, destination, tls_verify=tls_verify, store=store)
    if unpacked:
        from cntnr_compose.images.transports.layer_export import export_layers

        export_layers(image, layout_folder(target))
