"""Variables as ``-e NAME=VALUE`` gives them, and files of them."""

from collections.abc import Iterable, Mapping


def parse_variables(given: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Read ``NAME=VALUE``; a name alone has the caller's value, or is left out where that has none."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if equals:
            found[name] = value
        elif name in environ:
            found[name] = environ[name]
    return found
