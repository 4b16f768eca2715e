"""What `ps`, `ls` and `images` print: a table, JSON, or a template."""

from collections.abc import Sequence

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.display.tables import format_table
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, to_json


class UnknownFormat(CntnrError):
    """A format was asked for that there is not."""

    hint = "it can be table, json or a template such as {{.Name}}"

    def __init__(self, form: str) -> None:
        super().__init__(f'unsupported format "{form}"')


def print_rows(
    form: str,
    header: Sequence[str],
    cells: Sequence[Sequence[str]],
    objects: Sequence[Tree],
    *,
    min_width: int = 20,
    json_array: bool = False,
) -> None:
    """Print rows in a format; JSON is one object a line, or one ``array``.

    Raises `UnknownFormat` and the errors of templates.
    """
    if form == "json":
        lines = (
            [to_json(objects).decode()]
            if json_array
            else [to_json(one).decode() for one in objects]
        )
    elif form in ("", "table"):
        lines = format_table(header, cells, min_width=min_width)
    elif "{{" in form:
        lines = _templated(form, objects, min_width)
    else:
        raise UnknownFormat(form)
    out.write("".join(f"{line}\n" for line in lines))


def _templated(form: str, trees: Sequence[Tree], narrow: int) -> list[str]:
    from cntnr_compose.cli.display import go_template as gotemplate

    headings = gotemplate.table_headings(form)
    if headings is None:
        return [gotemplate.render_template(form, one) for one in trees]
    parts = gotemplate.split_cells(form)
    rows = [[gotemplate.render_template(part, one) for part in parts] for one in trees]
    return format_table(headings, rows, min_width=narrow)
