"""`cntnr compose`: the table of its verbs, and the options that they all take."""

import click

from cntnr_compose.cli.lazy import LazyGroup
from cntnr_compose.cli.options import global_options, taken_out

VERBS = "cntnr_compose.cli.verbs."
ATTRIBUTES = {"exec": "exec_"}  # names that Python keeps for itself
TABLE = {
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
ABSENT = {
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


@click.group(
    cls=LazyGroup,
    table=TABLE,
    aliases={"convert": "config"},
    absent=ABSENT,
    params=global_options(),
    subcommand_metavar="COMMAND",
)
@click.pass_context
def compose(context: click.Context, /, **_: object) -> None:
    """Bring the services of a compose file up, without root."""
    context.obj = taken_out(context.params)
