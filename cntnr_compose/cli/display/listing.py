"""What `ps`, `ls` and `images` print: a table, JSON, or a template."""

from collections.abc import Sequence

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.display.tables import table
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, to_json


class UnknownFormat(CntnrError):
    """A format was asked for that there is not."""

    hint = "it can be table, json or a template such as {{.Name}}"

    def __init__(self, form: str) -> None:
        super().__init__(f'unsupported format "{form}"')


def write(
    form: str,
    header: Sequence[str],
    cells: Sequence[Sequence[str]],
    trees: Sequence[Tree],
    *,
    narrow: int = 20,
    array: bool = False,
) -> None:
    """Print rows in a format; JSON is one object a line, or one ``array``.

    Raises `UnknownFormat` and the errors of templates.
    """
    if form == "json":
        lines = [to_json(trees).decode()] if array else [to_json(one).decode() for one in trees]
    elif form in ("", "table"):
        lines = table(header, cells, narrow=narrow)
    elif "{{" in form:
        lines = _templated(form, trees, narrow)
    else:
        raise UnknownFormat(form)
    out.write("".join(f"{line}\n" for line in lines))


def _templated(form: str, trees: Sequence[Tree], narrow: int) -> list[str]:
    from cntnr_compose.cli.display import go_template as gotemplate

    headings = gotemplate.columns(form)
    if headings is None:
        return [gotemplate.render(form, one) for one in trees]
    parts = gotemplate.split(form)
    rows = [[gotemplate.render(part, one) for part in parts] for one in trees]
    return table(headings, rows, narrow=narrow)
