"""`cntnr container inspect`: describe containers as JSON, with docker's keys."""

from cntnr_compose.cli.parser.options import argument, command, flag, option


@command("CONTAINER [CONTAINER...]", of_project=False)
@argument("names", many=True, metavar="CONTAINER")
@option("-f", "--format", "form", default="", metavar="FORMAT", help="json, template.")
@flag("-s", "--size", help="How much disk each takes, too.")
def inspect(names: tuple[str, ...], *, form: str, size: bool) -> int:
    """Describe containers.

    For example:

        cntnr container inspect -f '{{.State.Status}}' web
    """
    from cntnr_compose.cli.flows.container_views.container_details import describe_container
    from cntnr_compose.cli.flows.resource_lists import print_inspected

    return print_inspected(names, form, lambda name: describe_container(name, with_sizes=size))
