"""Names of OCI runtimes; what they say of errors, and how crun's words are said by runc."""

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
# Errors of theirs where their standard error is no terminal, and their log is JSON if they are crun.
RUNC_LOG_PREFIX = b'time="'
CAUSE_PREFIX = b"exec failed: "
CRUN_LOG = rb'\{ ?"msg": ?".*", ?"level": ?"error", ?"time": ?"[^"]*" ?\}\n'
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
    import re

    for pattern, words in WORDS_OF_CRUN:
        match = re.fullmatch(pattern, cause)
        if match:
            return words.format(*match.groups())
    return cause


def is_exec_error(block: bytes) -> bool:
    """Tell whether a block of standard error looks like a runtime's error message of `exec`."""
    is_runc = block.startswith(RUNC_LOG_PREFIX) and CAUSE_PREFIX in block
    return is_runc or is_crun_error(block)


def is_crun_error(block: bytes) -> bool:
    """Tell whether a block of standard error looks like an error message of crun."""
    if not block.startswith(b"{"):
        return False
    import re  # 3 ms, for which no plain `exec` has to wait

    return re.fullmatch(CRUN_LOG, block) is not None
