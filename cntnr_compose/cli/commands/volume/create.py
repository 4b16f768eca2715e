"""`cntnr volume create`: make a volume that belongs to no project, for `external: true`."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, option


@command("[VOLUME]", of_project=False)
@argument("name", required=False, metavar="VOLUME")
@option("-d", "--driver", default="local", metavar="DRIVER", help="Driver: local.")
@option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Label to set.")
@option(
    "-o", "--opt", "options", multiple=True, metavar="NAME=VALUE", help="Option: type, o, device."
)
def create(
    name: str | None, *, driver: str, labels: tuple[str, ...], options: tuple[str, ...]
) -> None:
    """Create a volume, unless there is one of the name; one without a name is anonymous."""
    from cntnr_compose.cli.flows.resource_lists import parse_pairs
    from cntnr_compose.client.resources import create_volume
    from cntnr_compose.core.names import check_name
    from cntnr_compose.model.project import Volume

    if name:
        check_name("volume", name)
    volume = Volume(
        key=name or "",
        name=name or "",
        driver=driver,
        driver_opts=parse_pairs(options),
        labels=parse_pairs(labels),
    )
    stdout.print_line(create_volume(volume))
