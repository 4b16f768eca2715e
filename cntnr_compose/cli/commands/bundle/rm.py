"""`cntnr bundle rm`: remove bundles."""

from cntnr_compose.cli.parser.options import argument, command, flag


@command("BUNDLE [BUNDLE...]", of_project=False)
@argument("names", many=True, metavar="BUNDLE")
@flag("-f", "--force", help="No error where there is none of the name.")
def rm(names: tuple[str, ...], *, force: bool) -> int:
    """Remove bundles with their files, but for those whose container lives.

    A folder of yours is removed where cntnr has made a bundle of it and written its files.
    """
    from cntnr_compose.cli.flows.bundles.removal import remove

    return remove(names, force=force)
