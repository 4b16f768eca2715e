"""Read COPY and ADD: what is copied, from where, to which path of the image."""

import posixpath

from cntnr_compose.builder.dockerfile.parser import Heredoc, Instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.steps import CopyStep, InlineFile
from cntnr_compose.builder.dockerfile.syntax.flags import read_boolean
from cntnr_compose.builder.dockerfile.syntax.heredocs import BARE_MARK, read_mark
from cntnr_compose.builder.dockerfile.values.file_modes import FileModeInvalid, parse_file_mode
from cntnr_compose.builder.dockerfile.values.git_url import GitSource, GitUrlInvalid, parse_git_url
from cntnr_compose.core.values import replace

URL_PREFIXES = ("http://", "https://")
PIVOT = "/./"
FOLDER_NEEDED = "the destination must be a directory and end with a /"


class _Sources:
    """The sources of one instruction, by what they are."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.urls: list[str] = []
        self.git: list[GitSource] = []


def parse_copy(
    instruction: Instruction,
    stage: Stage,
    scope: DockerfileScope,
    variables: dict[str, str],
    working_dir: str,
) -> CopyStep:
    """Read a COPY or ADD. Raises `DockerfileInvalid`."""
    line, flags = instruction.line, dict(instruction.flags)
    words = [scope.expand(word, variables, line) for word in path_words(instruction, scope)]
    texts = tuple(_inline_file(text, variables, scope, line) for text in instruction.heredocs)
    _check_count(words, len(texts), instruction, scope)
    *sources, target = words
    checksum = scope.expand(flags.get("checksum", ""), variables, line)
    parents = read_boolean(instruction.flags, "parents") or False
    sorted_sources = _sort(sources, instruction, scope)
    _check_checksum(checksum, sources, sorted_sources, instruction, scope)
    unpack = read_boolean(instruction.flags, "unpack")
    chmod = scope.expand(flags.get("chmod", ""), variables, line)
    _check_mode(chmod, instruction, scope)
    excluded = (value for name, value in instruction.flags if name == "exclude")
    return CopyStep(
        sources=tuple(
            _around_pivot(word) if parents else _relative_to_root(word)
            for word in sorted_sources.paths
        ),
        target=_target(target, working_dir, is_folder=parents),
        origin=scope.resolve_copy_from(flags["from"], stage, line) if flags.get("from") else "",
        chown=scope.expand(flags.get("chown", ""), variables, line),
        chmod=chmod,
        exclude=tuple(scope.expand(word, variables, line) for word in excluded),
        texts=texts,
        urls=tuple(sorted_sources.urls),
        git=tuple(
            _with_flags(source, checksum, instruction, scope) for source in sorted_sources.git
        ),
        checksum="" if sorted_sources.git else checksum,
        extract=instruction.keyword == "ADD" if unpack is None else unpack,
        extract_urls=unpack is True and bool(sorted_sources.urls),
        # A layer that lies apart cannot have its mode changed: BuildKit copies as without it.
        link=(read_boolean(instruction.flags, "link") or False) and not chmod,
        parents=parents,
    )


def path_words(instruction: Instruction, scope: DockerfileScope) -> list[str]:
    """Return sources and target as they are written, without the ``<<NAME`` of heredocs."""
    if instruction.words is not None:
        return list(instruction.words)
    words = instruction.text.split()
    if not instruction.heredocs:
        return words
    kept, is_name = [], False
    for word in words:
        if not is_name and not BARE_MARK.fullmatch(word) and read_mark(word) is None:
            kept.append(word)
        is_name = not is_name and BARE_MARK.fullmatch(word) is not None
    if not kept or words[-1] != kept[-1]:
        why = f"{instruction.keyword} cannot accept a heredoc as a destination"
        raise scope.error(instruction.line, why)
    return kept


def _check_count(
    words: list[str], text_count: int, instruction: Instruction, scope: DockerfileScope
) -> None:
    """Check that there are a source and a target, and that several sources have a folder as target."""
    if len(words) + text_count < 2 or not words:
        why = (
            f"{instruction.keyword} requires at least two arguments, but only one was provided. "
            "Destination could not be determined"
        )
        raise scope.error(instruction.line, why)
    if len(words) + text_count > 2 and not words[-1].endswith(("/", ".")):
        if read_boolean(instruction.flags, "parents"):
            return
        why = f"When using {instruction.keyword} with more than one source file, {FOLDER_NEEDED}"
        raise scope.error(instruction.line, why)


def _inline_file(
    heredoc: Heredoc, variables: dict[str, str], scope: DockerfileScope, line: int
) -> InlineFile:
    """Fill variables into a heredoc unless it is literal; quotes in it have no meaning."""
    content = heredoc.content
    if not heredoc.literal:
        content = scope.expand_text(content, variables, line)
    return InlineFile(name=heredoc.name, content=content)


def _sort(sources: list[str], instruction: Instruction, scope: DockerfileScope) -> _Sources:
    """Sort sources into paths, and what ADD alone can fetch."""
    result, line = _Sources(), instruction.line
    is_add = instruction.keyword == "ADD"
    for word in sources:
        try:
            git = parse_git_url(word)
        except GitUrlInvalid as error:
            raise scope.error(line, f"{word}: {error}") from error
        is_url = git is None and word.startswith(URL_PREFIXES)
        if (git is not None or is_url) and not is_add:
            what = "a git ref" if git is not None else "a URL"
            raise scope.error(line, f"source can't be {what} for COPY: {word}; ADD takes one")
        if git is not None:
            result.git.append(git)
        elif is_url:
            result.urls.append(word)
        elif is_add and "://" in word:
            raise scope.error(line, f"cannot add {word}: only http, https and git are supported")
        else:
            result.paths.append(word)
    return result


def _check_checksum(
    checksum: str,
    words: list[str],
    sources: _Sources,
    instruction: Instruction,
    scope: DockerfileScope,
) -> None:
    """Check that a checksum belongs to one download."""
    if not checksum:
        return
    if len(words) != 1:
        raise scope.error(instruction.line, "checksum can't be specified for multiple sources")
    if not sources.urls and not sources.git:
        raise scope.error(instruction.line, "checksum requires HTTP(S) or Git sources")
    algorithm, _, digits = checksum.partition(":")
    is_digest = len(digits) == 64 and set(digits) <= set("0123456789abcdef")
    if sources.urls and (algorithm != "sha256" or not is_digest):
        raise scope.error(
            instruction.line, f"invalid checksum digest format: {checksum}, it is sha256:HEX"
        )


def _with_flags(
    source: GitSource, checksum: str, instruction: Instruction, scope: DockerfileScope
) -> GitSource:
    """Join what the address of a repository says with what the flags say."""
    keep = read_boolean(instruction.flags, "keep-git-dir")
    if keep is not None and source.keep_git_dir not in (None, keep):
        raise scope.error(instruction.line, "inconsistent keep-git-dir configuration")
    if checksum and source.checksum and checksum != source.checksum:
        why = f'checksum mismatch "{checksum}" != "{source.checksum}"'
        raise scope.error(instruction.line, why)
    if checksum and (len(checksum) < 7 or set(checksum) - set("0123456789abcdef")):
        why = f'invalid checksum "{checksum}", expected hex commit hash'
        raise scope.error(instruction.line, why)
    return replace(
        source,
        keep_git_dir=bool(keep or source.keep_git_dir),
        checksum=checksum or source.checksum,
    )


def _relative_to_root(source: str) -> str:
    """Make a source relative to the folder that it is taken from, which it cannot leave."""
    return posixpath.normpath(f"/{source}").lstrip("/") or "."


def _around_pivot(source: str) -> str:
    """Split a source of ``--parents`` at its pivot, ``/./``: folders before that are not copied."""
    before, pivot, pattern = source.partition(PIVOT)
    if not pivot:
        before, pattern = "", source
    return f"{_relative_to_root(before)}{PIVOT}{_relative_to_root(pattern)}"


def _target(word: str, working_dir: str, *, is_folder: bool) -> str:
    """Make the target absolute; a folder ends in a slash."""
    path = posixpath.normpath(posixpath.join("/", working_dir, word))
    path = f"/{path.lstrip('/')}"
    is_folder = is_folder or word.endswith(("/", "/.")) or word in ("", ".", "..")
    return f"{path.rstrip('/')}/" if is_folder else path


def _check_mode(text: str, instruction: Instruction, scope: DockerfileScope) -> None:
    """Check the mode of ``--chmod``."""
    try:
        if text:
            parse_file_mode(text)
    except FileModeInvalid as error:
        raise scope.error(instruction.line, str(error)) from error
