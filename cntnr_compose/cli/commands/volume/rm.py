"""`cntnr volume rm`: remove volumes that no container mounts."""

from cntnr_compose.cli.parser.options import argument, command, flag


@command("VOLUME [VOLUME...]", of_project=False)
@argument("names", many=True, metavar="VOLUME")
@flag("-f", "--force", help="No error where there is none of the name.")
def rm(names: tuple[str, ...], *, force: bool) -> int:
    """Remove volumes with all that is in them, but for those that a container mounts."""
    from cntnr_compose.cli.flows.resource_lists import print_removed
    from cntnr_compose.client.resources import find_volume, remove_volumes
    from cntnr_compose.core.errors import CntnrError
    from cntnr_compose.model.removal import RemovalResult

    results, known = [], []
    for name in names:
        try:
            known.append(find_volume(name).name)
        except CntnrError as error:
            text, hint = ("", "") if force else (str(error), error.hint)
            results.append(RemovalResult(name=name, error=text, hint=hint))
    return print_removed([*results, *remove_volumes(known)])
