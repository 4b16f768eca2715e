"""`cntnr run` and `cntnr container run`: run a command in a new container."""

from collections.abc import Iterator
from typing import Any

from cntnr_compose.cli.parser.container_options.rows import BUNDLE_OPTIONS, container_options
from cntnr_compose.cli.parser.options import Option, argument, command, flag_row

SEPARATOR = "---"


@command("IMAGE [COMMAND] [ARG...]", interspersed=False, of_project=False, usage_code=125)
@container_options(
    *BUNDLE_OPTIONS,
    flag_row("-d", "--detach", help="Run in the background, and print the id."),
    Option("--detach-keys", metavar="KEYS", help="Keys that detach: ctrl-p,ctrl-q."),
    flag_row("--sig-proxy", default=True, help="Pass signals on to the process (it does)."),
)
@argument("image")
@argument("command", many=True, required=False)
def run(**flags: Any) -> int:
    """Run a command in a new container.

    The exit code is the command's; 125 where the container could not be created, 126 where the command cannot
    be executed, 127 where it was not found.

        cntnr run --rm -it busybox sh
        cntnr run -d --name web -p 8080:80 nginx

    Several containers, separated by `---`, run as one group: it ends with the last of them, its exit code is
    the first that is not 0, and signals go to all.

        cntnr run --rm redis --- --rm busybox sh
    """
    from cntnr_compose.client import prestart
    from cntnr_compose.core.names import STANDALONE

    prestart.start_for(STANDALONE)  # while the rest is imported
    from cntnr_compose.cli.flows.containers.creation.run import run_containers

    return run_containers(list(_split_groups(flags)))


def _split_groups(flags: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the flags of each container: words behind `---` are those of the next one."""
    while SEPARATOR in flags["command"]:
        words: tuple[str, ...] = flags["command"]
        place = words.index(SEPARATOR)
        yield flags | {"command": words[:place]}
        flags = _parse(words[place + 1 :])
    yield flags


def _parse(words: tuple[str, ...]) -> dict[str, Any]:
    from cntnr_compose.cli.parser.fast_parser import parse_arguments

    plain = parse_arguments(run, "cntnr run", words)
    if plain is not None:
        return plain
    from cntnr_compose.cli.parser.click_parser import parse_with_click

    return parse_with_click(run, "cntnr run", words)
