"""Write what an image's history says of an instruction, in BuildKit's words."""

import json
import sys

from cntnr_compose.builder.dockerfile.apply.metadata import added_volumes, exposed_ports
from cntnr_compose.builder.dockerfile.apply.pairs import parse_pairs
from cntnr_compose.builder.dockerfile.apply.stage_settings import StageSettings
from cntnr_compose.builder.dockerfile.copy import path_words
from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.run import PROXY_VARIABLES
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, parse_arg_words
from cntnr_compose.builder.dockerfile.steps import BuildStep, CopyStep, RunStep
from cntnr_compose.core.units import format_duration
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck

GO_ESCAPES = {
    7: r"\a", 8: r"\b", 9: r"\t", 10: r"\n", 11: r"\v", 12: r"\f", 13: r"\r", 39: r"\'", 92: r"\\",
}  # fmt: skip


def history_text(
    instruction: Instruction,
    before: StageSettings,
    after: StageSettings,
    step: BuildStep | None,
    scope: DockerfileScope,
) -> str:
    """Write an instruction as the history has it; '' where that leaves it out, as ONBUILD."""
    keyword, config = instruction.keyword, after.config
    if isinstance(step, RunStep):
        return f"RUN {_run_text(instruction, step, before)} # buildkit"
    if isinstance(step, CopyStep):
        return f"{keyword}{_copy_text(instruction, step, before, scope)} # buildkit"
    match keyword:
        case "ONBUILD":
            return ""
        case "WORKDIR":
            word = scope.expand(instruction.text, before.variables, instruction.line)
            return f"WORKDIR {word if word.startswith('/') else config.working_dir}"
        case "ENV" | "LABEL":
            pairs = parse_pairs(instruction, before.variables, scope)
            return f"{keyword} {' '.join(f'{name}={value}' for name, value in pairs.items())}"
        case "ARG":
            names = [name for name, _ in parse_arg_words(scope, instruction)]
            return f"ARG {' '.join(_argument(name, after) for name in names)}"
        case "EXPOSE":
            return f"EXPOSE [{' '.join(exposed_ports(before, instruction, scope))}]"
        case "VOLUME":
            return f"VOLUME [{' '.join(added_volumes(before, instruction, scope))}]"
        case _:
            return f"{keyword} {_setting(keyword, config) or instruction.text}"


def _setting(keyword: str, config: ImageConfig) -> str:
    """Write the setting that an instruction has replaced."""
    match keyword:
        case "CMD":
            return _quoted(config.cmd)
        case "ENTRYPOINT":
            return _quoted(config.entrypoint)
        case "SHELL":
            return f"[{' '.join(config.shell or ())}]"
        case "USER":
            return config.user
        case "STOPSIGNAL":
            return config.stop_signal
        case "HEALTHCHECK" if config.healthcheck is not None:
            return _healthcheck(config.healthcheck)
    return ""


def _quoted(words: tuple[str, ...] | None) -> str:
    """Write words as Go's ``%q`` does."""
    return f"[{' '.join(json.dumps(word, ensure_ascii=False) for word in words or ())}]"


def _argument(name: str, settings: StageSettings) -> str:
    """Write an ARG with its value; a proxy may contain a password."""
    known = name in settings.args and name not in PROXY_VARIABLES
    return f"{name}={settings.args[name]}" if known else name


def _run_text(instruction: Instruction, step: RunStep, before: StageSettings) -> str:
    """Write the command of a RUN, with the ARGs that it sees."""
    names = [name for name in before.declared if name not in PROXY_VARIABLES]
    args = [f"{name}={before.variables.get(name, '')}" for name in names]
    # BuildKit hands a script with a #! line over as a file of this name.
    command = step.argv or (
        *before.shell,
        *(f"/dev/pipes/{each.name}" for each in instruction.heredocs),
    )
    if [command[-1]] != [each.content for each in instruction.heredocs]:
        command = (*command[:-1], command[-1].removesuffix("\n"))
    return " ".join([f"|{len(args)}", *args, *command] if args else command)


def _copy_text(
    instruction: Instruction, step: CopyStep, before: StageSettings, scope: DockerfileScope
) -> str:
    """Write the flags and words of COPY or ADD, with their variables expanded."""
    flags = " --parents" if step.parents else ""
    flags += f" --chown={step.chown}" if step.chown else ""
    flags += f" --chmod={step.chmod}" if step.chmod else ""
    words = path_words(instruction, scope)
    *sources, target = (scope.expand(word, before.variables, instruction.line) for word in words)
    sources += [f"<<{text.name}" for text in step.texts]
    return f"{flags} {' '.join([*sources, target])}"


def _healthcheck(check: ImageHealthcheck) -> str:
    """Write a health check as Go's ``%q`` prints the structure: even the number, as a character."""
    times = (check.interval, check.timeout, check.start_period, check.start_interval)
    words = [f'"{format_duration(seconds)}"' for seconds in times]
    return f"&{{{_quoted(check.test)} {' '.join(words)} {_quoted_character(check.retries)}}}"


def _quoted_character(number: int) -> str:
    """Write a number as the character that Go takes it for."""
    if number in GO_ESCAPES:
        return f"'{GO_ESCAPES[number]}'"
    is_printable = number <= sys.maxunicode and chr(number).isprintable()
    return f"'{chr(number)}'" if is_printable else f"'\\x{number:02x}'"
