"""`cntnr events`: print the events of all containers as they happen.

Of those that happened before, the supervisor of a project knows the latest 256, and none of before its own
start; that of containers of no project is one of these supervisors.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import filter_option, since_option, until_option
from cntnr_compose.cli.parser.options import command, option

if TYPE_CHECKING:
    from cntnr_compose.core.events import ContainerEvent

FILTERS = ("container", "event", "image", "label", "scope", "type")
# Of docker's; no event of a container has any of these.
OTHERS = ("config", "daemon", "network", "node", "plugin", "secret", "service", "volume")


@command(of_project=False)
@filter_option("container=, event=, image=, label=VALUE.", "-f")
@option("--format", "form", default="", metavar="FORMAT", values=("json",), help="json, template.")
@since_option
@until_option
def events(*, filters: tuple[str, ...], form: str, since: str, until: str) -> None:
    """Print the events of all containers as they happen, until Ctrl-C.

    For example:

        cntnr events --since 10m --until 0s --filter event=die
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.flows.resource_lists import parse_filters
    from cntnr_compose.cli.parser.since_until import parse_range
    from cntnr_compose.client.event_stream import stream_all_events

    begin, end = parse_range(since, until)
    conditions = parse_filters(filters, (*FILTERS, *OTHERS))
    format_event = _choose_format(form)
    for event in stream_all_events(since=begin, until=end):
        if _is_shown(event, conditions):
            stdout.print_line(format_event(event))


def _choose_format(form: str) -> "Callable[[ContainerEvent], str]":
    """Return the function that formats events. Raises `UnknownFormat`."""
    from cntnr_compose.cli.display import event_lines
    from cntnr_compose.cli.display.listing import UnknownFormat

    if not form:
        return event_lines.format_line
    if form.replace(" ", "") in ("json", "{{json.}}"):
        from cntnr_compose.core.values import to_json

        return lambda event: to_json(event_lines.describe_event(event)).decode()
    if "{{" not in form:
        raise UnknownFormat(form)
    from cntnr_compose.cli.display.templates.go_template import render_template

    def render(event: "ContainerEvent") -> str:
        fields = event_lines.describe_event(event)
        # Go's names of the fields, where they are others than those in JSON.
        names = {"status": "Status", "id": "ID", "from": "From", "scope": "Scope"}
        names |= {"time": "Time", "timeNano": "TimeNano"}
        return render_template(form, {names.get(key, key): fields[key] for key in fields})

    return render


def _is_shown(event: "ContainerEvent", filters: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether all filters let an event through; of one name, one value has to match."""
    from cntnr_compose.cli.flows.resource_lists import matches_labels

    health = event.attributes.get("health")
    image = event.attributes.get("image", "")
    actions = {event.action, f"{event.action}: {health}"}
    names = {
        "container": {event.id, event.name},
        "event": actions,
        "image": {image, image.rpartition(":")[0] if ":" in image.rpartition("/")[2] else image},
        "scope": {"local"},
        "type": {"container"},
    }
    return (
        not any(name in OTHERS for name in filters)
        and matches_labels(event.labels, {"label": filters.get("label", ())})
        and all(
            names[name].intersection(values)
            or (name == "container" and any(event.id.startswith(text) for text in values if text))
            for name, values in filters.items()
            if name in names
        )
    )
