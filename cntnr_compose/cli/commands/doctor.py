"""`cntnr doctor`: what this host allows, and the command that mends what it lacks."""

import sys
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, option

if TYPE_CHECKING:
    from cntnr_compose.doctor.check import Check

MARKS = {"ok": "ok", "reduced": "reduced", "missing": "MISSING"}
COLOURS = {"ok": 32, "reduced": 33, "missing": 31}  # green, yellow, red


@command(of_project=False)
@option(
    "--format",
    "form",
    kind=("table", "json"),
    default="table",
    help="Table for people or JSON for programs.",
)
def doctor(form: str) -> int:
    """Check what this machine allows, and how to mend what it lacks."""
    from cntnr_compose.cli.display.progress import is_coloured
    from cntnr_compose.cli.flows.images import image_checks
    from cntnr_compose.core.values import to_json
    from cntnr_compose.doctor.checks import is_usable, run_checks

    checks = [*run_checks(), *image_checks.check_images()]
    if form == "json":
        stdout.print_line(to_json(checks).decode())
    else:
        for line in format_checks(checks, coloured=is_coloured(sys.stdout)):
            stdout.print_line(line)
    return 0 if is_usable(checks) else 1


def format_checks(checks: "list[Check]", *, coloured: bool = False) -> list[str]:
    """Format the checks as lines: what a problem costs and the cure stand below it."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        mark = f"{MARKS[check.state]:<8}"
        if coloured:
            mark = f"\x1b[{COLOURS[check.state]}m{mark}\x1b[0m"
        lines.append(f"{mark} {check.name:<{width}}  {check.found}")
        indent = " " * (width + 11)
        if check.loses:
            lines.append(f"{indent}without it: {check.loses}")
        if check.mend:
            lines.append(f"{indent}to mend it: {check.mend}")
    counts = {state: sum(check.state == state for check in checks) for state in MARKS}
    lines.append(f"{counts['ok']} fine, {counts['reduced']} reduced, {counts['missing']} missing")
    return lines
