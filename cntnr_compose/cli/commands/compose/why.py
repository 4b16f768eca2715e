"""`cntnr compose why`: tell what became last of the containers of a service, and why."""

import signal
import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag, index, option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.containers.state.history import PastEvent
    from cntnr_compose.core.values import Seconds, Tree
    from cntnr_compose.model.observed import Container, HealthcheckResult
    from cntnr_compose.model.project import Project

JSON_SCHEMA = 1  # of the objects of `--json`: docs/streams.md
MAX_LINES = 5  # of the output of a probe or a container
MAX_WIDTH = 200  # of a line of it
OOM_EXIT_CODE = 137  # SIGKILL
INDENT = " " * 33
WORDS = {
    "created": "created",
    "recreated": "recreated",
    "started": "started",
    "exited": "exited",
    "start_failed": "start failed",
    "not_started": "not started",
    "healthy": "healthy",
    "unhealthy": "unhealthy",
}


@command("SERVICE")
@argument("service", metavar="SERVICE")
@index
@option(
    "--format",
    "form",
    kind=("table", "json"),
    default="table",
    help="Text for people or one JSON object a container for programs.",
)
@flag("--json", "as_json", help="As `--format json`.")
def why(options: "ProjectOptions", service: str, *, index: int, form: str, as_json: bool) -> None:
    """Tell why a service is in the state that it is in: its last start, recreation, end, restart, probe."""
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.client.observe import read_containers
    from cntnr_compose.containers.state.history import read_entries

    name = options.resolve_name()
    existing = read_containers(name)
    containers = select_containers(existing, (service,), options.find_project, index=index)
    entries = [entry for entry in read_entries(name, service) if index in (0, entry.number)]
    subjects: list[Container | None] = list(containers) or [None]
    for container in subjects:
        number = container.record.number if container else index
        own = latest_entries(entries, number)
        reason = "" if container or own else _reason_of_absence(options, name, service, existing)
        if as_json or form == "json":
            from cntnr_compose.core.values import to_json

            tree = json_object(name, service, container, own, reason)
            stdout.print_line(to_json(tree).decode())
        else:
            now = time.time()
            lines = format_story(service, container, own, reason, now)
            stdout.write("".join(f"{line.rstrip()}\n" for line in lines))


def latest_entries(entries: "Sequence[PastEvent]", number: int) -> "list[PastEvent]":
    """Return what tells of the present state of a container: the latest entry of each kind.

    ``number`` 0 means any. What an earlier container of the number did before it was recreated is left out,
    but for its end.
    """
    own = [entry for entry in entries if number in (0, entry.number)]
    latest = {entry.action: entry for entry in own}
    born = max(
        (latest[kind].time for kind in ("created", "recreated") if kind in latest), default=0.0
    )
    kept = [
        entry
        for entry in latest.values()
        if entry.time >= born or (entry.action == "exited" and "recreated" in entry.cause)
    ]
    started = max((entry.time for entry in kept if entry.action == "started"), default=0.0)
    return sorted(
        (entry for entry in kept if not _is_overcome(entry, started)), key=lambda entry: entry.time
    )


def _is_overcome(entry: "PastEvent", started: "Seconds") -> bool:
    """Check whether a failure or a probe lies before the last start."""
    return entry.time < started and entry.action in (
        "start_failed", "not_started", "healthy", "unhealthy",
    )  # fmt: skip


def _reason_of_absence(
    options: "ProjectOptions", name: str, service: str, existing: "Sequence[Container]"
) -> str:
    """Say why a service has neither a container nor a history."""
    project = options.find_project()
    disabled = _disabled_profiles(project, service)
    if disabled:
        return f"its profiles are not enabled: {', '.join(disabled)}"
    if not existing:
        return f"project {name} is down, or was never up"
    return "it was never started, or was removed; `cntnr compose up` starts it"


def _disabled_profiles(project: "Project | None", service: str) -> tuple[str, ...]:
    disabled = project.disabled.get(service) if project else None
    return tuple(disabled.profiles) if disabled else ()


def format_story(
    service: str,
    container: "Container | None",
    entries: "Sequence[PastEvent]",
    reason: str,
    now: "Seconds",
) -> "Iterator[str]":
    """Format state, latest events, probes and output of one container."""
    from cntnr_compose.cli.display.container_text import format_status

    if container is None:
        yield f"{service}: no container" + (f"; {reason}" if reason else "")
    else:
        yield f"{container.name}: {format_status(container.listed(), now)}"
    for entry in entries:
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.time))
        first, *more = map(_printable, describe_entry(entry).splitlines() or [""])
        yield f"  {clock}  {WORDS[entry.action]:<11} {first}"
        yield from (f"{INDENT} {line}" for line in more[:MAX_LINES])
    if container is not None:
        error = container.status.error
        if error and all(entry.cause != error for entry in entries):
            yield f"  {'':<19}  error       {_printable(error)}"
        yield from _format_probes(container)
        yield from _format_output(container)


