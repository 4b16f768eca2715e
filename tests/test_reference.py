"""Pages of commands: they name all variables, and their sentences are sentences."""

import re
from pathlib import Path

import pytest

from contrib.reference import manual
from contrib.reference.commands import VARIABLES, Page, all_pages

PACKAGE = Path(__file__).resolve().parents[1] / "cntnr_compose"
PAGES = list(all_pages())


def test_all_variables_are_named() -> None:
    text = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    assert set(re.findall(r'"(COMPOSE_[A-Z_]+)"', text)) <= set(VARIABLES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_command_and_its_options_are_described(page: Page) -> None:
    first, *_ = page.blocks
    assert re.fullmatch(r"[A-Z].*[.]", first), first
    for names, text in page.options:
        assert text.endswith("."), names
    assert not page.summary.endswith(".")


def test_the_manual_has_every_command_and_no_line_that_roff_takes_for_a_request() -> None:
    text = manual.document()
    for page in PAGES:
        assert f".SS {manual.escape(page.usage)}\n" in text
    requests = [line for line in text.splitlines() if line.startswith((".", "'"))]
    known = re.compile(r"""\.(\\"|(TH|SH|SS|TP|BR?|PP|RS|RE|nf|fi|br)\b)""")
    assert [line for line in requests if not known.match(line)] == []
