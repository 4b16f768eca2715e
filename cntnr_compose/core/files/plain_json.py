"""Read JSON as plain dicts and lists without msgspec, for commands that are over before that is imported."""

import _json  # what `json` is made of, whose import takes 5 ms

from cntnr_compose.core.frozen import Tree


class _Settings:
    """What the scanner asks for, as `json` sets it; what JSON does not know is refused."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    memo: dict[str, str] = {}

    @staticmethod
    def parse_constant(name: str) -> float:
        """Refuse ``NaN`` and ``Infinity``."""
        raise ValueError(name)


def parse_tree(text: bytes) -> Tree:
    """Parse a JSON object. Raises `ValueError` where it is none, or one that is nested too deeply."""
    try:
        if b"\\u" in text:  # it may be half of a pair, which the scanner would let pass
            from cntnr_compose.core.values import from_json

            return from_json(text, dict)
        decoded = text.decode().strip(" \t\r\n")
        tree, end = _json.make_scanner(_Settings)(decoded, 0)  # type: ignore[arg-type]
    except (StopIteration, RecursionError) as error:
        raise ValueError(type(error).__name__) from error
    if end != len(decoded) or not isinstance(tree, dict):
        raise ValueError(decoded[:20])
    return tree


def read_tree(path: str) -> Tree | None:
    """Read a JSON object from a file of ours; None where it is absent, incomplete or none."""
    try:
        with open(path, "rb") as file:
            return parse_tree(file.read())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
