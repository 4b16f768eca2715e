"""`cntnr image gc`: remove images that were not used for long."""

from cntnr_compose.cli.parser.options import command, flag, option


@command(of_project=False)
@option("-t", "--ttl", default="168h", metavar="TIME", help="Unused for; 168h where not given.")
@option(
    "-r",
    "--ref-ttl",
    "ref_ttl",
    default="0",
    metavar="TIME",
    help="Names go, too, of images unused for; 0: they stay.",
)
@option(
    "-m",
    "--max",
    "max_names",
    kind=int,
    default=0,
    metavar="N",
    help="Only the newest N names of a repository stay; 0: all.",
)
@flag("--dry-run", "only_show", help="Print what would go, and remove nothing.")
def gc(*, ttl: str, ref_ttl: str, max_names: int, only_show: bool) -> int:
    """Remove images without a name that were not used for a time, and names that are too old or too many.

    What a container was made of stays, and what a build or a pull under way needs. "Used" means that a
    container was made of an image, or another image built from it, or that it was pulled or named.
    """
    import time

    from cntnr_compose.cli.flows.images import reclaiming
    from cntnr_compose.cli.flows.stored_images.image_list import split_name
    from cntnr_compose.images.storage.collector import Decision, collect
    from cntnr_compose.images.storage.decisions import NEVER, decide_removal, select_expired
    from cntnr_compose.images.storage.model import Inventory

    age, name_age = reclaiming.parse_age("--ttl", ttl), reclaiming.parse_age("--ref-ttl", ref_ttl)
    if max_names < 0:
        raise reclaiming.CountInvalid(max_names)
    now = time.time() + 1  # what was used in this second is not younger than 0 s

    def decide(inventory: Inventory) -> Decision:
        images, unnamed = select_expired(
            inventory,
            unused_before=now - age,
            named_before=now - name_age if name_age else NEVER,
            max_names=max_names,
            repository=lambda ref: split_name(ref)[0],
        )
        artifacts_before = now - max(age, reclaiming.ARTIFACT_GRACE)
        removal = decide_removal(inventory, images, artifacts_before=artifacts_before)
        return Decision(removal, unnamed)

    collected = collect(decide, dry_run=only_show)
    lines = reclaiming.removed_lines(collected)
    heading = "Would delete:" if only_show else "Deleted Images:"
    reclaiming.print_collected(heading, lines, collected, dry_run=only_show)
    return 0
