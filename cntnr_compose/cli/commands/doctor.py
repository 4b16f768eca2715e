"""`cntnr doctor`: what this host allows, and the command that mends what it lacks."""

import sys
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, option

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
@flag(
    "--try",
    "with_trial",
    help="Bring a container up, on a network, with a port and a limit, and take it down: a last row.",
)
@flag("--fix", help="Run the commands that mend what is lacking; ask before each.")
@flag("-y", "--yes", help="With --fix: do not ask.")
def doctor(form: str, *, with_trial: bool, fix: bool, yes: bool) -> int:
    """Check what this machine allows, and how to mend what it lacks."""
    from cntnr_compose.doctor.checks import is_usable

    checks = _run_checks(with_trial=with_trial and not fix)
    if fix:
        from cntnr_compose.cli.flows.doctor.fix import run_commands

        if form == "table":
            _print_checks(checks, form)
        failed = run_commands(checks, yes=yes)
        checks = _run_checks(with_trial=with_trial)
        _print_checks(checks, form)
        return 1 if failed or not is_usable(checks) else 0
    _print_checks(checks, form)
    return 0 if is_usable(checks) else 1


def _run_checks(*, with_trial: bool) -> "list[Check]":
    from cntnr_compose.cli.flows.images import image_checks
    from cntnr_compose.doctor.checks import are_limits_enforced, is_usable, run_checks

    checks = [*run_checks(), *image_checks.check_images()]
    if with_trial and is_usable(checks):
        from cntnr_compose.cli.flows.doctor.trial import try_container

        checks.append(try_container(limits_hold=are_limits_enforced(checks)))
    return checks


def _print_checks(checks: "list[Check]", form: str) -> None:
    from cntnr_compose.cli.display.progress import is_coloured
    from cntnr_compose.core.values import to_json

    if form == "json":
        stdout.print_line(to_json(checks).decode())
        return
    for line in format_checks(checks, coloured=is_coloured(sys.stdout)):
        stdout.print_line(line)


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
