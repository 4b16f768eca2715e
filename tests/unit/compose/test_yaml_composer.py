"""Trees of YAML events: merges, tags, aliases and their limits."""

import time

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.yaml.reader import Document, read_documents


def parse(text: str) -> Document:
    (document,) = read_documents(text, "f.yaml")
    return document


def test_merged_keys_stand_below_ones_own() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}\n"
    assert parse(text).tree["z"] == {"a": 1, "b": 1, "c": 3}


def test_what_is_reset_goes_and_is_remembered() -> None:
    document = parse("a: {b: !reset null, c: !override [1], d: [1, !reset 2, 3]}\n")
    assert document.tree == {"a": {"c": [1], "d": [1, 3]}}
    assert document.reset_paths == (("a", "b"), ("a", "c"), ("a", "d", 1))


def test_a_reset_in_an_anchor_counts_wherever_it_is_named() -> None:
    document = parse("x: &x {p: !reset null}\ny: {<<: *x}\nz: *x\n")
    assert document.reset_paths == (("x", "p"), ("y", "p"), ("z", "p"))


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    begun = time.perf_counter()
    with pytest.raises(ComposeFileInvalid, match="excessive aliasing"):
        list(read_documents("\n".join(lines), "f"))
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("text", ["[" * 500 + "]" * 500, "- " * 500 + "a"])
def test_depth_ends_somewhere(text: str) -> None:
    with pytest.raises(ComposeFileInvalid, match="nested more than 128 levels"):
        list(read_documents(text, "f"))


def test_aliases_do_not_make_it_deeper() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
    with pytest.raises(ComposeFileInvalid, match="nested more than 128 levels"):
        list(read_documents("\n".join(lines), "f"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%YAML 1.2\n---\na: b\n", "found incompatible YAML document"),
        (r'a: "b\/c"', "found unknown escape character"),
        (r'"\\\/": c', "found unknown escape character"),
        ("a: !!timestamp b", "cannot decode !!str `b` as a !!timestamp"),
        ("a: !!binary b c", "as a !!binary"),
    ],
)
def test_what_go_does_not_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        list(read_documents(text, "f.yaml"))
    assert message in str(raised.value)


def test_the_yaml_that_go_reads_may_be_named() -> None:
    assert parse("%YAML 1.1\n---\na: b\n").tree == {"a": "b"}
