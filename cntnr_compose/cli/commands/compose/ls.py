"""`cntnr compose ls`: the projects on this machine."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


class BadNameFilter(CntnrError):
    """A filter is not of the form that `ls` knows."""

    hint = "the only filter is name=PATTERN"

    def __init__(self, text: str) -> None:
        super().__init__(f'cannot filter by "{text}"')


@command()
@flag("-a", "--all", "everything", text="Also those of which nothing runs.")
@option("--filter", "filters", multiple=True, metavar="FILTER", help="name=PATTERN.")
@option("--format", "form", default="table", metavar="FORMAT", help="table or json.")
@flag("-q", "--quiet", text="Only names.")
def ls(
    _scope: "ProjectOptions", *, everything: bool, filters: tuple[str, ...], form: str, quiet: bool
) -> None:
    """List projects."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.client.observe import list_projects

    patterns = [_pattern(text) for text in filters]
    rows = []
    for one in list_projects():
        shown = [c for c in one.containers if everything or c.is_running]
        if shown and (not patterns or any(_fits(one.name, pattern) for pattern in patterns)):
            rows.append((one.name, count_states(shown), ",".join(one.files)))
    if quiet:
        out.write("".join(f"{name}\n" for name, *_ in rows))
        return
    trees = [{"Name": name, "Status": status, "ConfigFiles": files} for name, status, files in rows]
    print_rows(form, ("NAME", "STATUS", "CONFIG FILES"), rows, trees, json_array=True)


def count_states(containers: "Iterable[Container]") -> str:
    """Count containers by state: ``exited(1), running(2)``."""
    counts: dict[str, int] = {}
    for one in containers:
        counts[one.status.state] = counts.get(one.status.state, 0) + 1
    return ", ".join(f"{state}({count})" for state, count in sorted(counts.items()))


def _pattern(text: str) -> str:
    name, equals, value = text.partition("=")
    if name != "name" or not equals:
        raise BadNameFilter(text)
    return value


def _fits(name: str, pattern: str) -> bool:
    import re

    try:
        return re.search(pattern, name) is not None
    except re.error:
        return pattern in name
