"""Parse the text of a Dockerfile into instructions with line numbers; `instructions` applies them."""

import re
from collections.abc import Iterator

from cntnr_compose.builder.dockerfile.syntax.directives import (
    DirectiveInvalid,
    Directives,
    parse_directives,
)
from cntnr_compose.builder.dockerfile.syntax.excerpt import format_excerpt
from cntnr_compose.builder.dockerfile.syntax.flags import FlagInvalid, parse_flags, split_flags
from cntnr_compose.builder.dockerfile.syntax.heredocs import find_heredocs, read_text
from cntnr_compose.core.errors import CntnrError, did_you_mean
from cntnr_compose.core.values import Value, from_json

KEYWORDS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
EXEC_FORM_KEYWORDS = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
HEREDOC_KEYWORDS = frozenset({"ADD", "COPY", "RUN"})
ONE_ARGUMENT_KEYWORDS = frozenset({"MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"})
NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"
MAX_FILE_SIZE = 4 << 20  # characters; one that is written by hand has some thousand


class DockerfileInvalid(CntnrError):
    """A Dockerfile cannot be read or makes no sense; ``name`` and ``line`` are its place."""

    def __init__(self, name: str, line: int, why: str, *, text: str = "") -> None:
        self.file, self.line, self.why = name, line, why
        excerpt = f"\n{format_excerpt(text, line).rstrip()}" if text else ""
        super().__init__(f"{name}:{line}: {why}{excerpt}")

    def with_excerpt(self, text: str) -> "DockerfileInvalid":
        """Return the same error with the lines around its place."""
        return DockerfileInvalid(self.file, self.line, self.why, text=text)


class Heredoc(Value, frozen=True, kw_only=True):
    """A text in the Dockerfile itself."""

    name: str
    content: str
    literal: bool = False  # its name was quoted: variables are not expanded


class Instruction(Value, frozen=True, kw_only=True):
    """One instruction; ``words`` is its exec form, if it has one."""

    keyword: str
    line: int
    text: str = ""  # what follows keyword and flags
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()
    comments: tuple[str, ...] = ()  # the lines before it

    @property
    def trigger(self) -> str:
        """Return what an ONBUILD keeps: the instruction in it, with its heredocs."""
        texts = "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in self.heredocs)
        return f"{self.text}{texts}"

    def __str__(self) -> str:
        """Write it as one line."""
        flags = "".join(
            f" --{name}={value}" if value else f" --{name}" for name, value in self.flags
        )
        return f"{self.keyword}{flags} {self.text}"


class Dockerfile(Value, frozen=True, kw_only=True):
    """A parsed Dockerfile."""

    name: str
    instructions: tuple[Instruction, ...]
    directives: Directives = Directives()

    @property
    def escape(self) -> str:
        """Return the character that escapes another."""
        return self.directives.escape


