"""`cntnr volume create`: make a volume that belongs to no project, for `external: true`."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, option, unsupported

OF_SWARM = "it is of volumes of a swarm, and there is none"


@command("[VOLUME]", of_project=False)
@argument("name", required=False, metavar="VOLUME")
@unsupported("--availability", hint=OF_SWARM, is_flag=False)
@option("-d", "--driver", default="local", metavar="DRIVER", help="Driver: local.")
@unsupported("--group", hint=OF_SWARM, is_flag=False)
@option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Label to set.")
@unsupported("--limit-bytes", hint=OF_SWARM, is_flag=False)
@option(
    "-o", "--opt", "options", multiple=True, metavar="NAME=VALUE", help="Option: type, o, device."
)
@unsupported("--required-bytes", hint=OF_SWARM, is_flag=False)
@unsupported("--scope", hint=OF_SWARM, is_flag=False)
@unsupported("--secret", hint=OF_SWARM, is_flag=False)
@unsupported("--sharing", hint=OF_SWARM, is_flag=False)
@unsupported("--topology-preferred", hint=OF_SWARM, is_flag=False)
@unsupported("--topology-required", hint=OF_SWARM, is_flag=False)
@unsupported("--type", hint=OF_SWARM, is_flag=False)
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
