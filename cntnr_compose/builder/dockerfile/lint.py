"""Check a Dockerfile by the rules of BuildKit's build checks, as far as they need no build.

Rules and their words are those of docs.docker.com/reference/build-checks.
"""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.run import PROXY_VARIABLES
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.syntax.directives import DIRECTIVE
from cntnr_compose.builder.dockerfile.words import required_variables
from cntnr_compose.core.values import Value

RULE_URL = "https://docs.docker.com/go/dockerfile/rule"
RESERVED_STAGES = ("context", "scratch")
USED_ONCE = ("CMD", "ENTRYPOINT", "HEALTHCHECK")
SHELL_FORM = ("CMD", "ENTRYPOINT", "RUN", "HEALTHCHECK", "SHELL", "ONBUILD", "MAINTAINER", "FROM")
SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|passwd|pword|secret|token)(?:_|$)",
    re.IGNORECASE,
)
PUBLIC = re.compile(r"(?:_|^)public(?:_|$)", re.IGNORECASE)
HOST_PORT = re.compile(r"[^/\s]*:[^/\s]*(?:/\w+)?")


class Finding(Value, frozen=True, kw_only=True):
    """A rule that a Dockerfile breaks; ``line`` is that of the instruction."""

    rule: str
    line: int
    text: str

    @property
    def url(self) -> str:
        """Return the page about the rule: ``JSONArgsRecommended`` is ``json-args-recommended``."""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", self.rule).lower()
        return f"{RULE_URL}/{words}/"


def lint_dockerfile(
    text: str, scope: DockerfileScope, base_env: Mapping[str, Iterable[str] | None]
) -> list[Finding]:
    """Check a Dockerfile that was parsed; return what it breaks, by line.

    ``base_env`` has the names of the variables of each base image; None where they are not known.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    skipped = _skipped_rules(lines)
    if "all" in skipped:
        return []
    findings = [
        *_check_lines(lines, scope),
        *_check_stage_names(lines, scope),
        *_check_args_in_from(lines, scope),
    ]
    known: dict[int, set[str] | None] = {}
    for stage in scope.stages:
        findings += _check_instructions(stage)
        findings += _check_variables(stage, scope, base_env, known)
    kept = [finding for finding in findings if finding.rule.lower() not in skipped]
    return sorted(kept, key=lambda finding: (finding.line, finding.rule))


def _skipped_rules(lines: list[str]) -> set[str]:
    """Read ``# check=skip=RULE,RULE``; directives stand before everything else."""
    skipped: set[str] = set()
    for line in lines:
        match = DIRECTIVE.match(line.strip())
        if match is None:
            break
        if match.group(1).lower() == "check":
            for setting in match.group(2).split(";"):
                name, _, value = setting.partition("=")
                if name.strip() == "skip":
                    skipped |= {rule.strip().lower() for rule in value.split(",")}
    return skipped


def _instructions(scope: DockerfileScope) -> Iterator[tuple[int, str]]:
    """Yield line and keyword of every instruction, but for ARGs before the first FROM."""
    for stage in scope.stages:
        yield stage.line, "FROM"
        yield from ((each.line, each.keyword) for each in stage.instructions)


def _first_word(lines: list[str], line: int) -> str:
    return lines[line - 1].split(maxsplit=1)[0] if lines[line - 1].strip() else ""


def _check_lines(lines: list[str], scope: DockerfileScope) -> Iterator[Finding]:
    """Check the spelling of keywords, and empty lines within an instruction."""
    words = {line: _first_word(lines, line) for line, _ in _instructions(scope)}
    counts = Counter(word.islower() for word in words.values() if word.islower() or word.isupper())
    is_lower = counts[True] > counts[False]
    for line, word in words.items():
        if word != (word.lower() if is_lower else word.upper()):
            case = "lowercase" if is_lower else "uppercase"
            why = f"Command '{word}' should match the case of the command majority ({case})"
            yield Finding(rule="ConsistentInstructionCasing", line=line, text=why)
    starts = sorted(words)
    for start, end in zip(starts, [*starts[1:], len(lines) + 1], strict=True):
        if _has_empty_continuation(lines[start - 1 : end - 1], scope.escape):
            yield Finding(rule="NoEmptyContinuation", line=start, text="Empty continuation line")


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


