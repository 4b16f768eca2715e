"""Print rows of `ps`, `ls`, `images`, `stats` and `volumes` as a table, as JSON, or by a template."""

from collections.abc import Mapping, Sequence

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.tables import format_table
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, to_json


class UnknownFormat(CntnrError):
    """A value of `--format` is not known."""

    hint = "it can be table, json or a template such as {{.Name}}"

    def __init__(self, form: str) -> None:
        super().__init__(f'unsupported format "{form}"')


class BadFilter(CntnrError):
    """A value of `--filter` is not of the form that the command knows."""

    def __init__(self, text: str, known: str) -> None:
        super().__init__(f'cannot filter by "{text}"')
        self.hint = f"the only filter is {known}"


def print_rows(
    form: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    objects: Sequence[Tree],
    *,
    min_width: int = 20,
    json_array: bool = False,
    headings: Mapping[str, str] | None = None,
) -> None:
    """Print rows in the format ``form``; JSON is one object a line, or one array.

    ``headings`` are those of fields in templates of tables, where the field's name does not do.

    Raises `UnknownFormat` and the errors of templates.
    """
    if form == "json" and json_array:
        lines = [to_json(list(objects)).decode()]
    else:
        lines = format_rows(form, header, rows, objects, min_width=min_width, headings=headings)
    stdout.write("".join(f"{line}\n" for line in lines))


def format_rows(
    form: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    objects: Sequence[Tree],
    *,
    min_width: int = 20,
    headings: Mapping[str, str] | None = None,
) -> list[str]:
    """Format rows as lines, as `print_rows` prints them; raise what it raises."""
    if form == "json":
        return [to_json(value).decode() for value in objects]
    if form in ("", "table"):
        return format_table(header, rows, min_width=min_width)
    if "{{" in form:
        return _render_rows(form, objects, min_width, headings or {})
    raise UnknownFormat(form)


def _render_rows(
    template: str, objects: Sequence[Tree], min_width: int, names: Mapping[str, str]
) -> list[str]:
    from cntnr_compose.cli.display.templates.go_template import (
        render_template,
        split_cells,
        table_headings,
    )

    headings = table_headings(template, names)
    if headings is None:
        return [render_template(template, row) for row in objects]
    cells = split_cells(template)
    rows = [[render_template(cell, row) for cell in cells] for row in objects]
    return format_table(headings, rows, min_width=min_width)
