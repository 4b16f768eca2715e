"""Names of OCI runtimes, which containers can run with, and how what crun says is said by runc."""

import re

from cntnr_compose.core.errors import did_you_mean

RUNC, CRUN = "runc", "crun"
KNOWN = (RUNC, CRUN)
# What docker calls runc beside its name.
ALIASES = {"io.containerd.runc.v2": RUNC, "io.containerd.runtime.v1.linux": RUNC}
# What crun says when a program cannot be started: runc's words, which docker's users know.
WORDS_OF_CRUN = (
    (r"executable file `(.*/.*)` not found in \$PATH.*", 'exec: "{0}": stat {0}: no such file or directory'),
    (r"executable file `(.*)` not found in \$PATH.*", 'exec: "{0}": executable file not found in $PATH'),
    (r"open executable: (?:Permission denied|Operation not permitted)", "exec: permission denied"),
    (r"chdir `(.*)`: No such file or directory",
     'chdir to cwd ("{0}") set in config.json failed: no such file or directory'),
)  # fmt: skip
CHOICES = "runc, crun, or the absolute path of one of them"


def canonical_name(word: str) -> str:
    """Return the name of a runtime as containers record it; paths stay."""
    return ALIASES.get(word, word)


def unknown_reason(word: str) -> str:
    """Return why a word names no runtime, with the nearest name; '' where it does."""
    if canonical_name(word) in KNOWN or (word.startswith("/") and "\0" not in word):
        return ""
    near = did_you_mean(word, KNOWN)
    return f"unknown runtime {word}; it can be {CHOICES}" + (f"; {near}" if near else "")


def translate_cause(cause: str) -> str:
    """Say in runc's words why crun cannot start a program; return anything else as it is."""
    for pattern, words in WORDS_OF_CRUN:
        match = re.fullmatch(pattern, cause)
        if match:
            return words.format(*match.groups())
    return cause
