"""Propose words for TAB in a shell, from the rows of commands: verbs, flags, their values, and names.

The answer is that of cobra's `__complete`, which docker's own completion reads too: a line for each word,
with its description behind a tab, and last a colon and the sum of what the shell is to do.
"""

import contextlib
import resource
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.options import HELP, SHARED_PREFIX, Argument, Command, Option
from cntnr_compose.cli.parser.tree.compose_options import list_shared_options
from cntnr_compose.cli.parser.tree.group import Group

# What the shell does beside offering the words: files are offered where nothing says otherwise.
FILES, NO_SPACE, NO_FILES, ONLY_DIRECTORIES = 0, 2, 4, 16
# Limits against files that are pipes, devices, or made to be enormous.
MAX_SECONDS = 1.0
MAX_BYTES = 512 << 20
# What lists the names that a metavar stands for, in `project.known_names`.
FINDERS = {
    "SERVICE": "services",
    "PROFILE": "profiles",
    "PROJECT": "projects",
    "CONTAINER": "containers",
    "NETWORK": "networks",
    "VOLUME": "volumes",
    "IMAGE": "images",
    "BUNDLE": "bundles",
}
SIGNALS = ("SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGSTOP", "SIGTERM", "SIGUSR1", "SIGUSR2")

Proposals: TypeAlias = "dict[str, str]"  # words, with their descriptions
Answer: TypeAlias = "tuple[Proposals, int]"


class OutOfTime(BaseException):
    """Words took too long to find; nothing on the way may take it for an error of its own."""


class LinePosition:
    """What is known at the end of a command line: the command, its options so far, what comes next."""

    def __init__(self, called: Group | Command) -> None:
        """Begin at a group."""
        self.called = called
        self.shared: dict[str, Any] = {}  # values of the options of `cntnr compose`
        self.begin(called)

    def begin(self, called: Group | Command) -> None:
        """Go on in a group or command."""
        self.called = called
        self.arguments: list[str] = []
        self.used: set[str] = set()  # names of options that cannot be used once more
        self.pending: Option | None = None  # its value comes next
        self.are_options_over = False
        rows = [*called.options, HELP]
        if isinstance(called, Command):
            rows += list_shared_options(called)
        self.rows = {word: row for row in rows for word in row.words}

    def read(self, word: str) -> bool:
        """Read a word; return whether what follows can still be understood."""
        if self.pending:
            self.store(self.pending, word)
            self.pending = None
        elif self.are_options_over or not word.startswith("-") or word == "-":
            return self.read_argument(word)
        elif word == "--":
            self.are_options_over = True
        else:
            self.read_option(word)
        return True

    def read_argument(self, word: str) -> bool:
        """Read an argument, which for a group is the name of a command."""
        if isinstance(self.called, Group):
            inner = self.called.find(word)
            if inner is not None:
                self.begin(inner)
            return inner is not None
        self.arguments.append(word)
        self.are_options_over = self.are_options_over or not self.called.interspersed
        return True

    def read_option(self, word: str) -> None:
        """Read ``--option``, ``--option=value``, ``-o``, ``-ovalue`` or letters run together."""
        name, equals, value = word.partition("=")
        if name in self.rows:
            self.note(self.rows[name], value if equals else None)
        elif not word.startswith("--"):
            for place, letter in enumerate(word[1:], 2):
                row = self.rows.get(f"-{letter}")
                if row is None:
                    return
                self.note(row, word[place:] or None)
                if not row.is_flag:
                    return

    def note(self, row: Option, value: str | None) -> None:
        """Note that an option is used; without a value, that comes next."""
        if row.is_flag:
            self.used.add(row.name)
        elif value is None:
            self.pending = row
        else:
            self.store(row, value)

    def store(self, row: Option, value: str) -> None:
        """Store the value of an option."""
        if not row.multiple:
            self.used.add(row.name)
        if row.name.startswith(SHARED_PREFIX):
            name = row.name.removeprefix(SHARED_PREFIX)
            self.shared[name] = (*self.shared.get(name, ()), value) if row.multiple else value


