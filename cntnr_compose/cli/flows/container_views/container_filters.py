"""Filters of `ps`: which containers docker's `--filter` lets through."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from cntnr_compose.cli.flows.resource_lists import (
    FilterInvalid,
    matches_labels,
    matches_text,
    parse_truth,
)
from cntnr_compose.core.units import parse_port_range
from cntnr_compose.model.observed import Container

FILTERS = (
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name",
    "network", "publish", "since", "status", "volume",
)  # fmt: skip
STATES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")
HEALTH = ("none", "starting", "healthy", "unhealthy")
PROTOCOLS = ("tcp", "udp", "sctp")
Filters = Mapping[str, Sequence[str]]
Condition = Callable[[Container], bool]
PortCondition = Callable[[int, str], bool]


def filter_containers(containers: Sequence[Container], filters: Filters) -> list[Container]:
    """Return the containers that all filters let through; of one name, one value has to match.

    Raises `FilterInvalid`, and for ``before`` and ``since`` what finding that container raises.
    """
    conditions = [*_plain_conditions(filters), *_order_conditions(containers, filters)]
    if filters.get("ancestor"):
        conditions.append(_made_of(filters["ancestor"]))
    return [one for one in containers if all(condition(one) for condition in conditions)]


def selects_stopped(filters: Filters) -> bool:
    """Tell whether filters ask for containers in states of their own, not only for those that run."""
    return bool(filters.get("status"))


def _plain_conditions(filters: Filters) -> Iterable[Condition]:
    """Yield the conditions that a container meets or not by itself."""
    states, healths = _words(filters, "status", STATES), _words(filters, "health", HEALTH)
    codes = [_parse_code(text) for text in filters.get("exited", ())]
    if parse_truth("is-task", filters.get("is-task", ())) or any(filters.get("isolation", ())):
        yield lambda _: False  # there is no swarm, and no Windows
    if states:
        yield lambda one: one.status.state in states
    if healths:
        yield lambda one: (one.status.health or "none") in healths
    if codes:
        yield lambda one: one.status.state in ("exited", "dead") and one.status.exit_code in codes
    yield lambda one: matches_labels(one.record.labels, filters)
    yield lambda one: matches_text(one.record.id, filters.get("id", ()))
    names = filters.get("name", ())
    yield lambda one: matches_text(one.name, names) or matches_text(f"/{one.name}", names)
    yield from _resource_conditions(filters)


def _resource_conditions(filters: Filters) -> Iterable[Condition]:
    """Yield the conditions on networks, volumes and ports."""
    if networks := filters.get("network", ()):
        yield lambda one: any(map(_is_on_network(one), networks))
    if volumes := filters.get("volume", ()):
        yield lambda one: any(
            volume in (mount.source, mount.target)
            for mount in one.record.mounts
            for volume in volumes
        )
    if published := [_parse_ports("publish", text) for text in filters.get("publish", ())]:
        yield lambda one: any(
            is_meant(port.published, port.protocol)
            for port in one.status.published
            for is_meant in published
        )
    if exposed := [_parse_ports("expose", text) for text in filters.get("expose", ())]:
        yield lambda one: any(
            is_meant(*port) for port in _list_exposed(one) for is_meant in exposed
        )


def _list_exposed(container: Container) -> Iterable[tuple[int, str]]:
    from cntnr_compose.cli.display.container_text import exposed_ports

    yield from exposed_ports(container.listed())
    for port in container.record.definition.ports:
        yield port.target, port.protocol


def _is_on_network(container: Container) -> Callable[[str], bool]:
    """Return a function that tells whether a container is on a network of a name or id."""
    names = set(container.record.networks.values())
    names.add(container.record.definition.network_mode)

    def is_on(network: str) -> bool:
        if network in names:
            return True
        from cntnr_compose.client.resources import list_networks
        from cntnr_compose.networks.records import network_id

        return any(
            network_id(each).startswith(network)
            for each in list_networks()
            if each.found.name in names
        )

    return is_on


def _words(filters: Filters, name: str, known: Sequence[str]) -> Sequence[str]:
    for word in filters.get(name, ()):
        if word not in known:
            raise FilterInvalid(f"{name}={word}", f"it can be {', '.join(known)}")
    return filters.get(name, ())


def _parse_code(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise FilterInvalid(f"exited={text}", "it is an exit code, such as exited=137") from None


def _parse_ports(name: str, text: str) -> PortCondition:
    """Parse ``PORT[-PORT][/PROTOCOL]``. Raises `FilterInvalid`."""
    number, _, protocol = text.partition("/")
    ends = parse_port_range(number)
    if ends is None or (protocol or "tcp") not in PROTOCOLS:
        raise FilterInvalid(
            f"{name}={text}", f"it is PORT[-PORT][/PROTOCOL], such as {name}=80/tcp"
        )
    first, last = ends
    return lambda port, of: first <= port <= last and of == (protocol or "tcp")


def _order_conditions(containers: Sequence[Container], filters: Filters) -> Iterable[Condition]:
    """Yield the conditions on which container was created first."""
    from cntnr_compose.cli.project.any_container import match_reference
    from cntnr_compose.containers.state.records import ContainerKey

    created = {one.record.id: one.record.created for one in containers}
    keys = [
        ContainerKey(id=each.record.id, name=each.name, project=each.record.project)
        for each in containers
    ]
    before = [created[match_reference(text, keys).id] for text in filters.get("before", ())]
    since = [created[match_reference(text, keys).id] for text in filters.get("since", ())]
    if before:
        yield lambda one: one.record.created < min(before)
    if since:
        yield lambda one: one.record.created > max(since)


def _made_of(names: Sequence[str]) -> Condition:
    """Return whether the image of a container is one of some images, or was made from one."""
    from cntnr_compose.images.errors import NoSuchImage
    from cntnr_compose.images.naming.lookup import find_image
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()
    layers: dict[str, list[str]] = {}

    def layers_of(identity: str) -> list[str]:
        if identity not in layers:
            image = store.find_by_id(identity)
            tree = store.config(image).get("rootfs") or {} if image else {}
            layers[identity] = list(tree.get("diff_ids") or [])
        return layers[identity]

    ids = set()
    for name in names:
        with contextlib.suppress(NoSuchImage):
            ids.add(find_image(store, name).image.id)

    def is_made_of(container: Container) -> bool:
        if container.record.image_id in ids or container.record.image in names:
            return True
        own = layers_of(container.record.image_id)
        return any(base == own[: len(base)] for base in map(layers_of, ids) if base)

    return is_made_of
