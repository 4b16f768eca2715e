"""`cntnr image cat-config`: print an image's configuration as it is stored."""

from cntnr_compose.cli.parser.options import argument, command


@command("IMAGE", of_project=False)
@argument("name", metavar="IMAGE")
def cat_config(name: str) -> None:
    """Print an image's OCI configuration as JSON."""
    import json

    from cntnr_compose.cli.display import stdout
    from cntnr_compose.images.naming.lookup import find_image
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()
    tree = store.config(find_image(store, name).image)
    stdout.print_line(json.dumps(tree, ensure_ascii=False, indent=2))
