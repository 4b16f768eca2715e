"""Check the instructions of stages, each for itself."""

import posixpath
import re
from collections.abc import Callable, Iterator

from cntnr_compose.builder.dockerfile.copy import URL_PREFIXES, path_words
from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.dockerfile.lint.findings import Finding
from cntnr_compose.builder.dockerfile.lint.rules import RULES
from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage

USED_ONCE = ("CMD", "ENTRYPOINT", "HEALTHCHECK")
SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|passwd|pword|secret|token)(?:_|$)",
    re.IGNORECASE,
)
PUBLIC = re.compile(r"(?:_|^)public(?:_|$)", re.IGNORECASE)
HOST_PORT = re.compile(r"[^/\s]*:[^/\s]*(?:/\w+)?")

Broken = Iterator[tuple[str, tuple[str, ...]]]  # rules, and what their texts are about


class StageChecker:
    """Check the instructions of all stages; a stage goes on where the one that it starts from has ended."""

    def __init__(
        self, scope: DockerfileScope, base_shells: dict[str, bool], ignore: tuple[str, ...]
    ) -> None:
        self.scope = scope
        self._base_shells = base_shells  # by image: it has a SHELL
        has_exceptions = any(pattern.startswith("!") for pattern in ignore)
        # What exceptions let in cannot be told from names alone.
        self._ignore = IgnorePatterns(() if has_exceptions else ignore)
        self._ends: dict[int, tuple[bool, bool]] = {}

    def check(self, stage: Stage) -> Iterator[Finding]:
        """Check one stage."""
        before = self._ends.get(stage.base_stage, (self._base_shells.get(stage.base, False), False))
        has_shell, has_working_dir = before
        last: dict[str, int] = {}
        for each in stage.instructions:
            if each.keyword in USED_ONCE:
                if each.keyword in last:
                    rule, line = "MultipleInstructionsDisallowed", last[each.keyword]
                    yield Finding(rule=rule, line=line, text=RULES[rule].format(each.keyword))
                last[each.keyword] = each.line
            if each.keyword == "WORKDIR":
                if not has_working_dir and not each.text.startswith(("/", "$")):
                    rule = "WorkdirRelativePath"
                    yield Finding(rule=rule, line=each.line, text=RULES[rule].format(each.text))
                has_working_dir = True
            has_shell = has_shell or each.keyword == "SHELL"
            for rule, words in self._check_instruction(each):
                if rule != "JSONArgsRecommended" or not has_shell:
                    yield Finding(rule=rule, line=each.line, text=RULES[rule].format(*words))
        self._ends[stage.index] = has_shell, has_working_dir

    def _check_instruction(self, instruction: Instruction) -> Broken:
        if check := CHECKS.get(instruction.keyword):
            yield from check(instruction)
        if instruction.keyword in ("COPY", "ADD") and not dict(instruction.flags).get("from"):
            yield from self._check_ignored(instruction)

    def _check_ignored(self, instruction: Instruction) -> Broken:
        for word in path_words(instruction, self.scope)[:-1]:
            source = posixpath.normpath(word).lstrip("/")
            if not word.startswith(URL_PREFIXES) and self._ignore.ignores(source):
                yield "CopyIgnoredFile", (instruction.keyword.capitalize(), source)


def _check_shell_form(instruction: Instruction) -> Broken:
    if instruction.words is None:
        yield "JSONArgsRecommended", (instruction.keyword,)


def _check_pairs(instruction: Instruction) -> Broken:
    """Check ENV, LABEL and ARG."""
    keyword, first = instruction.keyword, instruction.text.split(maxsplit=1)[0]
    if keyword != "ARG" and "=" not in first:
        yield "LegacyKeyValueFormat", (keyword,)
    if keyword == "LABEL":
        return
    words = [first]
    if "=" in first or keyword == "ARG":
        words = re.findall(r"(?:^|\s)([A-Za-z_]\w*)(?==|\s|$)", instruction.text)
    for word in words:
        if SECRET.search(word) and not PUBLIC.search(word):
            yield "SecretsUsedInArgOrEnv", (keyword, word)


def _check_ports(instruction: Instruction) -> Broken:
    for port in instruction.text.split():
        if HOST_PORT.fullmatch(port) and "$" not in port:
            yield "ExposeInvalidFormat", (port,)
        protocol = port.partition("/")[2]
        if protocol != protocol.lower() and "$" not in protocol:
            yield "ExposeProtoCasing", (port,)


def _check_maintainer(_instruction: Instruction) -> Broken:
    yield "MaintainerDeprecated", ()


CHECKS: dict[str, Callable[[Instruction], Broken]] = {
    "CMD": _check_shell_form,
    "ENTRYPOINT": _check_shell_form,
    "ENV": _check_pairs,
    "LABEL": _check_pairs,
    "ARG": _check_pairs,
    "EXPOSE": _check_ports,
    "MAINTAINER": _check_maintainer,
}