def describe_entry(entry: "PastEvent") -> str:
    """Describe an event in words: cause, how it ended, what follows."""
    by = f"`{entry.command}`" if entry.command else ""
    match entry.action:
        case "exited":
            text = (
                f"{describe_exit(entry)} after {format_duration(entry.run_time)}; {entry.decision}"
            )
        case "healthy":
            text = "the probe succeeds"
        case "unhealthy":
            text = "the probe has failed too often"
        case _:
            cause = "there was none" if entry.cause == "not found" else entry.cause
            text = ": ".join(part for part in (f"by {by}" if by else "", cause) if part)
    return text


def describe_exit(entry: "PastEvent") -> str:
    """Describe how a run ended: exit code, signal, and who wanted it."""
    code = entry.exit_code or 0
    name = signal_name(code)
    if entry.oom_killed and code == OOM_EXIT_CODE:
        how = f"killed by the kernel, since its memory was used up (OOM, exit code {code})"
    elif name:
        how = f"killed by {name} (exit code {code})"
    else:
        how = f"exit code {code}"
    if entry.oom_killed and code != OOM_EXIT_CODE:
        how += ", after the kernel had killed a process of it for its memory (OOM)"
    if entry.cause:
        what, _, cause = entry.cause.partition(": ")
        command = f" of `{entry.command}`" if entry.command and entry.command != what else ""
        how += f", for the {what}{command}" + (f" ({cause})" if cause else "")
    return how


def signal_name(code: int) -> str:
    """Return the name of the signal that an exit code stands for; empty where for none."""
    try:
        return signal.Signals(code - 128).name if code > 128 else ""
    except ValueError:
        return ""


def format_duration(seconds: "Seconds") -> str:
    """Format how long a run took."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _format_probes(container: "Container") -> "Iterator[str]":
    """Format the last probes of a container that is not healthy."""
    status = container.status
    failed = [probe for probe in status.probes if probe.exit_code != 0]
    if status.health == "healthy" or not failed:
        return
    streak = f", {status.failing_streak} in a row" if status.failing_streak > 1 else ""
    yield f"  last failed probes{streak}:"
    for probe in failed[-3:]:
        clock = time.strftime("%H:%M:%S", time.localtime(probe.started))
        took = format_duration(probe.ended - probe.started)
        yield f"    {clock}  exit code {probe.exit_code} after {took}"
        yield from (f"      | {line}" for line in _last_lines(probe.output.splitlines()))


def _format_output(container: "Container") -> "Iterator[str]":
    """Format the last lines that a container wrote, where it ended with an error."""
    if container.is_running and container.status.state != "restarting":
        return
    lines = _last_output(container)
    if lines and container.status.exit_code:
        yield "  last output:"
        yield from (f"    | {line}" for line in lines)


def _last_output(container: "Container") -> list[str]:
    import contextlib

    from cntnr_compose.containers.logs.lines import LogRange
    from cntnr_compose.containers.logs.reader import LogFile
    from cntnr_compose.core import paths

    record = container.record
    path = paths.container_log(record.project, record.id)
    with contextlib.closing(LogFile(path, record.id)) as log:
        read = list(log.read_history(LogRange(tail=MAX_LINES)))
    return _last_lines([line.text.decode(errors="replace") for line in read])


def _last_lines(lines: "Sequence[str]") -> list[str]:
    """Return the last lines, cut."""
    return [_printable(line)[:MAX_WIDTH] for line in lines if line.strip()][-MAX_LINES:]


def _printable(text: str) -> str:
    """Return a text without characters that a terminal acts on."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def json_object(
    project: str,
    service: str,
    container: "Container | None",
    entries: "Iterable[PastEvent]",
    reason: str,
) -> "Tree":
    """Make the JSON object of one container; docs/streams.md describes it."""
    status = container.status if container else None
    return {
        "Project": project,
        "Service": service,
        "Container": container.name if container else "",
        "Index": container.record.number if container else 0,
        "State": status.state if status else "",
        "ExitCode": status.exit_code if status else 0,
        "Health": status.health if status else "",
        "Restarts": status.restarts if status else 0,
        "Error": status.error if status else "",
        "Reason": reason,
        "Events": [_event_object(entry) for entry in entries],
        "Probes": [_probe_object(probe) for probe in (status.probes if status else ())],
        "Output": _last_output(container) if container else [],
        "Schema": JSON_SCHEMA,
    }


def _event_object(entry: "PastEvent") -> "Tree":
    ended = entry.action == "exited"
    return {
        "Time": _format_time(entry.time),
        "Action": entry.action,
        "Container": entry.container,
        "Index": entry.number,
        "Command": entry.command,
        "Cause": entry.cause,
        **({"ExitCode": entry.exit_code} if entry.exit_code is not None else {}),
        **({"Signal": signal_name(entry.exit_code or 0)} if ended else {}),
        **({"OOMKilled": entry.oom_killed, "RunTime": entry.run_time} if ended else {}),
        **({"Decision": entry.decision} if ended else {}),
        **({"Output": entry.output} if entry.action in ("healthy", "unhealthy") else {}),
    }


def _probe_object(probe: "HealthcheckResult") -> "Tree":
    return {
        "Start": _format_time(probe.started),
        "End": _format_time(probe.ended),
        "ExitCode": probe.exit_code,
        "Output": probe.output,
    }


def _format_time(seconds: "Seconds") -> str:
    fraction = f"{seconds % 1:.6f}"[1:]
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f"{fraction}Z"
