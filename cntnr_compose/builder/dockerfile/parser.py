"""Parse the text of a Dockerfile into instructions with line numbers; `instructions` applies them."""

import re
from collections.abc import Iterator

from cntnr_compose.builder.dockerfile.words import WordInvalid, split_words
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, from_json

KEYWORDS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
EXEC_FORM_KEYWORDS = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
HEREDOC_KEYWORDS = frozenset({"ADD", "COPY", "RUN"})
DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
FLAG = re.compile(r"--([a-z][a-z0-9-]*)(?:=(\S*))?(?:\s+|$)")
HEREDOC = re.compile(r"(\d*)<<(-?)([^<]+)")


class DockerfileInvalid(CntnrError):
    """A Dockerfile cannot be read or makes no sense; ``name`` and ``line`` are its place."""

    def __init__(self, name: str, line: int, why: str) -> None:
        self.line = line
        super().__init__(f"{name}:{line}: {why}")


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
    escape: str = "\\"


def parse_dockerfile(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Parse a Dockerfile. Raises `DockerfileInvalid`."""
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    escape = _parse_escape_directive(lines, name)
    instructions = tuple(_parse_instructions(lines, name, escape))
    if not instructions:
        raise DockerfileInvalid(name, 1, "the Dockerfile is empty")
    return Dockerfile(name=name, instructions=instructions, escape=escape)


def parse_instruction(text: str, name: str, line: int) -> Instruction:
    """Parse a single instruction, such as an ONBUILD trigger. Raises `DockerfileInvalid`."""
    return _parse_instruction(text, (), name, line)


def _parse_escape_directive(lines: list[str], name: str) -> str:
    """Read the escape directive; directives stand before everything else."""
    for number, line in enumerate(lines, 1):
        match = DIRECTIVE.match(line.strip())
        if match is None:
            break
        key, value = match.group(1).lower(), match.group(2)
        if key == "escape":
            if value not in ("\\", "`"):
                raise DockerfileInvalid(name, number, f'escape must be \\ or `, not "{value}"')
            return value
        if key not in ("syntax", "check"):
            break
    return "\\"


def _parse_instructions(lines: list[str], name: str, escape: str) -> Iterator[Instruction]:
    """Join lines that go on, and parse each instruction."""
    continuation = re.compile(re.escape(escape) + r"[ \t]*$")
    at = 0
    while at < len(lines):
        first = at
        text = ""
        continues = True
        while continues and at < len(lines):
            line = lines[at]
            at += 1
            stripped = line.strip()
            if stripped.startswith("#") or (not stripped and text):
                continue  # comments, and empty lines within an instruction
            if not text:
                line, first = line.lstrip(), at
            continues = continuation.search(line) is not None
            text += continuation.sub("", line) if continues else line
            continues = continues or not stripped
        if text.strip():
            heredocs, at = _read_heredocs(text, lines, at, name, first)
            yield _parse_instruction(text.strip(), heredocs, name, first)


def _read_heredocs(
    text: str, lines: list[str], at: int, name: str, line: int
) -> tuple[tuple[Heredoc, ...], int]:
    """Read the heredocs that follow an instruction; return them and the index of the next line."""
    keyword, _, rest = text.partition(" ")
    inner = rest.strip().partition(" ")[0] if keyword.upper() == "ONBUILD" else keyword
    if inner.upper() not in HEREDOC_KEYWORDS or "<<" not in text:
        return (), at
    heredocs = []
    for word in _split_words(rest):
        match = HEREDOC.fullmatch(word)
        if match is None:
            continue
        tag, is_trimmed = match.group(3).strip("\"'"), bool(match.group(2))
        body, end = _read_until_tag(tag, lines, at, is_trimmed=is_trimmed)
        if end > len(lines):
            raise DockerfileInvalid(name, line, f"unterminated heredoc: no line {tag} follows")
        at = end
        heredocs.append(Heredoc(name=tag, content=body, literal=match.group(3) != tag))
    return tuple(heredocs), at


def _read_until_tag(tag: str, lines: list[str], at: int, *, is_trimmed: bool) -> tuple[str, int]:
    """Read lines up to ``tag``; return the index behind it, beyond the end where it is missing."""
    body: list[str] = []
    for number in range(at, len(lines)):
        current = lines[number].lstrip("\t") if is_trimmed else lines[number]
        if current == tag:
            return "".join(body), number + 1
        body.append(current + "\n")
    return "".join(body), len(lines) + 1


def _split_words(text: str) -> tuple[str, ...]:
    try:
        return split_words(text)
    except WordInvalid:
        return ()  # a shell may have other rules for quotes; a heredoc is not in quotes


def _parse_instruction(
    text: str, heredocs: tuple[Heredoc, ...], name: str, line: int
) -> Instruction:
    keyword, *rest = text.split(maxsplit=1)
    keyword = keyword.upper()
    if keyword not in KEYWORDS:
        raise DockerfileInvalid(
            name, line, f"unknown instruction: {keyword}{_suggest_keyword(keyword)}"
        )
    body = rest[0].strip() if rest else ""
    flags = []
    # The flags after ONBUILD belong to the instruction that it contains.
    while keyword != "ONBUILD" and (match := FLAG.match(body)):
        flags.append((match.group(1), _unquote(match.group(2) or "")))
        body = body[match.end() :]
    if not body:
        raise DockerfileInvalid(name, line, f"{keyword} needs something to follow it")
    return Instruction(
        keyword=keyword,
        line=line,
        text=body,
        flags=tuple(flags),
        words=parse_exec_form(body) if keyword in EXEC_FORM_KEYWORDS else None,
        heredocs=heredocs,
    )


def _unquote(value: str) -> str:
    """Remove the quotes around a flag's value."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def parse_exec_form(text: str) -> tuple[str, ...] | None:
    """Read a JSON list of strings; None where it is something else, which is for the shell."""
    if not text.startswith("["):
        return None
    try:
        return from_json(text, tuple[str, ...])
    except ValueError:
        return None


def _suggest_keyword(keyword: str) -> str:
    """Suggest a keyword for one that is misspelt."""
    import difflib

    close = difflib.get_close_matches(keyword, KEYWORDS, 1)
    return f" (did you mean {close[0]}?)" if close else ""
