"""Declare commands and their options as rows that import nothing.

`fast_parser` parses by these rows, `help_text` prints them, `click_parser` makes click's parameters of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
# What a value may be: a text, a number, a number in a range, one of some words.
ValueKind: TypeAlias = type[str | int] | range | tuple[str, ...]

# Parameters of `cntnr compose` begin with this; those of commands never do.
SHARED_PREFIX = "compose_"


class Option:
    """A word that begins with a dash, with or without a value."""

    def __init__(  # noqa: PLR0913 - each is a column of a row
        self,
        *words: str,
        kind: ValueKind = str,
        default: Any = None,
        is_flag: bool = False,
        multiple: bool = False,
        unsupported_hint: str | None = None,
        prints: str = "",
        help: str = "",  # noqa: A002 - click's word
        metavar: str | None = None,
        values: tuple[str, ...] = (),
        tag: str = "",
    ) -> None:
        """Take the words, and a parameter name where it is not the first long word.

        Several ``multiple`` options may have one name, and each a ``tag``: a value is a pair of tag and text
        then, in the order of the command line.

        Completion proposes ``values``, else what the ``metavar`` stands for: SERVICE, PROFILE, FILE, …
        An option without ``help`` is not listed. One with an ``unsupported_hint`` is docker compose's, and
        refused here; one that ``prints`` ends the command with that text.
        """
        self.words = [word for word in words if word.startswith("-")]
        long = next((word for word in self.words if word.startswith("--")), words[0])
        names = [word for word in words if not word.startswith("-")]
        self.name = names[0] if names else long.lstrip("-").replace("-", "_").lower()
        self.kind = kind
        self.default = () if multiple else default
        self.is_flag = is_flag
        self.multiple = multiple
        self.unsupported_hint = unsupported_hint
        self.prints = prints
        self.help = help
        self.metavar = metavar
        self.values = values
        self.tag = tag

    def without_words(self, words: set[str]) -> "Option":
        """Copy the option without words that mean something else."""
        copy = Option(*self.words, self.name)
        copy.__dict__ |= vars(self) | {"words": [word for word in self.words if word not in words]}
        return copy


class Argument:
    """A word by its place; where ``many``, all words that are left."""

    def __init__(
        self,
        name: str,
        *,
        kind: ValueKind = str,
        many: bool = False,
        required: bool = True,
        metavar: str | None = None,
    ) -> None:
        """Take the parameter name, and the name in usage lines."""
        self.name = name
        self.kind = kind
        self.many = many
        self.required = required
        self.metavar = metavar


def option(*words: str, **more: Any) -> Callable[[F], F]:
    """Add an `Option` to a command's function."""
    return _declare(Option(*words, **more))


def argument(name: str, **more: Any) -> Callable[[F], F]:
    """Add an `Argument` to a command's function."""
    return _declare(Argument(name, **more))


def flag(*words: str, default: bool | None = False, **more: Any) -> Callable[[F], F]:
    """Add an option without a value; giving it always means true, also where that is the default."""
    return option(*words, is_flag=True, default=default, **more)


def flag_row(*words: str, **more: Any) -> Option:
    """Return an option without a value, for rows that several commands share."""
    return Option(*words, **{"is_flag": True, "default": False} | more)


def unsupported(*words: str, hint: str = "", is_flag: bool = True) -> Callable[[F], F]:
    """Add an option of docker compose that is refused with a clear sentence."""
    return option(*words, is_flag=is_flag, unsupported_hint=hint)


def _declare(row: Option | Argument) -> Callable[[F], F]:
    def add(function: F) -> F:
        function.__dict__.setdefault("rows", []).insert(0, row)  # decorators are applied upwards
        return function

    return add


services = argument("services", many=True, required=False, metavar="[SERVICE...]")
containers = argument("containers", many=True, metavar="CONTAINER")
timeout = option(
    "-t",
    "--timeout",
    kind=int,
    metavar="SECONDS",
    help="Seconds to wait before a container is killed.",
)
stop_signal = option(
    "-s", "--signal", default="", metavar="SIGNAL", help="Signal to send, instead of its own."
)
stop_timeout = option(
    "-t",
    "--timeout",
    "--time",
    kind=int,
    metavar="SECONDS",
    help="Seconds to wait before it is killed; -1: without end.",
)
detach_keys = option(
    "--detach-keys", default="", metavar="KEYS", help="Keys that detach from a terminal."
)
since = option(
    "--since", default="", metavar="TIME", help="Not before: 42m, or 2026-01-31T12:00:00Z."
)
until = option("--until", default="", metavar="TIME", help="Only what came before this time.")
tail = option(
    "-n",
    "--tail",
    default="all",
    metavar="LINES",
    help="Only so many of the last lines of each container.",
)
index = option(
    "--index",
    kind=int,
    default=0,
    metavar="N",
    help="Number of the container, where a service has several.",
)

