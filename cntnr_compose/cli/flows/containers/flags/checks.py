"""Check the flags of new containers for contradictions, before anything is done."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cntnr_compose.cli.flows.containers.flags.values import check_capabilities
from cntnr_compose.cli.flows.run_arguments import NoTerminal
from cntnr_compose.cli.flows.shared_arguments import BadOption, Incompatible
from cntnr_compose.core.errors import CntnrError, did_you_mean

# Flags that have one of a few values.
WORDS: dict[str, tuple[str, ...]] = {
    "attach": ("stdin", "stdout", "stderr"),
    "cgroupns": ("host", "private"),
    "mount_cgroups": ("ro", "rw", "no"),
    "pull": ("always", "missing", "never"),
    "uts": ("host",),
    "userns": ("host",),
}


INPUT_OF_SEVERAL = "--interactive of more than one container"


class NotInGroup(CntnrError):
    """A flag is for a container that is alone in the foreground."""

    def __init__(self, flag: str) -> None:
        super().__init__(f"{flag} cannot be used where several containers run as one group")


def check_flags(groups: Sequence[Mapping[str, Any]]) -> None:
    """Check the flags of each container, and those of a group together.

    Raises `BadOption`, `Incompatible`, `NoTerminal`, `NotInGroup`.
    """
    for flags in groups:
        _check_words(flags)
        _check_together(flags)
        if flags["cap_add"] or flags["cap_drop"]:
            check_capabilities("--cap-add", flags["cap_add"])
            check_capabilities("--cap-drop", flags["cap_drop"])
    for flags in groups if len(groups) > 1 else ():
        for name in ("detach", "tty", "attach"):
            if flags[name]:
                raise NotInGroup(f"--{name}")
    if sum(flags["interactive"] for flags in groups) > 1:
        raise NotInGroup(INPUT_OF_SEVERAL)


def _check_words(flags: Mapping[str, Any]) -> None:
    for name, known in WORDS.items():
        value = flags[name]
        for word in value if isinstance(value, tuple) else (value,):
            if word is not None and word.lower() not in known:
                flag, listed = f"--{name.replace('_', '-')}", ", ".join(known)
                raise BadOption(flag, word, f"it can be {listed}", did_you_mean(word, known))


def _check_together(flags: Mapping[str, Any]) -> None:
    if flags["rm"] and flags["restart"] not in (None, "", "no"):
        raise Incompatible("--restart", "--rm")
    detach = flags.get("detach", True)
    if flags.get("detach") and flags["attach"]:
        raise Incompatible("--detach", "--attach")
    is_typed = flags["interactive"] or "stdin" in flags["attach"]
    if flags["tty"] and is_typed and not detach and not sys.stdin.isatty():
        raise NoTerminal
