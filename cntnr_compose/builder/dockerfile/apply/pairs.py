"""Read the pairs of ENV and LABEL: ``NAME=value …``, or ``NAME the rest`` of old."""

from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope


def parse_pairs(
    instruction: Instruction, variables: dict[str, str], scope: DockerfileScope
) -> dict[str, str]:
    """Read pairs; values are expanded with the variables before the instruction.

    Raises `DockerfileInvalid`.
    """
    line, keyword = instruction.line, instruction.keyword
    words = scope.split_words(instruction.text, line)
    if "=" not in words[0]:
        name, *rest = instruction.text.split(maxsplit=1)
        if not rest:
            raise scope.error(line, f"{keyword} must have two arguments")
        pairs = [(name, rest[0])]
    else:
        for word in words:
            if "=" not in word:
                why = f'can\'t find = in "{word}". Must be of the form: name=value'
                raise scope.error(line, f"Syntax error - {why}")
        pairs = [(name, value) for name, _, value in (word.partition("=") for word in words)]
    expanded = {}
    for word, value in pairs:
        name = scope.expand(word, variables, line)
        if not name:
            raise scope.error(line, f"{keyword} names can not be blank")
        expanded[name] = scope.expand(value, variables, line)
    return expanded
