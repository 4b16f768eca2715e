"""docs/original.md has a row for each promise and fault of the original, and names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/original.md").read_text()
ROWS = dict(re.findall(r"^\| ([A-Z]\d+) \| (.*) \|$", TEXT, re.MULTILINE))
COUNTS = {"F": 13, "C": 13, "L": 7, "R": 16, "W": 25}
FUNCTIONS = {
    path.name: set(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))
    for path in (ROOT / "tests").rglob("test_*.py")
}


def test_each_has_a_row() -> None:
    assert list(ROWS) == [
        f"{kind}{number}" for kind, count in COUNTS.items() for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("identity", ROWS)
def test_a_row_names_tests_that_exist_or_says_why_not(identity: str) -> None:
    what, _, answer = ROWS[identity].partition(" | ")
    assert what
    named = re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", answer)
    assert named or re.match(r"not |as [A-Z]\d|all (of|scenarios)", answer)
    for file, function in named:
        assert file in FUNCTIONS
        assert not function or function in FUNCTIONS[file]
