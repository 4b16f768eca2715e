"""`cntnr events`: print the events of all containers, networks and volumes as they happen.

Of those that happened before, the supervisor of a project knows the latest 256, and none of before its own
start; that of containers of no project is one of these supervisors. Events of networks and volumes are read
from a file.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import filter_option, since_option, until_option
from cntnr_compose.cli.parser.options import command, option

if TYPE_CHECKING:
    from cntnr_compose.core.events import ContainerEvent, ResourceEvent

FILTERS = ("container", "event", "image", "label", "network", "scope", "type", "volume")
ACTORS = ("container", "network", "volume")  # their values may be the beginning of an id
# Of docker's; no event has any of these.
OTHERS = ("config", "daemon", "node", "plugin", "secret", "service")


@command(of_project=False)
@filter_option("container=, event=, image=, label=, network=, type=, volume=VALUE.", "-f")
@option("--format", "form", default="", metavar="FORMAT", values=("json",), help="json, template.")
@since_option
@until_option
def events(*, filters: tuple[str, ...], form: str, since: str, until: str) -> None:
    """Print the events of all containers, networks and volumes as they happen, until Ctrl-C.

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


def _choose_format(form: str) -> "Callable[[ContainerEvent | ResourceEvent], str]":
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

    def render(event: "ContainerEvent | ResourceEvent") -> str:
        fields = {"status": "", "id": "", "from": "", **event_lines.describe_event(event)}
        # Go's names of the fields, where they are others than those in JSON.
        names = {"status": "Status", "id": "ID", "from": "From", "scope": "Scope"}
        names |= {"time": "Time", "timeNano": "TimeNano"}
        return render_template(form, {names.get(key, key): fields[key] for key in fields})

    return render


def _is_shown(
    event: "ContainerEvent | ResourceEvent", filters: Mapping[str, Sequence[str]]
) -> bool:
    """Tell whether all filters let an event through; of one name, one value has to match."""
    from cntnr_compose.cli.flows.resource_lists import matches_labels

    words, labels = _searched_words(event)
    return matches_labels(labels, {"label": filters.get("label", ())}) and all(
        words.get(name, set()).intersection(values)
        or (name in ACTORS and name in words and event.id.startswith(tuple(filter(None, values))))
        for name, values in filters.items()
        if name != "label"
    )


def _searched_words(
    event: "ContainerEvent | ResourceEvent",
) -> tuple[dict[str, set[str]], Mapping[str, str]]:
    """Return what filters look for in an event, by their names, and its labels."""
    from cntnr_compose.core.events import ResourceEvent

    everything = {"scope": {"local"}}
    if isinstance(event, ResourceEvent):
        names = {event.id, event.attributes.get("name", event.id)}
        return everything | {"event": {event.action}, "type": {event.type}, event.type: names}, {}
    health = event.attributes.get("health")
    image = event.attributes.get("image", "")
    return everything | {
        "container": {event.id, event.name},
        "event": {event.action, f"{event.action}: {health}"},
        "image": {image, image.rpartition(":")[0] if ":" in image.rpartition("/")[2] else image},
        "type": {"container"},
    }, event.labels
