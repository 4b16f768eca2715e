"""`cntnr ps` and `cntnr container ls` without `--filter`, `--format` and `--size`."""

import time

from cntnr_compose.cli.display import container_text, stdout
from cntnr_compose.cli.display.tables import format_table
from cntnr_compose.containers.state import quick_look
from cntnr_compose.containers.state.plain_records import NotPlain
from cntnr_compose.core.docker_config import read_docker_setting
from cntnr_compose.core.errors import CntnrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cntnr_compose.model.listed import ListedContainer

# Those of the command's options that are answered here.
FLAGS = {
    "-a": "everything", "--all": "everything", "-l": "latest", "--latest": "latest",
    "-q": "quiet", "--quiet": "quiet", "--no-trunc": "no_trunc",
}  # fmt: skip
NUMBERS = {"-n": "last", "--last": "last"}


def run(words: "Sequence[str]") -> int | None:
    """List containers and return the exit code; None where the ordinary command has to."""
    options = parse_options(words)
    if options is None:
        return None
    quiet, trunc = bool(options.get("quiet")), not options.get("no_trunc")
    try:
        if not quiet and read_docker_setting("psFormat"):
            return None
        containers = quick_look.list_containers()
    except (NotPlain, CntnrError, OSError):
        return None
    if containers is None:
        return None
    chosen = container_text.choose_containers(
        containers,
        everything=bool(options.get("everything")),
        last=options.get("last", -1),
        latest=bool(options.get("latest")),
    )
    stdout.write(
        container_text.format_ids(chosen, trunc=trunc) if quiet else _table(chosen, trunc=trunc)
    )
    return 0


def parse_options(words: "Sequence[str]") -> dict[str, int] | None:
    """Return the options that are given; None where a word is another one, or not written plainly."""
    options: dict[str, int] = {}
    remaining = list(reversed(words))
    while remaining:
        word = remaining.pop()
        if word in FLAGS:
            options[FLAGS[word]] = True
        elif (
            word in NUMBERS and remaining and remaining[-1].isdecimal() and len(remaining[-1]) < 10
        ):
            options[NUMBERS[word]] = int(remaining.pop())
        elif word[:1] == "-" and len(word) > 2 and all(f"-{one}" in FLAGS for one in word[1:]):
            remaining += [f"-{one}" for one in word[1:]]
        else:
            return None
    return options


def _table(containers: "list[ListedContainer]", *, trunc: bool) -> str:
    now = time.time()
    columns = container_text.COLUMNS
    rows = [
        list(container_text.describe_columns(container, now, trunc=trunc).values())
        for container in containers
    ]
    lines = format_table(list(columns.values()), rows, min_width=container_text.MIN_WIDTH)
    return "".join(f"{line}\n" for line in lines)
