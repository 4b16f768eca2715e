"""Add the option ``--fuzz N``: try N documents of each kind instead of a few."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=0, metavar="N", help="documents of each kind")
