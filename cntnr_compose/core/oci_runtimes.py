"""Names of OCI runtimes: which ones containers can run with, and what else they are called."""

from cntnr_compose.core.errors import did_you_mean

RUNC, CRUN = "runc", "crun"
KNOWN = (RUNC, CRUN)
# What docker calls runc beside its name.
ALIASES = {"io.containerd.runc.v2": RUNC, "io.containerd.runtime.v1.linux": RUNC}
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
