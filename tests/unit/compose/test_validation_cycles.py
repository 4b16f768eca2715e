"""Cycles are named by a shortest way round, each tangle once."""

from cntnr_compose.compose.validation.cycles import find_cycles


def test_a_graph_without_cycles_has_none() -> None:
    assert list(find_cycles({"a": ["b", "c"], "b": ["c"], "c": []})) == []


def test_a_cycle_begins_and_ends_with_its_first_node() -> None:
    edges = {"d": ["a"], "c": ["a"], "b": ["c"], "a": ["b"]}
    assert list(find_cycles(edges)) == [["a", "b", "c", "a"]]


def test_a_node_with_an_edge_to_itself_is_a_cycle() -> None:
    assert list(find_cycles({"a": ["a"]})) == [["a", "a"]]


def test_the_shortest_cycle_is_found() -> None:
    edges = {"a": ["b", "c"], "b": ["d"], "d": ["a"], "c": ["a"]}
    assert list(find_cycles(edges)) == [["a", "c", "a"]]


def test_each_component_has_one_cycle() -> None:
    edges = {"a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c", "c"], "e": ["a", "d"]}
    assert sorted(find_cycles(edges)) == [["a", "b", "a"], ["c", "d", "c"]]


def test_a_very_long_cycle_is_found_without_recursion() -> None:
    edges = {str(n): [str((n + 1) % 20_000)] for n in range(20_000)}
    (cycle,) = find_cycles(edges)
    assert len(cycle) == 20_001
