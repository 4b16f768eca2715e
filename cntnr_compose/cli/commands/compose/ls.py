"""`cntnr compose ls`: list the projects on this host."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import filter_option, table_format
from cntnr_compose.cli.parser.options import command, flag

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


@command()
@flag("-a", "--all", "everything", help="Also projects of which no container runs.")
@filter_option("Only projects with such a name: name=PATTERN.")
@table_format("table or json.")
@flag("-q", "--quiet", help="Print only names.")
def ls(
    _options: "ProjectOptions",
    *,
    everything: bool,
    filters: tuple[str, ...],
    form: str,
    quiet: bool,
) -> None:
    """List the projects that have containers on this machine."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.client.observe import list_projects

    patterns = [_parse_filter(text) for text in filters]
    rows = []
    for project in list_projects():
        shown = [one for one in project.containers if everything or one.is_running]
        if shown and (not patterns or any(_matches(project.name, it) for it in patterns)):
            rows.append((project.name, count_states(shown), ",".join(project.files)))
    if quiet:
        stdout.write("".join(f"{name}\n" for name, *_ in rows))
        return
    objects = [
        {"Name": name, "Status": status, "ConfigFiles": files} for name, status, files in rows
    ]
    print_rows(form, ("NAME", "STATUS", "CONFIG FILES"), rows, objects, json_array=True)


def count_states(containers: "Iterable[Container]") -> str:
    """Count containers by state: ``exited(1), running(2)``."""
    counts: dict[str, int] = {}
    for container in containers:
        state = container.status.state
        counts[state] = counts.get(state, 0) + 1
    return ", ".join(f"{state}({count})" for state, count in sorted(counts.items()))


def _parse_filter(text: str) -> str:
    name, equals, pattern = text.partition("=")
    if name != "name" or not equals:
        from cntnr_compose.cli.display.listing import BadFilter

        raise BadFilter(text, "name=PATTERN")
    return pattern


def _matches(name: str, pattern: str) -> bool:
    import re

    try:
        return re.search(pattern, name) is not None
    except re.error:
        return pattern in name
