"""Check the lines of a Dockerfile: the spelling of keywords, and empty lines within an instruction."""

from collections import Counter
from collections.abc import Iterator

from cntnr_compose.builder.dockerfile.lint.findings import Finding
from cntnr_compose.builder.dockerfile.lint.rules import RULES
from cntnr_compose.builder.dockerfile.stages import DockerfileScope


def check_lines(lines: list[str], scope: DockerfileScope) -> Iterator[Finding]:
    """Check all instructions, but for ARGs before the first FROM."""
    starts = sorted(
        line
        for stage in scope.stages
        for line in (stage.line, *(i.line for i in stage.instructions))
    )
    words = {
        line: lines[line - 1].split(maxsplit=1)[0] for line in starts if lines[line - 1].strip()
    }
    counts = Counter(word.islower() for word in words.values() if word.islower() or word.isupper())
    is_lower = counts[True] > counts[False]
    for line, word in words.items():
        if word != (word.lower() if is_lower else word.upper()):
            case = "lowercase" if is_lower else "uppercase"
            text = RULES["ConsistentInstructionCasing"].format(word, case)
            yield Finding(rule="ConsistentInstructionCasing", line=line, text=text)
    for start, end in zip(starts, [*starts[1:], len(lines) + 1], strict=True):
        if _has_empty_continuation(lines[start - 1 : end - 1], scope.escape):
            text = RULES["NoEmptyContinuation"]
            yield Finding(rule="NoEmptyContinuation", line=start, text=text)


def _has_empty_continuation(lines: list[str], escape: str) -> bool:
    """Tell whether an empty line follows one that goes on, and the instruction goes on after it."""
    goes_on = False
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("#"):
            continue
        if goes_on and not stripped:
            return any(rest.strip() for rest in lines[number:])
        goes_on = stripped.endswith(escape)
        if not goes_on:
            return False
    return False
