"""Read the directives of a Dockerfile: ``# escape=``, ``# syntax=``, ``# check=``; they come first."""

import re

from cntnr_compose.core.values import Value

DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
KNOWN = ("syntax", "escape", "check")
CHECK_ARG = "BUILDKIT_DOCKERFILE_CHECK"  # a build argument that wins over `# check=`
# What is built in is read like this one, whichever version is named.
OWN_SYNTAX = re.compile(
    r"(?:(?:docker\.io/)?docker/dockerfile|(?:docker\.io/)?docker/dockerfile-upstream)"
    r"(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?"
)


class DirectiveInvalid(ValueError):
    """A directive says what cannot be; ``line`` is its place."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


class Directives(Value, frozen=True, kw_only=True):
    """The directives of a Dockerfile; ``check`` is written as it stands."""

    escape: str = "\\"
    check: str = ""
    check_line: int = 0


def parse_directives(lines: list[str]) -> Directives:
    """Read the directives. Raises `DirectiveInvalid`."""
    values: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(lines, 1):
        match = DIRECTIVE.match(line.strip())
        key = match.group(1).lower() if match else ""
        if match is None or key not in KNOWN:
            if number == 1 and line.startswith("#!"):
                continue
            break
        if key in values:
            raise DirectiveInvalid(number, f"only one {key} parser directive can be used")
        values[key] = match.group(2), number
    escape, line_number = values.get("escape", ("\\", 0))
    if escape not in ("\\", "`"):
        why = f"invalid escape token '{escape}' does not match ` or \\"
        raise DirectiveInvalid(line_number, why)
    check_syntax(*values.get("syntax", ("", 0)))
    check, check_line = values.get("check", ("", 0))
    return Directives(escape=escape, check=check, check_line=check_line)


def check_syntax(value: str, line: int) -> None:
    """Refuse another language than Dockerfile's, which would need a program of its own.

    Raises `DirectiveInvalid`.
    """
    name = value.partition(" ")[0]
    if name and not OWN_SYNTAX.fullmatch(name):
        why = f"the syntax {name} is not supported: only docker/dockerfile is"
        raise DirectiveInvalid(line, why)
