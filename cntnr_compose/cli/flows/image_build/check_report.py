"""Print what checks of Dockerfiles say, and the stages that can be built."""

from collections.abc import Sequence

from cntnr_compose.builder.check import DockerfileReport
from cntnr_compose.builder.dockerfile.syntax.excerpt import format_excerpt
from cntnr_compose.builder.request import BuildRequest, parse_stages
from cntnr_compose.cli.display import stdout


def print_reports(reports: Sequence[DockerfileReport]) -> int:
    """Print what the checks of Dockerfiles say; return 1 where that is not good."""
    code = 0
    for report in reports:
        if len(reports) > 1:
            stdout.print_line(report.service)
        if report.error:
            stdout.print_line(report.error)
            if report.line:
                _print_source(report, report.line)
        else:
            stdout.print_line(f"Check complete, {_count(len(report.findings))}")
        for finding in report.findings:
            stdout.print_line(f"\nWARNING: {finding.rule} - {finding.url}\n{finding.text}")
            _print_source(report, finding.line)
        code = 1 if report.error or report.findings else code
    return code


def _print_source(report: DockerfileReport, line: int) -> None:
    """Print the lines around one of a Dockerfile."""
    stdout.write(f"{report.file}:{line}\n{format_excerpt(report.text, line)}")


def _count(number: int) -> str:
    if number == 0:
        return "no warnings found."
    return f"{number} warning{'s have' if number > 1 else ' has'} been found!"


def print_targets(request: BuildRequest) -> None:
    """Print the stages of a Dockerfile that have a name, and which is built by default."""
    from cntnr_compose.cli.display.tables import format_table

    scope = parse_stages(request)
    default = scope.find_stage(request.target)
    rows = []
    for stage in scope.stages:
        if stage is default:
            rows.append((f"{stage.name} (default)".strip(), ""))
        elif stage.name:
            rows.append((stage.name, ""))
    stdout.write("".join(f"{line}\n" for line in format_table(("TARGET", "DESCRIPTION"), rows)))
