"""Services that tell what they find and end: the quickest way to look at many settings at once."""

from typing import Any

from tests.scenarios.lib import Project, wait_until


def reports(project: Project, *words: str, **more: Any) -> dict[str, list[str]]:
    """Bring services up that end by themselves, and give the lines that each of them wrote."""
    project.up(*words, **more)
    ended(project)
    return written(project)


def ended(project: Project) -> dict[str, int]:
    """Wait until all containers have ended; give their exit codes by service."""

    def codes() -> dict[str, int]:
        rows = project.ps()
        over = all(row["State"] == "exited" for row in rows)
        return {row["Service"]: row["ExitCode"] for row in rows} if over else {}

    found = wait_until(codes, what="all containers have ended")
    assert isinstance(found, dict)
    return found


def written(project: Project) -> dict[str, list[str]]:
    """Give the lines that each service wrote to its standard output."""
    found: dict[str, list[str]] = {}
    for line in project.compose("logs", "--no-color").ok().stdout.splitlines():
        source, _, text = line.partition("| ")
        service = source.strip().rpartition("-")[0]
        found.setdefault(service, []).append(text)
    return found
