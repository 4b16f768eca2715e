"""Plain command lines of frequent verbs, answered before the parser and libraries are imported.

Modules here, and what they need of other packages, import only what the interpreter has loaded or loads in no
time: no typing, re, pathlib, contextlib, msgspec. ``run`` of each takes the words behind the verb and returns
the exit code; or None, before anything was printed or changed, where the command line or what it finds is not
plain: then the ordinary command runs. Uses display, and what is below cli. Used by main.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Verb: the module that answers it.
MODULES: dict[str, str] = {}


def run(words: "Sequence[str]") -> int | None:
    """Run a plain command line and return its exit code; None where it is for the ordinary command."""
    length = 2 if words[:1] == ["container"] else 1
    name = MODULES.get(" ".join(words[:length]))
    if name is None:
        return None
    module = f"{__name__}.{name}"
    __import__(module)
    code: int | None = sys.modules[module].run(words[length:])
    return code
