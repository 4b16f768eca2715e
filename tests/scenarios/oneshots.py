"""Run services that print their settings and exit: the quickest way to check many settings at once."""

from typing import Any

from tests.scenarios.lib import Project, wait_until


def run_and_read_logs(project: Project, *words: str, **more: Any) -> dict[str, list[str]]:
    """Run services that exit by themselves; return the lines that each of them printed."""
    project.up(*words, **more)
    wait_for_exits(project)
    return read_logs(project)


def wait_for_exits(project: Project) -> dict[str, int]:
    """Wait until all containers have exited; return their exit codes by service."""

    def codes() -> dict[str, int]:
        rows = project.ps()
        over = all(row["State"] == "exited" for row in rows)
        return {row["Service"]: row["ExitCode"] for row in rows} if over else {}

    exit_codes = wait_until(codes, what="all containers have ended")
    assert isinstance(exit_codes, dict)
    return exit_codes


def read_logs(project: Project) -> dict[str, list[str]]:
    """Return the logged lines of each service."""
    lines: dict[str, list[str]] = {}
    for line in project.compose("logs", "--no-color").ok().stdout.splitlines():
        source, _, text = line.partition("| ")
        service = source.strip().rpartition("-")[0]
        lines.setdefault(service, []).append(text)
    return lines
