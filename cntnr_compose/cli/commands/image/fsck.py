"""`cntnr image fsck`: check the files of images, and repair them."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag


@command(of_project=False)
@flag("--repair", help="Remove what is broken: it is fetched, unpacked or built again.")
@flag("--quick", help="Do not compute digests.")
def fsck(*, repair: bool, quick: bool) -> int:
    """Check that all blobs of images are there and match their digests, that unpacked layers are complete,
    and that the records of the build cache refer to what is there.

    The exit code is 1 where something is wrong and was not repaired.
    """
    from cntnr_compose.images.storage import repair as repairs
    from cntnr_compose.images.storage.check import check_store
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()
    report = check_store(store, quick=quick)
    if repair and any(problem.is_index for problem in report.problems):
        repairs.repair(store, report.problems)
        stdout.print_line(f"{report.problems[0].text} (written anew)")
        report = check_store(store, quick=quick)
    left = repairs.repair(store, report.problems) if repair else list(report.problems)
    for problem in report.problems:
        end = (
            " (repaired)"
            if problem not in left
            else " (containers that run use it)"
            if repair
            else ""
        )
        stdout.print_line(f"{problem.text}{end}")
    counts = f"{report.images} images, {report.blobs} blobs, {report.layers} layers, {report.steps} steps"
    state = f"{len(report.problems)} problems" if report.problems else "no problem"
    stdout.print_line(f"checked {counts}: {state}")
    if left and not repair:
        stdout.print_line("`cntnr image fsck --repair` removes what is broken")
    return 1 if left else 0
