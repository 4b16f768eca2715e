"""Render Go templates behind `--format`, as far as people use them: fields, functions, `range`, `if`."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from cntnr_compose.cli.display.templates.functions import FUNCTIONS, format_value
from cntnr_compose.cli.display.templates.template_row import TemplateRow
from cntnr_compose.core.errors import CntnrError

ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
FIELD = re.compile(r'(?:(json|upper|lower)\s+)?\.(\w*)(?:\s+"([^"]*)")?')
BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
TRIMMED = re.compile(r"\s+(\{\{-)|(-\}\})\s+")
TOKEN = re.compile(r'"[^"]*"|[()|]|\$?\w*(?:\.\w*)+|\$\w*|\w+')
ASSIGNMENT = re.compile(r"(\$\w+)\s*:?=\s*(.*)", re.DOTALL)
CONTROLS = ("if", "range", "with")
Scope: TypeAlias = dict[str, object]  # what `.`, `$` and variables stand for
ESCAPES = {r"\t": "\t", r"\n": "\n"}


class TemplateUnknown(CntnrError):
    """A template uses more than fields."""

    hint = (
        "known are table, json, {{.Name}}, and in braces json, upper, lower, title, len, index, slice, "
        "split, join, printf, eq, range, if, with"
    )

    def __init__(self, text: str) -> None:
        super().__init__(f'cannot read the template "{text}"')


class NoSuchField(CntnrError):
    """A template names a field that does not exist."""

    def __init__(self, name: str, known: Mapping[str, object]) -> None:
        super().__init__(f'the template has no field "{name}"')
        self.hint = f"known are {', '.join(known)}"


def render_template(template: str, row: Mapping[str, object]) -> str:
    """Fill a template with the fields of one row. Raises `TemplateUnknown`, `NoSuchField`."""
    return _Template(_unescape(template)).render(row)


class _Template:
    """A template, read from its beginning to its end: text and actions in turn."""

    def __init__(self, text: str) -> None:
        self._parts = BRACES.split(TRIMMED.sub(lambda match: match[1] or match[2], text))
        self._next = 0

    def render(self, row: Mapping[str, object]) -> str:
        """Render the whole. Raises `TemplateUnknown`, `NoSuchField`."""
        self._next = 0
        text, end = self._render_block({".": row, "$": row}, row, is_shown=True)
        if end:
            raise TemplateUnknown(f"{{{{{end}}}}}")
        return text

    def _render_block(
        self, scope: Scope, row: Mapping[str, object], *, is_shown: bool
    ) -> tuple[str, str]:
        """Render up to an `else` or `end`; return the text, and that word or none."""
        shown = []
        while self._next < len(self._parts):
            part, is_action = self._parts[self._next], self._next % 2 == 1
            self._next += 1
            if not is_action:
                shown.append(part if is_shown else "")
                continue
            action = part.strip("- \t\n")
            word = action.partition(" ")[0]
            assignment = ASSIGNMENT.fullmatch(action)
            if word in ("else", "end"):
                return "".join(shown), action
            if assignment:
                scope[assignment[1]] = evaluate(assignment[2], scope, row) if is_shown else None
            elif word in CONTROLS:
                rest = action.removeprefix(word)
                shown.append(self._render_control(word, rest, scope, row, is_shown=is_shown))
            elif is_shown and not action.startswith("/*"):
                shown.append(format_value(evaluate(action, scope, row)))
        return "".join(shown), ""

    def _render_control(
        self, word: str, rest: str, scope: Scope, row: Mapping[str, object], *, is_shown: bool
    ) -> str:
        """Render what stands between an `if`, `range` or `with` and its `end`."""
        names, declares, expression = rest.rpartition(":=")
        value = evaluate(expression, scope, row) if is_shown else None
        variables = [name.strip() for name in names.split(",")] if declares else []
        scopes = _list_scopes(word, value, scope, variables)
        begin, end, shown = self._next, "", []
        for inner in scopes or [scope]:
            self._next = begin
            text, end = self._render_block(inner, row, is_shown=is_shown and bool(scopes))
            shown.append(text)
        is_else_shown = is_shown and not scopes
        otherwise, _, rest_of_else = end.removeprefix("else").strip().partition(" ")
        if end.startswith("else") and otherwise in CONTROLS:
            rest = f" {rest_of_else}"
            shown.append(self._render_control(otherwise, rest, scope, row, is_shown=is_else_shown))
            end = "end"
        elif end == "else":
            text, end = self._render_block(scope, row, is_shown=is_else_shown)
            shown.append(text)
        if end != "end":
            raise TemplateUnknown(f"{{{{{word}{rest}}}}}")
        return "".join(shown)


def _list_scopes(word: str, value: object, scope: Scope, variables: Sequence[str]) -> list[Scope]:
    """Return the scopes that the content of an `if`, `range` or `with` is rendered for, one by one."""
    if word == "range":
        return _scopes_of_range(value, scope, variables)
    if not value:
        return []
    inner = {**scope, **dict.fromkeys(variables, value)}
    return [{**inner, ".": value} if word == "with" else inner]


def _scopes_of_range(value: object, scope: Scope, variables: Sequence[str]) -> list[Scope]:
    """Return a scope for each item of a list or mapping."""
    pairs: list[tuple[object, object]] = []
    if isinstance(value, Mapping):
        pairs = sorted(value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        pairs = list(enumerate(value))
    return [
        {**scope, ".": item, **dict(zip(variables, (key, item)[-len(variables) :], strict=False))}
        if variables
        else {**scope, ".": item}
        for key, item in pairs
    ]


def evaluate(expression: str, scope: Scope, row: Mapping[str, object]) -> object:
    """Evaluate an expression: fields, variables, texts, numbers, functions, pipes.

    A field that the ``row`` lacks is an error; one that a mapping in it lacks has no value. Raises
    `TemplateUnknown`, `NoSuchField`.
    """
    tokens = TOKEN.findall(expression)
    if TOKEN.sub("", expression).strip():
        raise TemplateUnknown(f"{{{{{expression.strip()}}}}}")
    try:
        return _evaluate_pipe(tokens, "", scope, row)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        raise TemplateUnknown(f"{{{{{expression.strip()}}}}}") from None


def _evaluate_pipe(tokens: list[str], last: str, scope: Scope, row: Mapping[str, object]) -> object:
    """Evaluate up to the token ``last``, a closing parenthesis, or the end; consume tokens."""
    piped: list[object] = []
    while True:
        words: list[object] = []
        function = tokens.pop(0) if tokens and tokens[0] in FUNCTIONS else ""
        while tokens and tokens[0] not in ("|", ")"):
            words.append(_evaluate_term(tokens, scope, row))
        words += piped
        call = FUNCTIONS[function] if function else None
        if call is None and words and callable(method := words[0]):
            call, words = method, words[1:]
        if call is None and len(words) != 1:
            raise ValueError(words)
        piped = [call(*words) if call else words[0]]
        end = tokens.pop(0) if tokens else ""
        if end == last:
            return piped[0]
        if end != "|":
            raise ValueError(end)


def _evaluate_term(tokens: list[str], scope: Scope, row: Mapping[str, object]) -> object:
    word = tokens.pop(0)
    if word == "(":
        value = _evaluate_pipe(tokens, ")", scope, row)
        path = tokens.pop(0) if tokens and tokens[0].startswith(".") else ""
        return _follow(value, path, row)
    if word.startswith('"'):
        return word[1:-1]
    if word.isdecimal():
        return int(word)
    if word in ("true", "false"):
        return word == "true"
    name, dot, path = word.partition(".")
    return _follow(scope[name or "."], dot + path, row)


def _follow(value: object, path: str, row: Mapping[str, object]) -> object:
    """Follow ``.A.B`` from a value; None where there is no value."""
    for name in path.split(".")[1:]:
        if not name:
            continue
        if value is row and name not in row:
            functions = row.functions if isinstance(row, TemplateRow) else {}
            if name not in functions:
                raise NoSuchField(name, row)
            value = functions[name]
            continue
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def table_headings(template: str, names: Mapping[str, str] | None = None) -> tuple[str, ...] | None:
    """Return the headings of ``table {{.Name}}\\t{{.State}}``; None where it is not a table.

    A field without one in ``names`` is headed by its own name.
    """
    if not template.startswith("table "):
        return None

    def heading(match: re.Match[str]) -> str:
        name, word = _parse_action(match)
        if word:  # the last part of a label's name
            return re.sub("[-_]", " ", word.rpartition(".")[2])
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
    """Return field and argument of what stands between braces. Raises `TemplateUnknown`."""
    action = FIELD.fullmatch(match.group(1))
    if action is None:
        raise TemplateUnknown(match.group(0))
    return action.group(2), action.group(3) or ""
