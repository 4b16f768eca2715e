"""Cycles are named by a shortest way round, each tangle once."""

from cntnr_compose.compose.validation.cycles import find_cycles


def test_a_graph_without_cycles_has_none() -> None:
    assert list(find_cycles({"a": ["b", "c"], "b": ["c"], "c": []})) == []


def test_a_cycle_is_named_from_its_first_word_round_to_it_again() -> None:
    edges = {"d": ["a"], "c": ["a"], "b": ["c"], "a": ["b"]}
    assert list(find_cycles(edges)) == [["a", "b", "c", "a"]]


def test_what_points_at_itself_is_a_cycle() -> None:
    assert list(find_cycles({"a": ["a"]})) == [["a", "a"]]


def test_the_shortest_way_round_is_named() -> None:
    edges = {"a": ["b", "c"], "b": ["d"], "d": ["a"], "c": ["a"]}
    assert list(find_cycles(edges)) == [["a", "c", "a"]]


def test_each_tangle_is_named_once() -> None:
    edges = {"a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c", "c"], "e": ["a", "d"]}
    assert sorted(find_cycles(edges)) == [["a", "b", "a"], ["c", "d", "c"]]


def test_a_very_long_cycle_is_found_without_recursion() -> None:
    edges = {str(n): [str((n + 1) % 20_000)] for n in range(20_000)}
    (cycle,) = find_cycles(edges)
    assert len(cycle) == 20_001
