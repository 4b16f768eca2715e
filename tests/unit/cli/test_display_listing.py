"""Rows are printed in the format that is asked for."""

import json

import pytest

from cntnr_compose.cli.display.listing import BadFilter, UnknownFormat, print_rows

ROWS = [("a", "1"), ("bb", "2")]
OBJECTS = [{"Name": "a", "Size": 1}, {"Name": "bb", "Size": 2}]


def printed(form: str, capsys: pytest.CaptureFixture[str], *, json_array: bool = False) -> str:
    print_rows(form, ("NAME", "SIZE"), ROWS, OBJECTS, min_width=6, json_array=json_array)
    return capsys.readouterr().out


@pytest.mark.parametrize("form", ["", "table", "table {{.Name}}\\t{{.Size}}"])
def test_a_table_has_a_header(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(form, capsys) == "NAME   SIZE\na      1\nbb     2\n"


def test_json_is_an_object_a_line_or_one_array(capsys: pytest.CaptureFixture[str]) -> None:
    assert [json.loads(line) for line in printed("json", capsys).splitlines()] == OBJECTS
    assert json.loads(printed("json", capsys, json_array=True)) == OBJECTS


def test_a_template_is_filled_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed("{{.Name}}={{.Size}}", capsys) == "a=1\nbb=2\n"


def test_other_formats_and_filters_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownFormat, match='unsupported format "xml"'):
        printed("xml", capsys)
    assert BadFilter("x", "name=PATTERN").hint == "the only filter is name=PATTERN"
