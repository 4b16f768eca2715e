"""Dockerfile text to instructions with line numbers; what they mean is `plan.build`'s."""

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
    """A Dockerfile cannot be read or means nothing; ``name`` and ``line`` tell where."""

    def __init__(self, name: str, line: int, why: str) -> None:
        super().__init__(f"{name}:{line}: {why}")


class Heredoc(Value, frozen=True, kw_only=True):
    """A text in the Dockerfile itself."""

    name: str
    content: str
    literal: bool = False  # its name was quoted: variables stay as they are
    trimmed: bool = False  # <<-: leading tabs are taken away


class Instruction(Value, frozen=True, kw_only=True):
    """One instruction; ``words`` is its exec form, where it has one."""

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
    """A file that was read."""

    name: str
    instructions: tuple[Instruction, ...]
    escape: str = "\\"


def parse_dockerfile(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Read a Dockerfile. Raises `DockerfileInvalid`."""
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    escape = _parse_escape_directive(lines, name)
    found = tuple(_parse_instructions(lines, name, escape))
    if not found:
        raise DockerfileInvalid(name, 1, "the Dockerfile is empty")
    return Dockerfile(name=name, instructions=found, escape=escape)


def parse_instruction(text: str, name: str, line: int) -> Instruction:
    """Read one instruction that stands by itself, such as a trigger. Raises `DockerfileInvalid`."""
    return _parse_instruction(text, (), name, line)


def _parse_escape_directive(lines: list[str], name: str) -> str:
    """Find the escape directive; directives stand before everything else."""
    for number, line in enumerate(lines, 1):
        found = DIRECTIVE.match(line.strip())
        if found is None:
            break
        key, value = found.group(1).lower(), found.group(2)
        if key == "escape":
            if value not in ("\\", "`"):
                raise DockerfileInvalid(name, number, f'escape must be \\ or `, not "{value}"')
            return value
        if key not in ("syntax", "check"):
            break
    return "\\"


def _parse_instructions(lines: list[str], name: str, escape: str) -> Iterator[Instruction]:
    goes_on = re.compile(re.escape(escape) + r"[ \t]*$")
    at = 0
    while at < len(lines):
        first = at
        text = ""
        more = True
        while more and at < len(lines):
            line = lines[at]
            at += 1
            bare = line.strip()
            if bare.startswith("#") or (not bare and text):
                continue  # also between the lines of one instruction
            if not text:
                line, first = line.lstrip(), at
            more = goes_on.search(line) is not None
            text += goes_on.sub("", line) if more else line
            more = more or not bare
        if text.strip():
            heredocs, at = _read_heredocs(text, lines, at, name, first)
            yield _parse_instruction(text.strip(), heredocs, name, first)


def _read_heredocs(
    text: str, lines: list[str], at: int, name: str, line: int
) -> tuple[tuple[Heredoc, ...], int]:
    """Read the texts that follow an instruction; give them and where the next line is."""
    keyword, _, rest = text.partition(" ")
    inner = rest.strip().partition(" ")[0] if keyword.upper() == "ONBUILD" else keyword
    if inner.upper() not in HEREDOC_KEYWORDS or "<<" not in text:
        return (), at
    found = []
    for word in _split_words(rest):
        match = HEREDOC.fullmatch(word)
        if match is None:
            continue
        tag = match.group(3).strip("\"'")
        body = []
        while True:
            if at >= len(lines):
                raise DockerfileInvalid(name, line, f"unterminated heredoc: no line {tag} follows")
            current = lines[at].lstrip("\t") if match.group(2) else lines[at]
            at += 1
            if current == tag:
                break
            body.append(current + "\n")
        found.append(
            Heredoc(
                name=tag,
                content="".join(body),
                literal=match.group(3) != tag,
                trimmed=bool(match.group(2)),
            )
        )
    return tuple(found), at


def _split_words(text: str) -> tuple[str, ...]:
    try:
        return split_words(text)
    except WordInvalid:
        return ()  # a shell may have other rules for quotes; a text in quotes is no heredoc


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
    # ONBUILD's flags are those of the instruction that it holds back.
    while keyword != "ONBUILD" and (found := FLAG.match(body)):
        flags.append((found.group(1), _unquote(found.group(2) or "")))
        body = body[found.end() :]
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
    """Take the quotes off a flag's value."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def parse_exec_form(text: str) -> tuple[str, ...] | None:
    """Read a JSON list of strings; None where it is something else: then it is for a shell."""
    if not text.startswith("["):
        return None
    try:
        return from_json(text, tuple[str, ...])
    except ValueError:
        return None


def _suggest_keyword(keyword: str) -> str:
    import difflib

    close = difflib.get_close_matches(keyword, KEYWORDS, 1)
    return f" (did you mean {close[0]}?)" if close else ""
