"""The part of Go's templates that people write behind ``--format``: fields, and `json`."""

import re
from collections.abc import Mapping

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import to_json

ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
FIELD = re.compile(r"(?:(json|upper|lower)\s+)?\.(\w*)")
ESCAPES = {r"\t": "\t", r"\n": "\n"}


class TemplateUnknown(CntnrError):
    """A template uses more than fields."""

    hint = "known are table, json, {{.Name}}, {{json .}} and {{json .Name}}"

    def __init__(self, text: str) -> None:
        super().__init__(f'cannot read the template "{text}"')


class NoSuchField(CntnrError):
    """A template names a field that there is not."""

    def __init__(self, name: str, known: Mapping[str, object]) -> None:
        super().__init__(f'the template has no field "{name}"')
        self.hint = f"known are {', '.join(known)}"


def render_template(text: str, row: Mapping[str, object]) -> str:
    """Fill a template with the fields of one row. Raises `TemplateUnknown`, `NoSuchField`."""
    for written, meant in ESCAPES.items():
        text = text.replace(written, meant)

    def fill(found: re.Match[str]) -> str:
        action = FIELD.fullmatch(found.group(1))
        if action is None:
            raise TemplateUnknown(found.group(0))
        function, name = action.groups()
        if name and name not in row:
            raise NoSuchField(name, row)
        value = row[name] if name else row
        if function == "json":
            return to_json(value).decode()
        said = value if isinstance(value, str) else to_json(value).decode()
        return {"upper": said.upper, "lower": said.lower}.get(function, lambda: said)()

    return ACTION.sub(fill, text)


def table_headings(text: str) -> tuple[str, ...] | None:
    """Give the headings of ``table {{.Name}}\t{{.State}}``; None where it is not a table."""
    rest = text.removeprefix("table ")
    if rest == text:
        return None
    return tuple(ACTION.sub(_heading, cell) for cell in split_cells(rest))


def split_cells(text: str) -> list[str]:
    """Split a table's template into cells."""
    for written, meant in ESCAPES.items():
        text = text.replace(written, meant)
    return text.removeprefix("table ").split("\t")


def _heading(found: re.Match[str]) -> str:
    action = FIELD.fullmatch(found.group(1))
    if action is None:
        raise TemplateUnknown(found.group(0))
    name = action.group(2)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).upper()
