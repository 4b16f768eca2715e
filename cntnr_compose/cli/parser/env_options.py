"""Parse variables given as ``-e NAME=VALUE``."""

from collections.abc import Iterable, Mapping


def parse_variables(texts: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Parse ``NAME=VALUE``; a name alone has its value in ``environ``, or is left out."""
    variables: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if equals:
            variables[name] = value
        elif name in environ:
            variables[name] = environ[name]
    return variables
