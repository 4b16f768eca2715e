"""Write units of the user's systemd, with words and variables in its syntax (systemd.syntax(7)).

The main process of a unit is the command itself, attached: it tells systemd when containers run, and stops
them. Everything else of ours, which other projects may use too, is left alone when the unit stops.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence

from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.values import Seconds

ENTRY_CODE = "from cntnr_compose.cli.main import main; main()"
# What finds the user's data, programs and settings.
KEPT_VARIABLES = ("PATH", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "DOCKER_CONFIG")
START_TIMEOUT: Seconds = 900  # images may have to be pulled first
STOP_MARGIN: Seconds = 30  # beyond the grace period of containers
PLAIN = re.compile(r"[A-Za-z0-9_@/.:=+,-]+")
NEEDS_ESCAPE = re.compile(r"""[\\"\x00-\x1f\x7f]""")
UNIT = """\
# Made by `cntnr{made_by}`.
# systemctl --user enable --now {file} starts it, once it is at ~/.config/systemd/user/{file}.
[Unit]
Description={description}

[Service]
Type=notify
{environment}ExecStart={start}
ExecStop={stop}
SuccessExitStatus=130 143
TimeoutStartSec={start_timeout}
TimeoutStopSec={stop_timeout}
Restart=on-failure
# Other projects may run by processes that this one has started first.
KillMode=process
Delegate=yes

[Install]
WantedBy=default.target
"""


class ServiceUnit(Frozen):
    """A unit of Type=notify: what it is called, and the arguments of cntnr that start and stop it."""

    name: str  # of the unit, without .service
    description: str
    made_by: Sequence[str]  # the arguments of the command that makes it
    start: Sequence[str]
    stop: Sequence[str]
    graces: Sequence[Seconds]  # that containers have to end; below 0 where there is no limit
    variables: Mapping[str, str]


def kept_variables() -> dict[str, str]:
    """Return the variables of our environment that a command needs which is started for the user."""
    return {name: os.environ[name] for name in KEPT_VARIABLES if os.environ.get(name)}


def program_words() -> list[str]:
    """Return the words that start cntnr: its path where it has one, or Python with our entry."""
    import shutil  # imported here: `up` does without, and counts milliseconds

    path = shutil.which(sys.argv[0]) if os.path.basename(sys.argv[0]) == "cntnr" else None  # noqa: PTH119
    return [os.path.abspath(path)] if path else [sys.executable, "-P", "-c", ENTRY_CODE]  # noqa: PTH100


def render_unit(unit: ServiceUnit) -> str:
    """Write a unit."""
    program = program_words()
    return UNIT.format(
        made_by="".join(f" {_comment(word)}" for word in unit.made_by),
        file=f"{_comment(unit.name)}.service",
        description=_comment(unit.description).replace("%", "%%"),
        environment="".join(
            f"Environment={_quote(f'{name}={value}')}\n" for name, value in unit.variables.items()
        ),
        start=command_line([*program, *unit.start]),
        stop=command_line([*program, *unit.stop]),
        start_timeout=round(START_TIMEOUT),
        stop_timeout=_stop_timeout(unit.graces),
    )


def _stop_timeout(graces: Sequence[Seconds]) -> str:
    if any(grace < 0 for grace in graces):
        return "infinity"
    return str(round(max(graces, default=0) + STOP_MARGIN))


def command_line(words: Sequence[str]) -> str:
    """Quote words for ExecStart, where $ begins a variable, but in the program (systemd.service(5))."""
    program, *arguments = words
    return " ".join([_quote(program), *(_quote(word.replace("$", "$$")) for word in arguments)])


def _quote(word: str) -> str:
    """Quote a word, where that is needed; % begins a specifier."""
    if PLAIN.fullmatch(word):
        return word
    escaped = NEEDS_ESCAPE.sub(lambda match: f"\\x{ord(match[0]):02x}", word)
    return f'"{escaped}"'.replace("%", "%%")


def _comment(text: str) -> str:
    """Return a text as one line; a backslash at its end would continue it."""
    return re.sub(r"[\x00-\x1f\x7f\\]", "?", text)
