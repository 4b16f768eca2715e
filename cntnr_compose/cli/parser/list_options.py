"""Options that commands share which list something: `--format`, `--filter`, `--since` and `--until`."""

from collections.abc import Callable

from cntnr_compose.cli.parser.options import F, flag, option

# Of `ps`, which has a default in docker's configuration.
ps_format = option(
    "--format",
    "form",
    metavar="FORMAT",
    values=("table", "json"),
    help="table, json, template; else psFormat of docker's config.json.",
)
# Of `events`.
since_option = option(
    "--since",
    default="",
    metavar="TIME",
    help="Also from before: 42m, or 2026-01-31T12:00:00Z; the latest 256 of the supervisor that runs.",
)
until_option = option(
    "--until", default="", metavar="TIME", help="Not after; the command ends then."
)


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


def gc_limits(function: F) -> F:
    """Declare `--ref-ttl`, `--max` and `--dry-run`, passed as ``ref_ttl``, ``max_names``, ``only_show``."""
    rows = (
        option(
            "-r",
            "--ref-ttl",
            default="0",
            metavar="TIME",
            help="Names go, too, of images unused for; 0: they stay.",
        ),
        option(
            "-m",
            "--max",
            "max_names",
            kind=int,
            default=0,
            metavar="N",
            help="Only the newest N names of a repository stay; 0: all.",
        ),
        flag("--dry-run", "only_show", help="Print what would go, and remove nothing."),
    )
    for row in reversed(rows):
        function = row(function)
    return function