HELP = Option("-h", "--help", is_flag=True, help="Show this message and exit.")


def shared_option(name: str, *words: str, **more: Any) -> Option:
    """Return an option of `cntnr compose` or of `cntnr` itself, for its tuple of rows."""
    return Option(*words, SHARED_PREFIX + name, **more)


class Command:
    """A command: its function, options and arguments.

    A command of a project takes the options of `cntnr compose` too, save where one of its own has the same
    letter (``logs -f``), and its function gets the `ProjectOptions` first.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        usage: str,
        name: str,
        *,
        interspersed: bool,
        of_project: bool,
        usage_code: int = 1,
    ) -> None:
        """Take the function with its rows; options may stand between arguments where ``interspersed``.

        A mistake on the command line ends with ``usage_code``.
        """
        rows: list[Option | Argument] = function.__dict__.get("rows", [])
        self.function = function
        self.usage = usage
        self.name = name or function.__name__
        self.description = function.__doc__ or ""
        self.interspersed = interspersed
        self.of_project = of_project
        self.usage_code = usage_code
        self.arguments = [row for row in rows if isinstance(row, Argument)]
        self.options = [row for row in rows if isinstance(row, Option)]

    def run(self, shared: Mapping[str, Any], arguments: dict[str, Any]) -> int:
        """Run the function and return the exit code.

        ``shared`` holds the options of `cntnr compose` before the command's name, ``arguments`` everything
        after it. Raises `CntnrError` where the progress display has not printed it.
        """
        shared = _apply_global_options(shared)
        if not self.of_project:
            return _exit_code(self.function(**arguments))
        from cntnr_compose.cli.project.options import ProjectOptions
        from cntnr_compose.core.errors import CntnrError

        options = ProjectOptions.parse(merge_options(shared, pop_shared_options(arguments)))
        if options.verbose:
            import logging

            logging.basicConfig(level=logging.DEBUG, format="%(message)s")
        if options.insecure_registries:
            from cntnr_compose.images.transports import skopeo

            skopeo.trust_registries(options.insecure_registries)
        try:
            return _exit_code(self.function(options, **arguments))
        except CntnrError as error:
            if options.display().show_error(str(error), error.hint):
                return error.exit_code
            raise


def command(
    usage: str = "",
    *,
    name: str = "",
    interspersed: bool = True,
    of_project: bool = True,
    usage_code: int = 1,
) -> Callable[[Callable[..., Any]], Command]:
    """Make a `Command` of a function; ``usage`` shows its arguments.

    Where not ``interspersed``, all that follows the first argument is arguments.
    """
    return lambda function: Command(
        function,
        usage,
        name,
        interspersed=interspersed,
        of_project=of_project,
        usage_code=usage_code,
    )


def _exit_code(result: object) -> int:
    return result if isinstance(result, int) else 0


def _apply_global_options(shared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Apply the options of `cntnr` itself, and return the others."""
    left = dict(shared)
    policy, stores = left.pop("image_policy", None), left.pop("additional_stores", ())
    if policy is not None:
        from cntnr_compose.images.transports.policy import choose_policy

        choose_policy(policy)
    if stores:
        from cntnr_compose.images.additional_stores import choose_stores

        choose_stores(stores)
    return left


def merge_options(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Merge options before and after a command's name: lists grow, otherwise the last value wins."""
    merged = dict(before)
    for name, value in after.items():
        if isinstance(value, tuple):
            merged[name] = (*merged.get(name, ()), *value)
        elif value not in (None, False) or name not in merged:
            merged[name] = value
    return merged


def pop_shared_options(params: dict[str, Any]) -> dict[str, Any]:
    """Remove the options of `cntnr compose` from parsed parameters and return them without prefix."""
    names = [name for name in params if name.startswith(SHARED_PREFIX)]
    return {name.removeprefix(SHARED_PREFIX): params.pop(name) for name in names}
