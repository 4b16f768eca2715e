"""Execute plans of containers that belong to no project, and name flags where a supervisor names keys."""

import re
from typing import TYPE_CHECKING

from cntnr_compose.cli.flows.containers.flags.mapping import KEY_FLAGS
from cntnr_compose.cli.project.session import ProjectSession
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.events import Event, WarningEvent
from cntnr_compose.core.values import replace

if TYPE_CHECKING:
    from cntnr_compose.model.plan import Plan
    from cntnr_compose.model.project import Project

# What supervisors say of a service, which the user has described by flags.
KEYS = "|".join(map(re.escape, KEY_FLAGS))
KEY_OF_SERVICE = re.compile(rf"^services\..+?\.({KEYS})((?:\.[^:]+)?): ")


class StandaloneSession(ProjectSession):
    """A session without a lock: these containers do not depend on each other."""

    def execute(self, plan: "Plan", project: "Project | None" = None) -> None:
        """Execute a plan and show its events. Raises what went wrong."""
        try:
            super().execute(plan, project)
        except RemoteError as error:
            said = name_flags(str(error))
            raise RemoteError(
                error.kind, said, error.hint, error.exit_code, error.details
            ) from None

    def emit(self, event: Event) -> None:
        """Show an event of a plan."""
        if isinstance(event, WarningEvent):
            event = replace(event, text=name_flags(event.text))
        super().emit(event)


def name_flags(sentence: str) -> str:
    """Name the flag in a sentence about the key of a service that was made of it."""
    match = KEY_OF_SERVICE.match(sentence)
    if not match:
        return sentence
    flag, rest = KEY_FLAGS[match[1]].replace("_", "-"), match[2].removeprefix(".")
    return f"--{flag}{' ' + rest if rest else ''}: {sentence[match.end() :]}"
