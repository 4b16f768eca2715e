"""`cntnr volume prune`: remove the volumes that no container mounts."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag

if TYPE_CHECKING:
    from cntnr_compose.model.observed import ObservedVolume

FILTERS = ("all", "label", "label!")
QUESTION = (
    "WARNING! This will remove {kind} local volumes not used by at least one container.\n"
    "Are you sure you want to continue?"
)


@command(of_project=False)
@flag("-a", "--all", "everything", help="Also those that have a name.")
@filter_option("label[!]=NAME, all=true.")
@flag("-f", "--force", help="Do not ask.")
def prune(*, everything: bool, filters: tuple[str, ...], force: bool) -> int:
    """Remove anonymous volumes that no container mounts, or all that none mounts."""
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.display.tables import format_size
    from cntnr_compose.cli.flows.resource_lists import parse_filters, parse_truth, print_pruned
    from cntnr_compose.client.resources import remove_volumes

    conditions = parse_filters(filters, FILTERS)
    everything = parse_truth("all", conditions.get("all", ())) or everything
    names = [volume.name for volume in _unused_volumes(conditions, named=everything)]
    if not force and not confirm(QUESTION.format(kind="all" if everything else "anonymous")):
        return 0
    results = remove_volumes(names)
    size = format_size(sum(result.size for result in results))
    return print_pruned("Deleted Volumes:", results, f"Total reclaimed space: {size}\n")


def _unused_volumes(filters: dict[str, list[str]], *, named: bool) -> "list[ObservedVolume]":
    """List the volumes that no container mounts and that filters let through."""
    from cntnr_compose.cli.flows.resource_lists import matches_labels
    from cntnr_compose.client.resources import used_volumes
    from cntnr_compose.volumes.store import observe_volumes

    used = used_volumes()
    return [
        volume
        for volume in observe_volumes().values()
        if volume.name not in used
        and (named or volume.anonymous)
        and matches_labels(volume.labels, filters)
    ]
