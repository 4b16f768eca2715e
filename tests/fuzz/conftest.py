"""The option ``--fuzz N``: how many documents of each kind are tried."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=0, metavar="N", help="documents of each kind")
