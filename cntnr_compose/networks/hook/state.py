"""Read the state of a container, as an OCI runtime passes it to hooks (runtime-spec, "State")."""

import io
import json
from typing import Any

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

MAX_SIZE = 1 << 20  # of the state, in bytes


class StateInvalid(CntnrError):
    """What came on standard input is no state of a container."""

    hint = "the hook is called by an OCI runtime such as runc, by `hooks` of a bundle's config.json"

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot read the container's state from standard input: {why}")


class HookState(Frozen):
    """What the hook needs of a container's state."""

    id: str
    bundle: str
    pid: int = 0  # 0 after the container's end

    def to_line(self) -> bytes:
        """Return the state as the line that the script of the hook reads."""
        state = {"id": self.id, "pid": self.pid, "bundle": self.bundle}
        return json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_state() -> HookState:
    """Read the state from standard input. Raises `StateInvalid`."""
    with io.FileIO(0, closefd=False) as stdin:
        text = stdin.read(MAX_SIZE + 1) or b""
        while len(text) <= MAX_SIZE and (more := stdin.read(MAX_SIZE)):
            text += more
    return parse_state(text)


def parse_state(text: bytes) -> HookState:
    """Parse a state. Raises `StateInvalid`."""
    if len(text) > MAX_SIZE:
        why = "it is longer than 1 MiB"
        raise StateInvalid(why)
    try:
        tree: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = f"it is no JSON: {error}"
        raise StateInvalid(why) from None
    why = _find_mistake(tree)
    if why:
        raise StateInvalid(why)
    return HookState(id=tree["id"], bundle=tree["bundle"], pid=tree.get("pid", 0))


def _find_mistake(tree: Any) -> str:
    if not isinstance(tree, dict):
        return "it is no JSON object"
    identity, bundle, pid = tree.get("id"), tree.get("bundle"), tree.get("pid", 0)
    if not isinstance(identity, str) or not identity or not _is_plain(identity):
        return "`id` has to be a container's id"
    if not isinstance(bundle, str) or not bundle.startswith("/") or not _is_plain(bundle):
        return "`bundle` has to be an absolute path without quotes and backslashes"
    if type(pid) is not int or not 0 <= pid < 1 << 31:
        return "`pid` has to be a number"
    return ""


def _is_plain(text: str) -> bool:
    """Check that a text stands in JSON as it is, which the script of the hook relies on."""
    return text.isprintable() and not set(text) & set('"\\')
