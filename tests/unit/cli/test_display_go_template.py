"""Templates behind --format."""

import pytest

from cntnr_compose.cli.display.go_template import (
    NoSuchField,
    TemplateUnknown,
    render_template,
    table_headings,
)

ROW = {"Name": "web-1", "ExitCode": 3, "Publishers": [{"URL": ""}]}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{.Name}}", "web-1"),
        ("{{ .Name }}:{{- .ExitCode -}}!", "web-1:3!"),
        (r"a\t{{.Name}}\n", "a\tweb-1\n"),
        ("{{json .Name}}", '"web-1"'),
        ("{{upper .Name}}", "WEB-1"),
        ("{{.Publishers}}", '[{"URL":""}]'),
        ("{{json .}}", '{"Name":"web-1","ExitCode":3,"Publishers":[{"URL":""}]}'),
    ],
)
def test_fields_are_filled_in(text: str, filled: str) -> None:
    assert render_template(text, ROW) == filled


def test_a_table_has_headings() -> None:
    assert table_headings(r"table {{.Name}}\t{{.ExitCode}}") == ("NAME", "EXIT CODE")
    assert table_headings("{{.Name}}") is None


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(NoSuchField, match='no field "Nam"') as raised:
        render_template("{{.Nam}}", ROW)
    assert raised.value.hint == "known are Name, ExitCode, Publishers"
    with pytest.raises(TemplateUnknown, match=r'cannot read the template "\{\{if .Name}}"'):
        render_template("{{if .Name}}x{{end}}", ROW)
