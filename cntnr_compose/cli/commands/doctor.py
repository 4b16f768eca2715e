"""`cntnr doctor`: what this machine allows, and the command that mends what it lacks."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cntnr_compose.doctor.checks import Check

MARKS = {"ok": "ok", "reduced": "reduced", "missing": "MISSING"}
COLOURS = {"ok": "green", "reduced": "yellow", "missing": "red"}


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    help="Table for people or JSON for programs.",
)
@click.pass_context
def doctor(context: click.Context, form: str) -> None:
    """Check what this machine allows, and how to mend what it lacks."""
    from cntnr_compose.core.values import to_json
    from cntnr_compose.doctor.checks import is_usable, run_checks

    checks = run_checks()
    if form == "json":
        click.echo(to_json(checks))
    else:
        for line in format_checks(checks):
            click.echo(line)
    context.exit(0 if is_usable(checks) else 1)


def format_checks(checks: "list[Check]") -> list[str]:
    """Lay the checks out as lines: each problem is followed by what it costs and what mends it."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        mark = click.style(f"{MARKS[check.state]:<8}", fg=COLOURS[check.state])
        lines.append(f"{mark} {check.name:<{width}}  {check.found}")
        indent = " " * (width + 11)
        if check.loses:
            lines.append(f"{indent}without it: {check.loses}")
        if check.mend:
            lines.append(f"{indent}to mend it: {check.mend}")
    counts = {state: sum(check.state == state for check in checks) for state in MARKS}
    lines.append(f"{counts['ok']} fine, {counts['reduced']} reduced, {counts['missing']} missing")
    return lines
