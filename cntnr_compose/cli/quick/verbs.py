"""Find the module that answers a plain command line quickly, and run it."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = "cntnr_compose.cli.quick"
# Verb: the module of this package that answers it.
MODULES = {
    "ps": "container_list",
    "container ls": "container_list",
    "container ps": "container_list",
    "container list": "container_list",
    "exec": "exec",
    "container exec": "exec",
    "logs": "logs",
    "container logs": "logs",
}


def run(words: "Sequence[str]") -> int | None:
    """Run a plain command line and return its exit code; None where it is for the ordinary command."""
    length = 2 if words[:1] == ["container"] else 1
    name = MODULES.get(" ".join(words[:length]))
    if name is None:
        return None
    module = f"{PACKAGE}.{name}"
    __import__(module)
    code: int | None = sys.modules[module].run(words[length:])
    return code