def parse_dockerfile(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Parse a Dockerfile. Raises `DockerfileInvalid`."""
    if len(text) > MAX_FILE_SIZE:
        raise DockerfileInvalid(name, 1, "the Dockerfile is too large")
    if "\0" in text:  # of no file's name, and of no argument
        line = text[: text.index("\0")].count("\n") + 1
        raise DockerfileInvalid(name, line, "there is a NUL character")
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    try:
        directives = parse_directives(lines)
    except DirectiveInvalid as error:
        raise DockerfileInvalid(name, error.line, str(error)) from error
    instructions = tuple(_parse_instructions(lines, name, directives.escape))
    if not instructions:
        raise DockerfileInvalid(name, 1, "file with no instructions: the Dockerfile is empty")
    return Dockerfile(name=name, instructions=instructions, directives=directives)


def parse_instruction(text: str, name: str, line: int) -> Instruction:
    """Parse a single instruction, such as an ONBUILD trigger. Raises `DockerfileInvalid`."""
    parsed = list(_parse_instructions(text.split("\n"), name, "\\", line=line))
    if len(parsed) != 1:
        raise DockerfileInvalid(name, line, "onbuild trigger should be a single expression")
    return parsed[0]


def _parse_instructions(
    lines: list[str], name: str, escape: str, *, line: int = 0
) -> Iterator[Instruction]:
    """Join lines that go on, and parse each instruction; all are at ``line`` where that is given."""
    mark = re.escape(escape)
    # Not where the escape is escaped itself.
    continuation = re.compile(rf"(?:(?<=[^{mark}])|^){mark}[ \t]*$")
    at = 0
    comments: list[str] = []
    while at < len(lines):
        stripped = lines[at].strip()
        if stripped.startswith("#"):
            comment = stripped[1:].strip()
            comments = [*comments, comment] if comment else []
            at += 1
            continue
        text, first, at = _join_lines(lines, at, continuation)
        if not text.strip():
            comments = []
            continue
        heredocs, at = _read_heredocs(text, lines, at, name, line or first)
        yield _parse_instruction(text.strip(), heredocs, name, line or first, tuple(comments))
        comments = []


def _join_lines(lines: list[str], at: int, continuation: re.Pattern[str]) -> tuple[str, int, int]:
    """Join a line with those that continue it, without comments and empty lines between them.

    Return the text, the number of its first line, and the index of the next one.
    """
    first, text, continues = at + 1, "", True
    while continues and at < len(lines):
        line = lines[at]
        at += 1
        stripped = line.strip()
        if at > first and (stripped.startswith("#") or not stripped):
            continue
        joined = continuation.sub("", line if text else line.lstrip())
        continues = continuation.search(line if text else line.lstrip()) is not None
        text += joined
    return text, first, at


def _read_heredocs(
    text: str, lines: list[str], at: int, name: str, line: int
) -> tuple[tuple[Heredoc, ...], int]:
    """Read the heredocs that follow an instruction; return them and the index of the next line."""
    keyword, *rest = text.split(maxsplit=1)
    inner = rest[0].split(maxsplit=1)[0] if rest and keyword.upper() == "ONBUILD" else keyword
    if inner.upper() not in HEREDOC_KEYWORDS or "<<" not in text:
        return (), at
    heredocs = []
    for mark in find_heredocs(rest[0] if rest else ""):
        content = read_text(mark, lines, at)
        if content is None and mark.has_blank:
            continue
        if content is None:
            raise DockerfileInvalid(
                name, line, f"unterminated heredoc: no line {mark.name} follows"
            )
        body, at = content
        heredocs.append(Heredoc(name=mark.name, content=body, literal=mark.is_literal))
    return tuple(heredocs), at


def _parse_instruction(
    text: str, heredocs: tuple[Heredoc, ...], name: str, line: int, comments: tuple[str, ...]
) -> Instruction:
    keyword, *rest = text.split(maxsplit=1)
    keyword = keyword.upper()
    if keyword not in KEYWORDS:
        hint = did_you_mean(keyword, KEYWORDS)
        why = f"unknown instruction: {keyword}{f' ({hint})' if hint else ''}"
        raise DockerfileInvalid(name, line, why)
    body = rest[0].strip() if rest else ""
    try:
        # The flags after ONBUILD belong to the instruction that it contains.
        words, body = ((), body) if keyword == "ONBUILD" else split_flags(body)
        flags = parse_flags(keyword, words)
    except FlagInvalid as error:
        raise DockerfileInvalid(name, line, str(error)) from error
    if not body:
        count = "exactly" if keyword in ONE_ARGUMENT_KEYWORDS else "at least"
        raise DockerfileInvalid(name, line, f"{keyword} requires {count} one argument")
    return Instruction(
        keyword=keyword,
        line=line,
        text=body,
        flags=flags,
        words=_parse_words(body, name, line) if keyword in EXEC_FORM_KEYWORDS else None,
        heredocs=heredocs,
        comments=comments,
    )


def _parse_words(text: str, name: str, line: int) -> tuple[str, ...] | None:
    """Read a JSON list of strings. Raises `DockerfileInvalid`."""
    try:
        return parse_exec_form(text)
    except TypeError as error:
        raise DockerfileInvalid(name, line, str(error)) from error


def parse_exec_form(text: str) -> tuple[str, ...] | None:
    """Read a JSON list of strings; None where it is something else, which is for the shell.

    Raises `TypeError` for a list of something else.
    """
    if not text.startswith("["):
        return None
    try:
        words = from_json(text, list[object])
    except ValueError:
        return None
    if not all(isinstance(word, str) for word in words):
        raise TypeError(NOT_STRINGS)
    return tuple(str(word) for word in words)
