"""Check that the variables of instructions are defined."""

import re
from collections.abc import Iterable, Iterator, Mapping

from cntnr_compose.builder.dockerfile.lint.findings import Finding, suggest
from cntnr_compose.builder.dockerfile.lint.rules import RULES
from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.run import PROXY_VARIABLES
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.words import required_variables

# Their variables are for the shell, or mean nothing.
NOT_EXPANDED = ("CMD", "ENTRYPOINT", "RUN", "HEALTHCHECK", "SHELL", "ONBUILD", "MAINTAINER", "FROM")


def check_variables(
    stage: Stage,
    scope: DockerfileScope,
    base_env: Mapping[str, Iterable[str] | None],
    known: dict[int, set[str] | None],
) -> Iterator[Finding]:
    """Check one stage; ``known`` collects the names at the end of each."""
    base = known[stage.base_stage] if stage.base_stage >= 0 else base_env.get(stage.base)
    names = None if base is None and stage.base != "scratch" else {"PATH", *(base or ())}
    for each in stage.instructions:
        for name in required_variables(_expanded_text(each), scope.escape):
            if names is not None and name not in names and name not in PROXY_VARIABLES:
                text = RULES["UndefinedVar"].format(name, suggest(name, names, "$"))
                yield Finding(rule="UndefinedVar", line=each.line, text=text)
        if names is not None and each.keyword in ("ARG", "ENV"):
            names |= _defined_names(each)
    known[stage.index] = names


def _defined_names(instruction: Instruction) -> set[str]:
    """Return the names that ARG or ENV defines."""
    if instruction.keyword == "ENV" and "=" not in instruction.text.split(maxsplit=1)[0]:
        return {instruction.text.split(maxsplit=1)[0]}
    return set(re.findall(r"(?:^|\s)(\w+)(?==|\s|$)", instruction.text))


def _expanded_text(instruction: Instruction) -> str:
    """Return the parts of an instruction in which variables are expanded."""
    flags = [value for name, value in instruction.flags if name in ("chown", "chmod", "exclude")]
    if instruction.keyword == "RUN":
        flags = [value for name, value in instruction.flags if name == "mount"]
    text = "" if instruction.keyword in NOT_EXPANDED else instruction.text
    return " ".join([*flags, text])
