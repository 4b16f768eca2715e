"""The verbs of `cntnr compose`, of which only the one that runs is imported."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cntnr_compose.cli.parser.options import Command

VERBS = "cntnr_compose.cli.commands.compose."
ATTRIBUTES = {"exec": "exec_"}  # names that Python keeps for itself
COMPOSE_COMMANDS = {
    name: (f"{VERBS}{name}:{ATTRIBUTES.get(name, name)}", short)
    for name, short in (
        ("build", "Build images of services"),
        ("check", "Tell how each key of the file is honoured here"),
        ("config", "Show what the files mean, resolved and canonical"),
        ("create", "Create containers without starting them"),
        ("down", "Stop and remove containers and networks"),
        ("exec", "Run a command in a running container"),
        ("images", "List the images of containers"),
        ("kill", "Send a signal to containers"),
        ("logs", "Show what containers wrote"),
        ("ls", "List projects"),
        ("plan", "Print what `up` would do, step by step"),
        ("port", "Print where a port is published"),
        ("ps", "List containers"),
        ("pull", "Get images of services from registries"),
        ("restart", "Restart containers"),
        ("rm", "Remove stopped containers"),
        ("run", "Run a command in a container of its own"),
        ("scale", "Change how many containers services have"),
        ("start", "Start containers that exist"),
        ("stop", "Stop containers"),
        ("up", "Create and start containers"),
        ("version", "Show the version"),
        ("wait", "Wait until containers end"),
    )
}
UNSUPPORTED_COMMANDS = {
    "alpha": "",
    "attach": "`cntnr compose logs -f` shows what a container writes",
    "bridge": "",
    "commit": "",
    "cp": "`cntnr compose exec -T SERVICE tar` can copy files",
    "events": "",
    "export": "",
    "pause": "",
    "publish": "",
    "push": "",
    "stats": "",
    "top": "`cntnr compose exec SERVICE ps` shows the processes of a container",
    "unpause": "",
    "volumes": "",
    "watch": "",
}
COMPOSE_COMMANDS["version"] = (
    "cntnr_compose.cli.commands.version:version",
    COMPOSE_COMMANDS["version"][1],
)
ALIASES = {"convert": "config"}


def find_command(name: str) -> "Command | None":
    """Import a verb; None where there is none."""
    found = COMPOSE_COMMANDS.get(ALIASES.get(name, name))
    if found is None:
        return None
    verb: Command = import_attribute(found[0])
    return verb


def import_attribute(where: str) -> Any:
    """Import what ``module:attribute`` names."""
    module, _, attribute = where.partition(":")
    return getattr(importlib.import_module(module), attribute)