def complete(words: Sequence[str]) -> Answer:
    """Propose words for the last one of a command line, which begins behind the program's name."""
    *before, last = words or [""]
    position = LinePosition(ROOT)
    if not all(position.read(word) for word in before):
        return {}, NO_FILES
    name, equals, start = last.partition("=")
    row = position.rows.get(name)
    if position.pending:
        return _matching(_values(position.pending, position, last), last)
    if last.startswith("-") and not position.are_options_over:
        if equals and last.startswith("--"):
            return _matching(_values(row, position, start), start) if row else ({}, NO_FILES)
        return _matching((_flags(position), NO_FILES), last)
    if isinstance(position.called, Group):
        return _matching((_commands(position.called), NO_FILES), last)
    return _matching(_arguments(position.called, position, last), last)


def _matching(answer: Answer, start: str) -> Answer:
    proposals, directive = answer
    return {word: text for word, text in proposals.items() if word.startswith(start)}, directive


def _commands(group: Group) -> Proposals:
    return {name: entry.summary for name, entry in group.entries.items() if not entry.hidden}


def _flags(position: LinePosition) -> Proposals:
    return {
        word: row.help
        for word, row in position.rows.items()
        if row.help and row.unsupported_hint is None and row.name not in position.used
    }


def _values(row: Option, position: LinePosition, start: str) -> Answer:
    words = row.kind if isinstance(row.kind, tuple) else row.values
    if words:
        return dict.fromkeys(words, ""), NO_FILES
    return _names(row.metavar or "", position, start)


def _arguments(command: Command, position: LinePosition, start: str) -> Answer:
    """Propose names for the argument that comes next."""
    place = len(position.arguments)
    if place >= len(command.arguments):
        if not command.arguments or not command.arguments[-1].many:
            return {}, NO_FILES
        place = -1
    row = command.arguments[place]
    if isinstance(row.kind, tuple):
        return dict.fromkeys(row.kind, ""), NO_FILES
    proposals, directive = _names(metavar(row), position, start)
    used = position.arguments if row.many else ()
    return {word: text for word, text in proposals.items() if word not in used}, directive


def metavar(row: Argument) -> str:
    """Return what an argument is called in usage lines, without brackets and dots."""
    return (row.metavar or row.name.upper()).strip("[].")


def _names(kind: str, position: LinePosition, start: str) -> Answer:
    """Propose what a metavar stands for; nothing where that cannot be known."""
    if kind in ("FILE", "FILES"):
        return {}, FILES
    if kind == "DIRECTORY":
        return {}, ONLY_DIRECTORIES
    if kind == "SIGNAL":
        return dict.fromkeys(SIGNALS, ""), NO_FILES
    if kind.startswith("SERVICE=") and "=" not in start:
        return _suffixed(_known("services", position.shared), "="), NO_FILES | NO_SPACE
    if "SERVICE:" in kind and "/" not in start:
        return _suffixed(_known("services", position.shared), ":"), FILES | NO_SPACE
    if "SERVICE:" in kind:
        return {}, FILES
    finder = FINDERS.get(kind)
    return dict.fromkeys(_known(finder, position.shared) if finder else (), ""), NO_FILES


def _suffixed(names: Iterable[str], suffix: str) -> Proposals:
    return {f"{name}{suffix}": "" for name in names}


def _known(what: str, shared: Mapping[str, Any]) -> Sequence[str]:
    from cntnr_compose.cli.project import known_names

    finder: Callable[[Mapping[str, Any]], Sequence[str]] = getattr(known_names, what)
    return finder(shared)


def answer(words: Sequence[str], *, with_descriptions: bool = True) -> str:
    """Return the answer to the shell; whatever goes wrong or takes too long, it is one without words."""
    try:
        with _limited():
            proposals, directive = complete(words)
    except (Exception, OutOfTime):  # noqa: BLE001 - an error would be printed into the line that is being typed
        proposals, directive = {}, NO_FILES
    lines = [
        f"{word}\t{text}" if text and with_descriptions else word
        for word, text in proposals.items()
    ]
    return "\n".join([*lines, f":{directive}"])


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Limit time and memory of this process during a block; `OutOfTime` and `MemoryError` end it."""
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MAX_BYTES if before == resource.RLIM_INFINITY else min(MAX_BYTES, before)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (before, most))


def _give_up(*_signal: object) -> None:
    raise OutOfTime
