"""Render Go templates behind `--format`, as far as people use them: fields, and `json`."""

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
    """A template names a field that does not exist."""

    def __init__(self, name: str, known: Mapping[str, object]) -> None:
        super().__init__(f'the template has no field "{name}"')
        self.hint = f"known are {', '.join(known)}"


def render_template(template: str, row: Mapping[str, object]) -> str:
    """Fill a template with the fields of one row. Raises `TemplateUnknown`, `NoSuchField`."""

    def replace(match: re.Match[str]) -> str:
        function, name = _parse_action(match)
        if name and name not in row:
            raise NoSuchField(name, row)
        value = row[name] if name else row
        if function == "json":
            return to_json(value).decode()
        text = value if isinstance(value, str) else to_json(value).decode()
        return {"upper": text.upper, "lower": text.lower}.get(function, lambda: text)()

    return ACTION.sub(replace, _unescape(template))


def table_headings(template: str, names: Mapping[str, str] | None = None) -> tuple[str, ...] | None:
    """Return the headings of ``table {{.Name}}\\t{{.State}}``; None where it is not a table.

    A field without one in ``names`` is headed by its own name.
    """
    if not template.startswith("table "):
        return None

    def heading(match: re.Match[str]) -> str:
        _, name = _parse_action(match)
        return (names or {}).get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).upper()

    return tuple(ACTION.sub(heading, cell) for cell in split_cells(template))


def split_cells(template: str) -> list[str]:
    """Split the template of a table into those of its cells."""
    return _unescape(template).removeprefix("table ").split("\t")


def _unescape(template: str) -> str:
    for escape, character in ESCAPES.items():
        template = template.replace(escape, character)
    return template


def _parse_action(match: re.Match[str]) -> tuple[str, str]:
    """Return function and field of what stands between braces. Raises `TemplateUnknown`."""
    action = FIELD.fullmatch(match.group(1))
    if action is None:
        raise TemplateUnknown(match.group(0))
    return action.group(1) or "", action.group(2)
