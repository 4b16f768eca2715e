"""Make skipped tests fail, for all tests.

A skipped test proves nothing, so a skip fails the run unless its reason stands in `MAY_SKIP`, or
the run was started with ``--may-skip`` on a machine that is known to lack things.
"""

from collections.abc import Generator

import pytest

# Beginnings of reasons.
MAY_SKIP: tuple[str, ...] = (
    "only root can",  # give away control groups and the like; continuous integration runs as root
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--may-skip", action="store_true", help="let tests skip what this machine lacks"
    )


def _judge(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    if not report.skipped or hasattr(report, "wasxfail") or config.getoption("--may-skip"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith(MAY_SKIP or ("\0",)):
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as a failure here: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _judge(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _judge(report, collector.config)
    return report
