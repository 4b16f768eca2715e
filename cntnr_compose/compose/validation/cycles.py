"""Find the cycles of a graph, each named once, in linear time and without recursion."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence


def find_cycles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Give one shortest cycle for each tangle of a graph: ``["a", "b", "a"]``.

    Every node that is pointed at must be a key.
    """
    for tangle in _strong_components(edges):
        yield _shortest_cycle(edges, min(tangle), tangle)


def _shortest_cycle(edges: Mapping[str, Sequence[str]], start: str, within: set[str]) -> list[str]:
    came: dict[str, str] = {}
    ahead = deque([start])
    while start not in came:
        here = ahead.popleft()
        for there in edges[here]:
            if there in within and there not in came:
                came[there] = here
                ahead.append(there)
    back = [start, came[start]]
    while back[-1] != start:
        back.append(came[back[-1]])
    return back[::-1]


def _strong_components(edges: Mapping[str, Sequence[str]]) -> Iterator[set[str]]:
    """Give the sets of nodes that reach each other (Tarjan's algorithm, with a stack of its own)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    kept: dict[str, None] = {}  # in order: the stack of nodes whose set is not known yet
    for root in edges:
        work = [] if root in index else [(root, iter(edges[root]))]
        while work:
            node, rest = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                kept[node] = None
            for other in rest:
                if other not in index:
                    work.append((other, iter(edges[other])))
                    break
                if other in kept:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == index[node]:
                    found = _pop_until(kept, node)
                    if len(found) > 1 or node in edges[node]:
                        yield found


def _pop_until(kept: dict[str, None], node: str) -> set[str]:
    found: set[str] = set()
    while node not in found:
        found.add(kept.popitem()[0])
    return found
