"""Strategies for hypothesis: texts of compose and env files, as people write them, and mangled."""

import json
from typing import Any

import yaml
from hypothesis import strategies as st

PIECES = [
    "", "\n", "\n  ", " ", "\t", ": ", "- ", "? ", "#", "|\n", ">-\n", "---\n", "...\n", "&a ", "*a",
    "<<: *a\n", "<<: [*a, *a]\n", "!reset ", "!reset null", "!override ", "!!str ", "!!int x",
    "!!float 1", "!!binary aGk=", "!!binary =", "!!set {a}", "!!timestamp x", "!<tag:x> ", "!x ",
    "%YAML 1.1\n", "'", '"', '"\\0"', '"\\ud800"', "[", "]", "{", "}", ",", "{a: b}", "[[[[", "@", "`",
    "2001-01-01", "0x1F", "0o17", "0b1", "1_000", "1e999", "-.inf", ".nan", "9" * 400, "~", "null", "$",
    "${", "${A", "${A:-${B:-c}}", "${A:?}", "${A!}", "$$", "$1", "\ufeff", "\u2028", "\x85", "\x07",
    "é", "😀", "version: 3", "x-a: &a [*a]",
]  # fmt: skip
ENV_PIECES = [
    "A", "B", "=", ": ", "'", '"', "\\", "#", " ", "export ", "${A}", "${B:-x}", "x", "\\n", "$", "${", "}",
    "é", "\x00", "=\n", "A=1\n", "\t", "B='a\nb'\n", "\r\n", "COMPOSE_FILE=",
]  # fmt: skip


@st.composite
def text(draw: Any, trees: Any) -> str:
    """Format a tree as YAML or JSON; now and then insert and remove pieces."""
    tree = draw(trees)
    form = draw(st.integers(0, 2))
    if form == 0:
        written = json.dumps(tree, ensure_ascii=draw(st.booleans()))
    else:
        written = yaml.safe_dump(tree, default_flow_style=form == 2, allow_unicode=True)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2, 5]))):
        start = draw(st.integers(0, len(written)))
        end = min(len(written), start + draw(st.sampled_from([0, 0, 0, 1, 5, 40])))
        written = written[:start] + draw(st.sampled_from(PIECES)) + written[end:]
    return written


@st.composite
def env_text(draw: Any) -> str:
    """Generate the text of an env file."""
    return "".join(draw(st.lists(st.sampled_from(ENV_PIECES), max_size=12)))
