"""`version` prints the version in docker's forms."""

import pytest

from cntnr_compose import __version__
from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("words", [("--version",), ("compose", "version")])
def test_the_version_is_printed(cntnr: Run, words: tuple[str, ...]) -> None:
    ran = cntnr(*words)
    assert ran.code == 0
    assert __version__ in ran.out


def test_it_has_docker_s_forms(cntnr: Run) -> None:
    assert cntnr("compose", "version", "--short").out == f"{__version__}\n"
    assert cntnr("compose", "version", "-f", "json").out == f'{{"version":"v{__version__}"}}\n'