def _check_stage_names(lines: list[str], scope: DockerfileScope) -> Iterator[Finding]:
    seen: set[str] = set()
    for stage in scope.stages:
        keyword, *words = lines[stage.line - 1].split()
        if not stage.name or len(words) < 3 or words[-2].lower() != "as":
            continue  # it has no name, or one on another line
        word, name = words[-2:]
        if word.isupper() != keyword.isupper():
            why = f"'{word}' and '{keyword}' keywords' casing do not match"
            yield Finding(rule="FromAsCasing", line=stage.line, text=why)
        if name != name.lower():
            why = f"Stage name '{name}' should be lowercase"
            yield Finding(rule="StageNameCasing", line=stage.line, text=why)
        if stage.name in RESERVED_STAGES:
            why = f'Stage name should not use the same name as reserved stage "{stage.name}"'
            yield Finding(rule="ReservedStageName", line=stage.line, text=why)
        if stage.name in seen:
            why = f'Duplicate stage name "{stage.name}", stage names should be unique'
            yield Finding(rule="DuplicateStageName", line=stage.line, text=why)
        seen.add(stage.name)


def _check_args_in_from(lines: list[str], scope: DockerfileScope) -> Iterator[Finding]:
    """Check the variables and the platform of each FROM."""
    for stage in scope.stages:
        text = lines[stage.line - 1]
        for name in required_variables(text, scope.escape):
            if name not in scope.declared:
                hint = _suggest(name, scope.declared, "")
                why = f"FROM argument '{name}' is not declared{hint}"
                yield Finding(rule="UndefinedArgInFrom", line=stage.line, text=why)
        match = re.search(r"--platform=(\S+)", text)
        platform = match.group(1).strip('"') if match else ""
        if platform in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
            why = (
                f"Setting platform to predefined {platform} in FROM is redundant as this is the default "
                "behavior"
            )
            yield Finding(rule="RedundantTargetPlatform", line=stage.line, text=why)
        elif platform and "$" not in platform and not _is_named_for(stage.name, platform):
            why = f'FROM --platform flag should not use constant value "{platform}"'
            yield Finding(rule="FromPlatformFlagConstDisallowed", line=stage.line, text=why)


def _is_named_for(stage: str, platform: str) -> bool:
    """Tell whether the name of a stage says which platform it is for."""
    return any(part and part in stage for part in platform.lower().split("/"))


def _check_instructions(stage: Stage) -> Iterator[Finding]:
    """Check what concerns the instructions of one stage alone."""
    has_shell = any(each.keyword == "SHELL" for each in stage.instructions)
    last: dict[str, int] = {}
    has_working_dir = stage.base_stage >= 0
    for each in stage.instructions:
        if each.keyword in USED_ONCE:
            if each.keyword in last:
                why = (
                    f"Multiple {each.keyword} instructions should not be used in the same stage because only "
                    "the last one will be used"
                )
                line = last[each.keyword]
                yield Finding(rule="MultipleInstructionsDisallowed", line=line, text=why)
            last[each.keyword] = each.line
        if each.keyword == "WORKDIR":
            if not has_working_dir and not each.text.startswith(("/", "$")):
                why = f'Relative workdir "{each.text}" can have unexpected results if the base image changes'
                yield Finding(rule="WorkdirRelativePath", line=each.line, text=why)
            has_working_dir = True
        if check := CHECKS.get(each.keyword):
            for rule, why in check(each):
                if rule != "JSONArgsRecommended" or not has_shell:
                    yield Finding(rule=rule, line=each.line, text=why)


