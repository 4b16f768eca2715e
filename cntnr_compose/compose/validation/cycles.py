"""Find the cycles of a graph in linear time and without recursion."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence


def find_cycles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Find one shortest cycle of each strongly connected component: ``["a", "b", "a"]``.

    Every node that an edge leads to must be a key.
    """
    for component in _strong_components(edges):
        yield _shortest_cycle(edges, min(component), component)


def _shortest_cycle(
    edges: Mapping[str, Sequence[str]], start: str, component: set[str]
) -> list[str]:
    predecessor: dict[str, str] = {}
    queue = deque([start])
    while start not in predecessor:
        node = queue.popleft()
        for successor in edges[node]:
            if successor in component and successor not in predecessor:
                predecessor[successor] = node
                queue.append(successor)
    cycle = [start, predecessor[start]]
    while cycle[-1] != start:
        cycle.append(predecessor[cycle[-1]])
    return cycle[::-1]


def _strong_components(edges: Mapping[str, Sequence[str]]) -> Iterator[set[str]]:
    """Find sets of nodes that reach each other: Tarjan's algorithm, with a stack of its own."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    pending: dict[str, None] = {}  # in order: nodes whose component is not complete
    for root in edges:
        work = [] if root in index else [(root, iter(edges[root]))]
        while work:
            node, successors = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                pending[node] = None
            for successor in successors:
                if successor not in index:
                    work.append((successor, iter(edges[successor])))
                    break
                if successor in pending:
                    low[node] = min(low[node], index[successor])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    component = _pop_until(pending, node)
                    if len(component) > 1 or node in edges[node]:
                        yield component


def _pop_until(pending: dict[str, None], node: str) -> set[str]:
    popped: set[str] = set()
    while node not in popped:
        popped.add(pending.popitem()[0])
    return popped
