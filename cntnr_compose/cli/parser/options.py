"""The options of verbs as rows that import nothing: `line` reads by them, `clicked` makes click's of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
# What a value may be: a text, a number, a number of a range, one of some words.
ValueKind: TypeAlias = type[str | int] | range | tuple[str, ...]

# Names of parameters of `cntnr compose`; a verb's own never begin so.
SHARED_PREFIX = "compose_"
PROGRESS_MODES = ("auto", "tty", "plain", "json", "quiet")


class Option:
    """A word that begins with a dash, and what it means; ``shown`` is for help texts only."""

    def __init__(
        self,
        *words: str,
        kind: ValueKind = str,
        default: Any = None,
        is_flag: bool = False,
        multiple: bool = False,
        refused: str | None = None,
        **shown: Any,
    ) -> None:
        """Take the words, and a name where it is not the first long one."""
        self.words = [word for word in words if word.startswith("-")]
        long = next((word for word in self.words if word.startswith("--")), words[0])
        named = [word for word in words if not word.startswith("-")]
        self.name = named[0] if named else long.lstrip("-").replace("-", "_").lower()
        self.kind = kind
        self.default = () if multiple else (default or False) if is_flag else default
        self.is_flag = is_flag
        self.multiple = multiple
        self.refused = refused  # the hint, where docker compose has the option and we have not
        self.shown = shown

    def without_words(self, words: set[str]) -> "Option":
        """Copy, but for words that mean something else."""
        copy = Option(*self.words, self.name)
        copy.__dict__ |= vars(self) | {"words": [one for one in self.words if one not in words]}
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
        """Take its name, and how usage lines call it."""
        self.name = name
        self.kind = kind
        self.many = many
        self.required = required
        self.metavar = metavar


def option(*words: str, **more: Any) -> Callable[[F], F]:
    """Give a verb's function an `Option`."""
    return _declare(Option(*words, **more))


def argument(name: str, **more: Any) -> Callable[[F], F]:
    """Give a verb's function an `Argument`."""
    return _declare(Argument(name, **more))


def flag(*words: str, text: str, **more: Any) -> Callable[[F], F]:
    """Give it a switch; giving it always means true, also where that is the default."""
    return option(*words, is_flag=True, help=text, **more)


def unsupported(*words: str, instead: str = "", is_flag: bool = True) -> Callable[[F], F]:
    """Give it an option of docker compose that we refuse with a clear sentence."""
    return option(*words, is_flag=is_flag, refused=instead, hidden=True)


def _declare(row: Option | Argument) -> Callable[[F], F]:
    def add(function: F) -> F:
        function.__dict__.setdefault("rows", []).insert(0, row)  # decorators are applied upwards
        return function

    return add


services = argument("services", many=True, required=False, metavar="[SERVICE...]")
timeout = option(
    "-t", "--timeout", kind=int, metavar="SECONDS", help="Grace before a container is killed."
)
index = option("--index", kind=int, default=0, metavar="N", help="Which replica.")


def _shared_option(name: str, *words: str, **more: Any) -> Option:
    return Option(*words, SHARED_PREFIX + name, **more)


COMPOSE_OPTIONS = (
    _shared_option(
        "files", "-f", "--file", multiple=True, metavar="FILE", help="Compose file to read."
    ),
    _shared_option(
        "project_name", "-p", "--project-name", metavar="NAME", help="Name of the project."
    ),
    _shared_option(
        "profiles", "--profile", multiple=True, metavar="NAME", help="Profile to enable."
    ),
    _shared_option(
        "env_files", "--env-file", multiple=True, metavar="FILE", help="Instead of `.env`."
    ),
    _shared_option(
        "directory",
        "--project-directory",
        "--workdir",
        metavar="PATH",
        help="Working directory, instead of the first file's.",
    ),
    _shared_option(
        "progress", "--progress", metavar="MODE", help=f"Progress: {', '.join(PROGRESS_MODES)}."
    ),
    _shared_option("ansi", "--ansi", metavar="WHEN", help="Colours: auto, never, always."),
    _shared_option(
        "parallel", "--parallel", kind=int, metavar="N", help="Most things done at once."
    ),
    _shared_option("compatibility", "--compatibility", is_flag=True, help="Join names with `_`."),
    _shared_option("dry_run", "--dry-run", is_flag=True, help="Say what would be done."),
    _shared_option(
        "all_resources", "--all-resources", is_flag=True, help="Also what no service uses."
    ),
    _shared_option("no_ansi", "--no-ansi", is_flag=True, help="As `--ansi never`."),
    _shared_option("verbose", "--verbose", is_flag=True, help="Show the programs that are run."),
)


class Command:
    """A command under `cntnr compose`; its function gets the `Scope` first.

    It takes the options of `cntnr compose` too, save where it means something else by a letter
    (``logs -f``).
    """

    def __init__(
        self, function: Callable[..., Any], usage: str, name: str, *, interspersed: bool
    ) -> None:
        """Take the function, its rows with it; options and arguments may be ``mixed``."""
        rows: list[Option | Argument] = function.__dict__.get("rows", [])
        self.function = function
        self.usage = usage
        self.name = name or function.__name__
        self.interspersed = interspersed
        self.arguments = [row for row in rows if isinstance(row, Argument)]
        self.options = [row for row in rows if isinstance(row, Option)]

    def shared_options(self) -> Iterator[Option]:
        """Give the options of `cntnr compose` that it takes."""
        own = {word for row in self.options for word in row.words}
        for row in COMPOSE_OPTIONS:
            left = row.without_words(own) if own.intersection(row.words) else row
            if left.words:
                yield left

    def run(self, before: Mapping[str, Any], given: dict[str, Any]) -> int:
        """Run the function with the `Scope` that was said ``before`` the verb and after it.

        Raises `CntnrError` where it was not told yet.
        """
        from cntnr_compose.cli.project.options import ProjectOptions
        from cntnr_compose.core.errors import CntnrError

        scope = ProjectOptions.parse(merge_options(before, pop_shared_options(given)))
        if scope.verbose:
            import logging

            logging.basicConfig(level=logging.DEBUG, format="%(message)s")
        try:
            code = self.function(scope, **given)
        except CntnrError as error:
            if scope.display().show_error(str(error), error.hint):
                return error.exit_code
            raise
        return code if isinstance(code, int) else 0


def command(
    usage: str = "", *, name: str = "", interspersed: bool = True
) -> Callable[[Callable[..., Any]], Command]:
    """Make a `Verb` of a function; ``usage`` shows its arguments.

    Where options and arguments are not ``mixed``, all that follows the first argument is arguments.
    """
    return lambda function: Command(function, usage, name, interspersed=interspersed)


def merge_options(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Join what stood before the verb with what stood after it: lists grow, the last value wins."""
    joined = dict(before)
    for name, value in after.items():
        if isinstance(value, tuple):
            joined[name] = (*joined.get(name, ()), *value)
        elif value not in (None, False) or name not in joined:
            joined[name] = value
    return joined


def pop_shared_options(params: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `cntnr compose` out of a command's parameters."""
    names = [name for name in params if name.startswith(SHARED_PREFIX)]
    return {name.removeprefix(SHARED_PREFIX): params.pop(name) for name in names}
