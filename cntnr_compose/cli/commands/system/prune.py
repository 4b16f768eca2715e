"""`cntnr system prune`: remove what nobody uses: containers, networks, images, the build cache."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class UntilWithVolumes(CntnrError):
    """Volumes are to be removed by their age."""

    hint = "do without --volumes, or prune them by themselves: `cntnr volume prune`"

    def __init__(self) -> None:
        super().__init__('the "until" filter is not supported with "--volumes"')


@command(of_project=False)
@flag("-a", "--all", "everything", help="Also images that have a name.")
@filter_option("until=TIME, label[!]=NAME.")
@flag("-f", "--force", help="Do not ask.")
@flag("--volumes", help="Also anonymous volumes.")
def prune(*, everything: bool, filters: tuple[str, ...], force: bool, volumes: bool) -> int:
    """Remove containers that do not run, networks, images and the build cache, as far as nobody uses them.

    The build cache has no labels: it stays where a filter asks for some.
    """
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.flows.resource_lists import parse_filters
    from cntnr_compose.cli.flows.system.prune_all import prune_everything
    from cntnr_compose.cli.flows.system.pruning import FILTERS
    from cntnr_compose.cli.parser.since_until import parse_until

    conditions = parse_filters(filters, FILTERS)
    if volumes and "until" in conditions:
        raise UntilWithVolumes
    until = parse_until(conditions.get("until", ()))
    if not force and not confirm(question(conditions, everything=everything, volumes=volumes)):
        return 0
    return prune_everything(conditions, until, everything=everything, volumes=volumes)


def question(filters: "Mapping[str, Sequence[str]]", *, everything: bool, volumes: bool) -> str:
    """Make the question that is asked before, in docker's words."""
    kinds = ["all stopped containers", "all networks not used by at least one container"]
    if volumes:
        kinds.append("all anonymous volumes not used by at least one container")
    if everything:
        kinds.append("all images without at least one container associated to them")
    else:
        kinds.append("all dangling images")
    if not {"label", "label!"}.intersection(filters):
        kinds.append("all build cache" if everything else "unused build cache")
    lines = ["WARNING! This will remove:", *(f"  - {kind}" for kind in kinds), ""]
    if filters:
        lines.append("  Items to be pruned will be filtered with:")
        lines += [f"  - {name}={value}" for name in filters for value in filters[name]]
        lines.append("")
    return "\n".join([*lines, "Are you sure you want to continue?"])
