"""`cntnr inspect`: describe containers, images, networks and volumes as JSON, with docker's keys."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag, option
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.core.values import Tree

KINDS = ("container", "image", "network", "volume")


class NoSuchObject(CntnrError):
    """Nothing of any kind has a name or id."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No such object: {name}")
        self.hint = f"looked for were: {', '.join(KINDS)}"


@command("NAME [NAME...]", of_project=False)
@argument("names", many=True, metavar="NAME")
@option("-f", "--format", "form", default="", metavar="FORMAT", help="json, template.")
@flag("-s", "--size", help="How much disk containers take, too.")
@option("--type", "kind", kind=KINDS, metavar="TYPE", help=f"Only one of {', '.join(KINDS)}.")
def inspect(names: tuple[str, ...], *, form: str, size: bool, kind: str | None) -> int:
    """Describe what has a name or id: a container, an image, a network or a volume, whichever is first.

    For example:

        cntnr inspect --type image -f '{{.Id}}' busybox
    """
    from cntnr_compose.cli.flows.resource_lists import print_inspected

    def describe(name: str) -> "Tree":
        for each in [kind] if kind else KINDS:
            describe_one, absent = _load(each, with_sizes=size)
            try:
                return describe_one(name)
            except absent:
                if kind:
                    raise
        raise NoSuchObject(name)

    return print_inspected(names, form, describe)


def _load(
    kind: str, *, with_sizes: bool
) -> "tuple[Callable[[str], Tree], tuple[type[CntnrError], ...]]":
    """Return what describes a thing of a kind by its name, and the errors that say that there is none."""
    match kind:
        case "container":
            from cntnr_compose.cli.flows.container_views.container_details import describe_container
            from cntnr_compose.cli.project.any_container import ReferenceInvalid
            from cntnr_compose.core.errors import NoSuchContainer

            def describe(name: str) -> "Tree":
                return describe_container(name, with_sizes=with_sizes)

            return describe, (NoSuchContainer, ReferenceInvalid)
        case "image":
            from cntnr_compose.cli.flows.stored_images.image_details import describe_named_image
            from cntnr_compose.images.errors import NoSuchImage
            from cntnr_compose.model.image_name import ImageNameInvalid

            return describe_named_image, (NoSuchImage, ImageNameInvalid)
        case "network":
            from cntnr_compose.cli.commands.network.inspect import describe_named_network
            from cntnr_compose.client.resources import NoSuchNetwork

            return describe_named_network, (NoSuchNetwork,)
        case _:
            from cntnr_compose.cli.commands.volume.inspect import describe_volume
            from cntnr_compose.client.resources import NoSuchVolume

            return describe_volume, (NoSuchVolume,)
