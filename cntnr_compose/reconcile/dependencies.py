"""Who waits for whom among services. The one home of networkx.

networkx takes about 95 ms to import, so it is asked only where the answer is not plain: a project
without dependencies keeps the order of its file, and what is stopped is ordered by `heights`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.service import Service

Edges: TypeAlias = Mapping[str, tuple[str, ...]]
REFERENCE = "service:"


class DependencyCycle(CntnrError):
    """Services wait for each other in a circle."""

    hint = "remove one of these dependencies"

    def __init__(self, path: Iterable[str]) -> None:
        super().__init__(f"dependency cycle detected: {' -> '.join(path)}")


def joins_container_namespaces(service: Service) -> bool:
    """Tell whether a service uses namespaces of a container by its name: ``container:X``."""
    modes = (service.network_mode, service.ipc, service.pid)
    return any(mode.startswith("container:") for mode in modes)


def namespace_owners(service: Service) -> tuple[str, ...]:
    """Name the services whose namespaces a service uses: ``network_mode: service:X``, ipc, pid."""
    modes = (service.network_mode, service.ipc, service.pid)
    found = (mode.removeprefix(REFERENCE) for mode in modes if mode.startswith(REFERENCE))
    return tuple(dict.fromkeys(found))


def volume_owners(service: Service) -> tuple[str, ...]:
    """Name the services whose mounts a service uses: ``volumes_from``."""
    ours = (one for one in service.volumes_from if not one.startswith("container:"))
    return tuple(dict.fromkeys(one.partition(":")[0] for one in ours))


def required_services(service: Service) -> tuple[str, ...]:
    """Name all services that come before a service, for whatever reason."""
    links = (link.partition(":")[0] for link in service.links)
    named = (*service.depends_on, *links, *namespace_owners(service), *volume_owners(service))
    return tuple(dict.fromkeys(named))


def edges(services: Mapping[str, Service]) -> dict[str, tuple[str, ...]]:
    """Tell for each service which of the others come before it."""
    return {
        name: tuple(one for one in required_services(service) if one in services)
        for name, service in services.items()
    }


def dependency_graph(services: Mapping[str, Service]) -> Any:
    """Give the networkx DiGraph of services; an arrow points from what comes first to what waits."""
    return _digraph(edges(services))


def start_order(services: Mapping[str, Service]) -> tuple[str, ...]:
    """Put services in an order in which each comes after what it depends on.

    Where that leaves a choice, the order of the file decides. Raises `DependencyCycle`.
    """
    waits = edges(services)
    if not any(waits.values()):
        return tuple(services)
    import networkx as nx

    place = {name: number for number, name in enumerate(services)}
    try:
        return tuple(nx.lexicographical_topological_sort(_digraph(waits), key=place.get))
    except nx.NetworkXUnfeasible:
        raise DependencyCycle(find_cycle(services)) from None


def stop_order(services: Mapping[str, Service]) -> tuple[str, ...]:
    """Put services in an order in which each comes before what it depends on."""
    return start_order(services)[::-1]


def find_cycle(services: Mapping[str, Service]) -> tuple[str, ...]:
    """Name the services of one circle, the first again at the end; nothing where there is none."""
    import networkx as nx

    try:
        arrows = nx.find_cycle(_digraph(edges(services)).reverse(copy=False))
    except nx.NetworkXNoCycle:
        return ()
    names = [one for one, _ in arrows]
    first = names.index(min(names))
    names = names[first:] + names[:first]
    return (*names, names[0])


def ancestors(services: Mapping[str, Service], name: str) -> frozenset[str]:
    """Name everything that a service needs, directly or not."""
    import networkx as nx

    return frozenset(nx.ancestors(dependency_graph(services), name))


def descendants(services: Mapping[str, Service], name: str) -> frozenset[str]:
    """Name everything that needs a service, directly or not."""
    import networkx as nx

    return frozenset(nx.descendants(dependency_graph(services), name))


def heights(waits: Edges) -> dict[str, int]:
    """Tell how many floors each stands above the ground; who waits stands above what it waits for.

    This is what a topological order means for stopping, and costs no import. A circle, which only
    records of different times can make, is cut where it is first met.
    """
    known: dict[str, int] = {}
    for root in waits:
        path = {} if root in known else {root: iter(waits[root])}
        while path:
            name = next(reversed(path))
            below = next((one for one in path[name] if one not in known and one not in path), None)
            if below is not None:
                path[below] = iter(waits.get(below, ()))
                continue
            known[name] = 1 + max((known.get(one, -1) for one in waits.get(name, ())), default=-1)
            del path[name]
    return known


def _digraph(waits: Edges) -> Any:
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(waits)
    graph.add_edges_from((before, name) for name, found in waits.items() for before in found)
    return graph
