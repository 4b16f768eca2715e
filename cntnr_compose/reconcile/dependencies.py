"""The graph of services: which come before which, and why. The one home of networkx.

networkx takes about 95 ms to import, so it is used only where the answer is not plain: a project
without dependencies keeps the order of its file, and stops are ordered by `heights`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.service import Service

Edges: TypeAlias = Mapping[str, tuple[str, ...]]
REFERENCE = "service:"


class DependencyCycle(CntnrError):
    """Services depend on each other in a circle."""

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
    names = (mode.removeprefix(REFERENCE) for mode in modes if mode.startswith(REFERENCE))
    return tuple(dict.fromkeys(names))


def volume_owners(service: Service) -> tuple[str, ...]:
    """Name the services whose mounts a service uses: ``volumes_from``."""
    references = (one for one in service.volumes_from if not one.startswith("container:"))
    return tuple(dict.fromkeys(reference.partition(":")[0] for reference in references))


def required_services(service: Service) -> tuple[str, ...]:
    """Name all services that come before a service, for whatever reason."""
    links = (link.partition(":")[0] for link in service.links)
    names = (*service.depends_on, *links, *namespace_owners(service), *volume_owners(service))
    return tuple(dict.fromkeys(names))


def edges(services: Mapping[str, Service]) -> dict[str, tuple[str, ...]]:
    """Return for each service which of the others come before it."""
    return {
        name: tuple(one for one in required_services(service) if one in services)
        for name, service in services.items()
    }


def start_order(services: Mapping[str, Service]) -> tuple[str, ...]:
    """Order services so that each comes after what it depends on.

    Where that leaves a choice, the order of the file decides. Raises `DependencyCycle`.
    """
    required = edges(services)
    if not any(required.values()):
        return tuple(services)
    import networkx as nx

    position = {name: number for number, name in enumerate(services)}
    try:
        return tuple(nx.lexicographical_topological_sort(_digraph(required), key=position.get))
    except nx.NetworkXUnfeasible:
        raise DependencyCycle(find_cycle(services)) from None


def find_cycle(services: Mapping[str, Service]) -> tuple[str, ...]:
    """Name the services of one cycle, the first again at the end; nothing where there is none."""
    import networkx as nx

    try:
        cycle = nx.find_cycle(_digraph(edges(services)).reverse(copy=False))
    except nx.NetworkXNoCycle:
        return ()
    names = [name for name, _ in cycle]
    first = names.index(min(names))
    names = names[first:] + names[:first]
    return (*names, names[0])


def heights(required: Edges) -> dict[str, int]:
    """Return the length of the longest chain of dependencies below each service; 0 where it has none.

    Stopping in the order of falling heights stops each service before what it depends on, and costs no
    import. A cycle, which only records of different times can make, is cut where it is first met.
    """
    known: dict[str, int] = {}
    for root in required:
        path = {} if root in known else {root: iter(required[root])}
        while path:
            name = next(reversed(path))
            below = next((one for one in path[name] if one not in known and one not in path), None)
            if below is not None:
                path[below] = iter(required.get(below, ()))
                continue
            lower = (known.get(one, -1) for one in required.get(name, ()))
            known[name] = 1 + max(lower, default=-1)
            del path[name]
    return known


def _digraph(required: Edges) -> Any:
    """Make a networkx DiGraph; an edge points from a service to one that comes after it."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(required)
    graph.add_edges_from((before, name) for name, each in required.items() for before in each)
    return graph
