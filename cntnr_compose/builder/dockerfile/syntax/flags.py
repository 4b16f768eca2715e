"""Read the flags of an instruction, ``--name=value``, as BuildKit does."""

from typing import NamedTuple

from cntnr_compose.core.errors import did_you_mean


class FlagInvalid(ValueError):
    """An instruction has no such flag, or the flag no such value."""


class FlagKinds(NamedTuple):
    """The flags of an instruction: with a value, with several, and with ``true`` or ``false``."""

    single: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    boolean: tuple[str, ...] = ()


FLAGS: dict[str, FlagKinds] = {
    "ADD": FlagKinds(
        ("chown", "chmod", "checksum"), ("exclude",), ("link", "keep-git-dir", "unpack")
    ),
    "COPY": FlagKinds(("from", "chown", "chmod"), ("exclude",), ("link", "parents")),
    "FROM": FlagKinds(("platform",)),
    "HEALTHCHECK": FlagKinds(("interval", "timeout", "start-period", "start-interval", "retries")),
    "RUN": FlagKinds(("network", "security"), ("mount", "device")),
}
NO_FLAGS = FlagKinds()


def split_flags(text: str) -> tuple[tuple[str, ...], str]:
    r"""Split the flags off what follows a keyword; return them without quotes and escapes, and the rest.

    The escape is always ``\``, whatever the directive says.
    """
    flags: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if not text.startswith("--", at):
            return tuple(flags), text[at:].strip()
        word, at = _read_word(text, at)
        if word == "--":
            return tuple(flags), text[at:].strip()
        flags.append(word)


def _read_word(text: str, at: int) -> tuple[str, int]:
    """Read up to a blank outside of quotes; return the word and where it ends."""
    word, quote = "", ""
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            word += text[at : at + 1]
            at += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        elif not quote and char.isspace():
            break
        else:
            word += char
    return word, at


def parse_flags(keyword: str, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Read ``--name=value``; the value of a boolean may be missing. Raises `FlagInvalid`."""
    kinds = FLAGS.get(keyword, NO_FLAGS)
    flags: list[tuple[str, str]] = []
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        if name not in (*kinds.single, *kinds.several, *kinds.boolean):
            hint = did_you_mean(name, (*kinds.single, *kinds.several, *kinds.boolean))
            why = f"unknown flag: --{name}{f' ({hint})' if hint else ''}"
            raise FlagInvalid(why)
        if name not in kinds.several and any(name == each for each, _ in flags):
            why = f"duplicate flag specified: {name}"
            raise FlagInvalid(why)
        if name in kinds.boolean:
            if equals and value.lower() not in ("true", "false"):
                why = f"expecting boolean value for flag {name}, not: {value}"
                raise FlagInvalid(why)
            value = value.lower()
        elif not equals:
            why = f"missing a value on flag: {name}"
            raise FlagInvalid(why)
        flags.append((name, value))
    return tuple(flags)


def read_boolean(flags: tuple[tuple[str, str], ...], name: str) -> bool | None:
    """Return the value of a boolean flag; None where it is not given."""
    values = dict(flags)
    return values[name] != "false" if name in values else None
