"""Templates behind --format."""

import pytest

from cntnr_compose.cli.display.templates.go_template import (
    NoSuchField,
    TemplateUnknown,
    render_template,
    table_headings,
)
from cntnr_compose.cli.display.templates.template_row import TemplateRow

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
    with pytest.raises(TemplateUnknown, match=r'cannot read the template "\{\{template .Name}}"'):
        render_template("{{template .Name}}", ROW)


NESTED = {
    "Name": "n",
    "IPAM": {"Config": [{"Subnet": "10.0.0.0/24"}, {"Subnet": "10.1.0.0/24"}]},
    "Labels": {"b": "2", "a": "1"},
    "Containers": {"x": {"Name": "web"}},
    "Options": {},
    "Internal": False,
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{.IPAM.Config}}", '[{"Subnet":"10.0.0.0/24"},{"Subnet":"10.1.0.0/24"}]'),
        ("{{json .Labels.a}}", '"1"'),
        ("{{.Labels}} {{.Options}}", "map[a:1 b:2] map[]"),
        ('{{split "a,b" ","}}', "[a b]"),
        ('{{slice .Name 0 1}}{{title "web"}}', "nWeb"),
        ("{{.Labels.nope}}", "<no value>"),
        ('{{index .Labels "b"}}', "2"),
        ("{{(index .IPAM.Config 1).Subnet}}", "10.1.0.0/24"),
        ("{{range .IPAM.Config}}{{.Subnet}} {{$.Name}};{{end}}", "10.0.0.0/24 n;10.1.0.0/24 n;"),
        ("{{range $k, $v := .Labels}}{{$k}}={{$v}},{{end}}", "a=1,b=2,"),
        ("{{range $id, $c := .Containers}}{{$c.Name}}{{end}}", "web"),
        ("{{range .Options}}x{{else}}none{{end}}", "none"),
        ("{{range .Options}}{{range .A}}x{{end}}{{end}}!", "!"),
        ("{{if .Internal}}yes{{else}}no{{end}} {{if .Labels}}some{{end}}", "no some"),
        ('{{if eq .Name "n"}}{{len .Labels}}{{end}}', "2"),
        ("{{.Name | upper | json}}", '"N"'),
        ("a {{- .Name -}}  b", "anb"),
        ("{{println .Name}}{{/* nothing */}}", "n\n"),
        ('{{if and .Name (not .Internal)}}{{print .Name "-"}}{{end}}', "n-"),
    ],
)
def test_parts_of_objects(text: str, filled: str) -> None:
    assert render_template(text, NESTED) == filled


@pytest.mark.parametrize(
    "text",
    ["{{range .IPAM.Config}}x", "{{end}}", "{{if}}x{{end}}", "{{.Name .Name}}", "{{(.Name}}", "{{$x}}",
     "{{index .IPAM.Config 9}}", "{{.Name | nothing}}", "{{ }}", "{{len 3}}", "{{.Na'me}}"],
)  # fmt: skip
def test_what_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(TemplateUnknown):
        render_template(text, NESTED)


def test_a_row_has_functions_with_arguments() -> None:
    row = TemplateRow({"Name": "web-1"}, {"Label": {"a.b": "x"}.get})
    assert render_template('{{.Name}} {{.Label "a.b"}}', row) == "web-1 x"
    assert render_template('{{upper (.Label "a.b")}}', row) == "X"
    assert render_template("{{json .}}", row) == '{"Name":"web-1"}'
    assert table_headings('table {{.Name}}\t{{.Label "com.docker.my-label"}}') == (
        "NAME",
        "my label",
    )
    with pytest.raises(NoSuchField, match='no field "Other"'):
        render_template('{{.Other "a"}}', row)
    with pytest.raises(TemplateUnknown):
        render_template("{{.Label}}", row)


DETAILS = {
    "Name": "/web",
    "State": {"Running": True, "Paused": False, "Pid": 7, "Health": None},
    "Mounts": [{"Source": "/a", "Name": ""}, {"Source": "/b", "Name": "data"}],
}


# What docker 28 prints of the same.
@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{with .State}}{{.Pid}}{{end}}", "7"),
        ("{{with .State.Health}}{{.Status}}{{else}}none{{end}}", "none"),
        ("{{with $s := .State}}{{$s.Pid}}{{end}}", "7"),
        ("{{if .State.Paused}}a{{else if .State.Running}}b{{else}}c{{end}}{{.Name}}", "b/web"),
        ("{{if .State.Running}}a{{else if .State.Paused}}b{{else}}c{{end}}", "a"),
        ("{{if .State.Paused}}a{{else if .State.Health}}b{{else}}c{{end}}", "c"),
        ("{{$n := .Name}}{{range .Mounts}}{{$n}}{{.Source}} {{end}}", "/web/a /web/b "),
        ("{{range .Mounts}}{{$s := .Source}}{{with .Name}}{{.}}@{{$s}}{{else}}-{{end}}{{end}}", "-data@/b"),
        ('{{printf "%s-%03d|%-5s|%.2s|%v|%q" .Name .State.Pid "x" .Name .State.Running .Name}}',
         '/web-007|x    |/w|true|"/web"'),
        ('{{printf "%d%%" 5}}', "5%"),
        ("{{if gt .State.Pid 6}}{{if le .State.Pid 7}}yes{{end}}{{end}}", "yes"),
        ("{{len .State.Health}}{{len .Mounts}}", "02"),
        ("{{pad .Name 1 2}}{{truncate .Name 2}}", " /web  /w"),
    ],
)  # fmt: skip
def test_details_are_filled_in_as_docker_does(text: str, filled: str) -> None:
    assert render_template(text, DETAILS) == filled


@pytest.mark.parametrize(
    "text",
    ['{{printf "%d" .Name}}', '{{printf "%s" 1 2}}', "{{with}}{{end}}", "{{if .Name}}{{else if}}"],
)
def test_what_cannot_be_filled_in_is_refused(text: str) -> None:
    with pytest.raises(TemplateUnknown):
        render_template(text, DETAILS)
