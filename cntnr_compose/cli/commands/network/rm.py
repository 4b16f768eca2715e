"""`cntnr network rm`: remove networks that no container runs on."""

from cntnr_compose.cli.parser.options import argument, command, flag


@command("NETWORK [NETWORK...]", of_project=False)
@argument("names", many=True, metavar="NETWORK")
@flag("-f", "--force", help="No error where there is none of the name.")
def rm(names: tuple[str, ...], *, force: bool) -> int:
    """Remove networks; in a project that is up, its next `up` makes them again."""
    from cntnr_compose.cli.flows.resource_lists import print_removed
    from cntnr_compose.client.resources import NoSuchNetwork, find_network, remove_networks
    from cntnr_compose.core.errors import CntnrError
    from cntnr_compose.model.removal import RemovalResult

    failed, known = [], []
    for name in names:
        try:
            known.append(find_network(name).found.name)
        except CntnrError as error:
            if not (force and isinstance(error, NoSuchNetwork)):
                failed.append(RemovalResult(name=name, error=str(error), hint=error.hint))
    return print_removed([*failed, *remove_networks(known)])