def _check_shell_form(instruction: Instruction) -> Iterator[tuple[str, str]]:
    if instruction.words is None:
        why = (
            f"JSON arguments recommended for {instruction.keyword} to prevent unintended behavior related "
            "to OS signals"
        )
        yield "JSONArgsRecommended", why


def _check_pairs(instruction: Instruction) -> Iterator[tuple[str, str]]:
    """Check ENV, LABEL and ARG."""
    keyword, first = instruction.keyword, instruction.text.split(maxsplit=1)[0]
    if keyword != "ARG" and "=" not in first:
        why = f'"{keyword} key=value" should be used instead of legacy "{keyword} key value" format'
        yield "LegacyKeyValueFormat", why
    if keyword == "LABEL":
        return
    words = (
        [first]
        if "=" not in first
        else re.findall(r"(?:^|\s)([A-Za-z_]\w*)(?==|\s|$)", instruction.text)
    )
    for word in words:
        if SECRET.search(word) and not PUBLIC.search(word):
            why = f'Do not use ARG or ENV instructions for sensitive data ({keyword} "{word}")'
            yield "SecretsUsedInArgOrEnv", why


def _check_ports(instruction: Instruction) -> Iterator[tuple[str, str]]:
    for port in instruction.text.split():
        if HOST_PORT.fullmatch(port) and "$" not in port:
            why = f"EXPOSE instruction should not define an IP address or host-port mapping, found '{port}'"
            yield "ExposeInvalidFormat", why
        protocol = port.partition("/")[2]
        if protocol != protocol.lower() and "$" not in protocol:
            why = f"Defined protocol '{port}' in EXPOSE instruction should be lowercase"
            yield "ExposeProtoCasing", why


def _check_maintainer(_instruction: Instruction) -> Iterator[tuple[str, str]]:
    yield "MaintainerDeprecated", "Maintainer instruction is deprecated in favor of using label"


CHECKS: dict[str, Callable[[Instruction], Iterator[tuple[str, str]]]] = {
    "CMD": _check_shell_form,
    "ENTRYPOINT": _check_shell_form,
    "ENV": _check_pairs,
    "LABEL": _check_pairs,
    "ARG": _check_pairs,
    "EXPOSE": _check_ports,
    "MAINTAINER": _check_maintainer,
}


def _check_variables(
    stage: Stage,
    scope: DockerfileScope,
    base_env: Mapping[str, Iterable[str] | None],
    known: dict[int, set[str] | None],
) -> Iterator[Finding]:
    """Check that variables are defined; ``known`` collects the names at the end of each stage."""
    base = known[stage.base_stage] if stage.base_stage >= 0 else base_env.get(stage.base)
    names = None if base is None and stage.base != "scratch" else {"PATH", *(base or ())}
    for each in stage.instructions:
        if names is not None and each.keyword not in SHELL_FORM:
            for name in required_variables(_expanded_text(each), scope.escape):
                if name not in names and name not in PROXY_VARIABLES:
                    why = f"Usage of undefined variable '${name}'{_suggest(name, names, '$')}"
                    yield Finding(rule="UndefinedVar", line=each.line, text=why)
        if names is not None and each.keyword in ("ARG", "ENV"):
            first = each.text.split(maxsplit=1)[0]
            names |= (
                set(re.findall(r"(?:^|\s)(\w+)(?==|\s|$)", each.text))
                if "=" in each.text
                else {first}
            )
    known[stage.index] = names


def _expanded_text(instruction: Instruction) -> str:
    """Return the parts of an instruction in which variables are expanded."""
    flags = [value for name, value in instruction.flags if name in ("chown", "chmod", "from")]
    return " ".join([*flags, instruction.text])


def _suggest(name: str, names: Iterable[str], sign: str) -> str:
    close = difflib.get_close_matches(name, sorted(names), 1)
    return f" (did you mean {sign}{close[0]}?)" if close else ""
