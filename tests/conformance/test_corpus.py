"""Every case of the corpus, where there is one: `config` prints what docker compose prints."""

import sys
from typing import Any

import pytest

from tests.conformance.run import cases, corpus, difference, in_process, unchecked

FOLDER = corpus()
IS_THERE = (FOLDER / "cases.json").is_file()
if not IS_THERE:
    sys.stderr.write(f"no conformance corpus at {FOLDER}: nothing of it is collected\n")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each case."""
    listed = cases(FOLDER)
    metafunc.parametrize("case", listed, ids=[case["id"] for case in listed])


if IS_THERE:

    def test_config_prints_what_docker_compose_prints(case: dict[str, Any]) -> None:
        assert not difference(case, FOLDER, in_process(case, FOLDER))

    def test_check_knows_every_key(case: dict[str, Any]) -> None:
        assert not unchecked(case, FOLDER)
