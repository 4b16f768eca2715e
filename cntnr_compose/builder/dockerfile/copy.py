"""Read COPY and ADD: what is copied, from where, to which path of the image."""

import posixpath

from cntnr_compose.builder.dockerfile.parser import Heredoc, Instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.steps import CopyStep, InlineFile

URL_PREFIXES = ("http://", "https://")
FOLDER_NEEDED = "the destination must be a directory and end with a /"


def parse_copy(
    instruction: Instruction,
    stage: Stage,
    scope: DockerfileScope,
    variables: dict[str, str],
    working_dir: str,
) -> CopyStep:
    """Read a COPY or ADD. Raises `DockerfileInvalid`."""
    line, flags = instruction.line, dict(instruction.flags)
    words = [scope.expand(word, variables, line) for word in _path_words(instruction)]
    texts = tuple(_inline_file(text, variables, scope, line) for text in instruction.heredocs)
    _check_count(words, len(texts), instruction, scope)
    *sources, target = words
    urls = _urls(sources, instruction, scope)
    return CopyStep(
        sources=tuple(_relative_to_root(word) for word in sources if word not in urls),
        target=_target(target, working_dir),
        origin=scope.resolve_from(flags["from"], stage.index) if flags.get("from") else "",
        chown=scope.expand(flags.get("chown", ""), variables, line),
        chmod=_mode(scope.expand(flags.get("chmod", ""), variables, line), instruction, scope),
        exclude=tuple(value for name, value in instruction.flags if name == "exclude"),
        texts=texts,
        urls=urls,
        checksum=flags.get("checksum", ""),
        extract=instruction.keyword == "ADD",
    )


def _path_words(instruction: Instruction) -> tuple[str, ...]:
    """Return sources and target as they are written, without the ``<<NAME`` of heredocs."""
    if instruction.words is not None:
        return instruction.words
    words = instruction.text.split()
    return tuple(word for word in words if not (instruction.heredocs and word.startswith("<<")))


def _check_count(
    words: list[str], text_count: int, instruction: Instruction, scope: DockerfileScope
) -> None:
    """Check that there are a source and a target, and that several sources have a folder as target."""
    if len(words) + text_count < 2 or not words:
        raise scope.error(
            instruction.line, f"{instruction.keyword} requires at least two arguments"
        )
    if len(words) + text_count > 2 and not words[-1].endswith(("/", ".")):
        raise scope.error(
            instruction.line,
            f"When using {instruction.keyword} with more than one source file, {FOLDER_NEEDED}",
        )


def _inline_file(
    heredoc: Heredoc, variables: dict[str, str], scope: DockerfileScope, line: int
) -> InlineFile:
    """Fill variables into a heredoc unless it is literal; quotes in it have no meaning."""
    content = heredoc.content
    if not heredoc.literal:
        quoted = content.replace('"', f'{scope.escape}"')
        content = scope.expand(f'"{quoted}"', variables, line)
    return InlineFile(name=heredoc.name, content=content)


def _urls(sources: list[str], instruction: Instruction, scope: DockerfileScope) -> tuple[str, ...]:
    """Return the sources that ADD downloads."""
    if instruction.keyword != "ADD":
        return ()
    for word in sources:
        if word.startswith("git@") or ("://" in word and not word.startswith(URL_PREFIXES)):
            raise scope.error(
                instruction.line, f"cannot add {word}: only http and https are supported"
            )
    return tuple(word for word in sources if word.startswith(URL_PREFIXES))


def _relative_to_root(source: str) -> str:
    """Make a source relative to the folder that it is taken from, which it cannot leave."""
    return posixpath.normpath(f"/{source}").lstrip("/") or "."


def _target(word: str, working_dir: str) -> str:
    """Make the target absolute; a folder ends in a slash."""
    path = posixpath.normpath(posixpath.join("/", working_dir, word))
    path = f"/{path.lstrip('/')}"
    is_folder = word.endswith(("/", "/.")) or word in (".", "..")
    return f"{path.rstrip('/')}/" if is_folder else path


def _mode(text: str, instruction: Instruction, scope: DockerfileScope) -> str:
    """Check the mode of ``--chmod``."""
    if text and (
        not text.isdecimal() or int(text, 8 if set(text) <= set("01234567") else 10) > 0o7777
    ):
        raise scope.error(
            instruction.line, f"invalid chmod parameter: '{text}', it should be an octal number"
        )
    return text
