"""`cntnr image tag` and `cntnr tag`: give an image a further name."""

from cntnr_compose.cli.parser.options import argument, command


@command("SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", of_project=False)
@argument("source", metavar="IMAGE")
@argument("target", metavar="IMAGE")
def tag(source: str, target: str) -> None:
    """Give an image a further name; another image that has the name loses it."""
    from cntnr_compose.cli.flows.stored_images.image_names import tag_image
    from cntnr_compose.images.store import ImageStore

    tag_image(ImageStore(), source, target)
