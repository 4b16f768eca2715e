"""Options that commands share which list something: `--format` and `--filter`."""

from collections.abc import Callable

from cntnr_compose.cli.parser.options import F, option


def table_format(help_text: str = "table, json, template.") -> Callable[[F], F]:
    """Declare `--format`, which is passed as ``form``."""
    return option(
        "--format",
        "form",
        default="table",
        metavar="FORMAT",
        values=("table", "json"),
        help=help_text,
    )


def filter_option(help_text: str, *short: str) -> Callable[[F], F]:
    """Declare `--filter`, which may be given several times and is passed as ``filters``."""
    return option(*short, "--filter", "filters", multiple=True, metavar="FILTER", help=help_text)
