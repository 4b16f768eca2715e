"""Find which commands and flags the scenarios use: the literal words in their calls of `cntnr`.

A call counts where its words are literals, by itself or through what surrounds it: a loop over literals,
`pytest.mark.parametrize`, a constant, a helper that passes its arguments on. A command line is then read
by the rows of the command, so the value of an option is never taken for a flag, nor is what a container
runs.
"""

import ast
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.options import Command, Option
from cntnr_compose.cli.parser.tree.compose_options import list_shared_options
from cntnr_compose.cli.parser.tree.group import Group

SCENARIOS = Path(__file__).resolve().parents[2] / "tests/scenarios"
PROGRAM = "cntnr"
MAX_WAYS = 4000  # that one call can be read in
MAX_DEPTH = 6  # helpers that call helpers
# A value that is read from the source: a text, a sequence of values, or None for what cannot be known.
Value: TypeAlias = "str | tuple[Value, ...] | None"
Names: TypeAlias = Mapping[str, Value]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Words: TypeAlias = tuple[str | None, ...]


def uses() -> set[tuple[str, str]]:
    """Return all pairs of a command and a flag, or an empty text, that a scenario uses.

    Commands are named by their path below `cntnr`, as ``compose up``.
    """
    modules = [Module(ast.parse(path.read_text())) for path in sorted(SCENARIOS.glob("*.py"))]
    shared = {name: function for module in modules for name, function in module.functions.items()}
    lines = {line for module in modules for line in module.command_lines(shared)}
    return {use for line in lines for use in read_line(line)}


class Module:
    """The source of one file: its functions, and what stands around each call."""

    def __init__(self, tree: ast.Module) -> None:
        """Take the parsed source."""
        self.tree = tree
        self.parents = {
            child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
        }
        nodes = [node for node in ast.walk(tree) if isinstance(node, Function)]
        self.functions = {node.name: node for node in nodes}
        self.constants = dict(constants(tree.body, {}))

    def command_lines(self, shared: Mapping[str, Function]) -> Iterator[Words]:
        """Yield the words after `cntnr` of each call, in each way that it can be read."""
        functions = {**shared, **self.functions}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call | ast.List | ast.Tuple):
                for names in self.surroundings(node):
                    yield from lines_of(node, names, functions, 0)

    def surroundings(self, node: ast.AST) -> Iterator[Names]:
        """Yield what the names around a node stand for, once for each pass of the loops around it."""
        loops: list[tuple[ast.expr, ast.expr]] = []
        names = self.constants
        around: ast.AST | None = node
        while around := self.parents.get(around):
            if isinstance(around, ast.For):
                loops.append((around.target, around.iter))
            elif isinstance(around, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
                loops += [(each.target, each.iter) for each in around.generators]
            elif isinstance(around, Function):
                loops += parameters(around)
                names = {**names, **dict(constants(around.body, names))}
        yield from passes(loops, names)


def constants(body: Iterable[ast.stmt], names: Names) -> Iterator[tuple[str, Value]]:
    """Yield the names that are assigned once at the top of a body, with their values."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(name)], value=value):
                values = list(read(value, names))
                if len(values) == 1:
                    yield name, values[0]


def parameters(function: Function) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield targets and values of the `pytest.mark.parametrize` of a test."""
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=[names, values]):
                yield target_of(next(read(names, {}))), values


def target_of(names: Value) -> ast.expr:
    """Make the target of a loop of the names in a `parametrize`: ``"a, b"`` or ``("a", "b")``."""
    words = names.replace(",", " ").split() if isinstance(names, str) else names or ()
    targets: list[ast.expr] = [ast.Name(str(word)) for word in words]
    return targets[0] if len(targets) == 1 else ast.Tuple(targets)


def passes(loops: list[tuple[ast.expr, ast.expr]], names: Names) -> Iterator[Names]:
    """Yield the names of each pass of nested loops; a loop over what cannot be known is one pass."""
    if not loops:
        yield names
        return
    *inner, (target, values) = loops  # the outermost loop is the last one
    for sequence in itertools.islice(read(values, names), MAX_WAYS):
        for value in sequence if isinstance(sequence, tuple) else (None,):
            yield from passes(inner, {**names, **bind(target, value)})


def bind(target: ast.expr, value: Value) -> dict[str, Value]:
    """Bind a value to the target of a loop."""
    if isinstance(target, ast.Name):
        return {target.id: value}
    if not isinstance(target, ast.Tuple):
        return {}
    values = value if isinstance(value, tuple) else (None,) * len(target.elts)
    bound: dict[str, Value] = {}
    for each, part in zip(target.elts, values, strict=False):
        bound |= bind(each, part)
    return bound


def read(node: ast.expr, names: Names) -> Iterator[Value]:
    """Yield the values that an expression can have."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(name):
            yield names.get(name)
        case ast.JoinedStr(values=parts):
            texts = (part.value if isinstance(part, ast.Constant) else "?" for part in parts)
            yield "".join(map(str, texts))
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            yield from read_all(elements, names)
        case ast.IfExp(body=first, orelse=second):
            yield from read(first, names)
            yield from read(second, names)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            for start, end in itertools.product(read(left, names), read(right, names)):
                both = isinstance(start, tuple) and isinstance(end, tuple)
                yield (*start, *end) if both else None  # type: ignore[misc]
        case ast.Call(func=ast.Attribute(value=ast.Constant(str(text)), attr="split"), args=[]):
            yield tuple(text.split())
        case ast.Call(func=ast.Attribute(value=ast.Name(name), attr="split"), args=[]):
            text = names.get(name)
            yield tuple(text.split()) if isinstance(text, str) else None
        case ast.Call(func=ast.Attribute(attr="param"), args=[*elements]):
            for values in read_all(elements, names):
                yield values[0] if len(values) == 1 else values
        case _:
            yield None


def read_all(nodes: Iterable[ast.expr], names: Names) -> Iterator[tuple[Value, ...]]:
    """Yield the values that several expressions can have together."""
    ways = []
    for node in nodes:
        starred = isinstance(node, ast.Starred)
        values = read(node.value if isinstance(node, ast.Starred) else node, names)
        ways.append([_spread(value) if starred else (value,) for value in values])
    for way in itertools.islice(itertools.product(*ways), MAX_WAYS):
        yield tuple(itertools.chain.from_iterable(way))


def _spread(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (None,)


def lines_of(
    node: ast.Call | ast.List | ast.Tuple,
    names: Names,
    functions: Mapping[str, Function],
    depth: int,
) -> Iterator[Words]:
    """Yield the command lines of a call: in its own words, or in those of the helper that it calls."""
    elements = node.args if isinstance(node, ast.Call) else node.elts
    for values in read_all(elements, names):
        if PROGRAM in values:
            after = values[values.index(PROGRAM) + 1 :]
            yield tuple(value if isinstance(value, str) else None for value in after)
        elif isinstance(node, ast.Call) and depth < MAX_DEPTH:
            yield from lines_of_helper(node, values, functions, depth)


def lines_of_helper(
    node: ast.Call, values: tuple[Value, ...], functions: Mapping[str, Function], depth: int
) -> Iterator[Words]:
    """Yield the command lines of a helper that gets some values and passes them on."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    name = node.func.id if isinstance(node.func, ast.Name) else name
    function = functions.get(name)
    if function is None or not any(isinstance(value, str | tuple) for value in values):
        return
    arguments = function.args
    plain = [argument.arg for argument in arguments.args if argument.arg != "self"]
    inner: dict[str, Value] = dict(zip(plain, values, strict=False))
    if arguments.vararg:
        inner[arguments.vararg.arg] = values[len(plain) :]
    for inside in ast.walk(function):
        if isinstance(inside, ast.Call):
            yield from lines_of(inside, inner, functions, depth + 1)


def read_line(words: Words) -> Iterator[tuple[str, str]]:
    """Yield the commands of a command line, each with its flags and with an empty text."""
    called: Group | Command | None = ROOT
    path: list[str] = []
    before: set[str] = set()
    while isinstance(called, Group):
        flags, rest = read_options(called.options, words, interspersed=False)
        yield from ((" ".join(path), flag) for flag in ("", *flags))
        if not rest or rest[0] is None:
            return
        called = called.find(rest[0])
        path.append(rest[0])
        words = rest[1:]
        before |= flags
    if called is None:
        return
    rows = [*called.options, *list_shared_options(called)]
    flags, _ = read_options(rows, words, interspersed=called.interspersed)
    for flag in ("", *before, *flags):
        yield " ".join(path), flag


def read_options(
    rows: Iterable[Option], words: Words, *, interspersed: bool
) -> tuple[set[str], Words]:
    """Return all words of the options that are used, and the words that are left."""
    known = {word: row for row in rows for word in row.words}
    used: set[str] = set()
    left: list[str | None] = []
    remaining = iter(words)
    for word in remaining:
        if word is None or word == "-" or not word.startswith("-"):
            left.append(word)
            if interspersed:
                continue
            break
        if word == "--":
            break
        for row, takes_next in options_of(word, known):
            used.update(row.words)
            if takes_next:
                next(remaining, None)
    return used, (*left, *remaining)


def options_of(word: str, known: Mapping[str, Option]) -> Iterator[tuple[Option, bool]]:
    """Yield the options in a word, as ``-aq``, each with whether the next word is its value."""
    name, equals, _ = word.partition("=")
    if row := known.get(name):
        yield row, not row.is_flag and not equals
    elif not word.startswith("--"):
        letters = word[1:]
        for place, letter in enumerate(letters):
            row = known.get(f"-{letter}")
            if row is None:
                return
            yield row, not row.is_flag and place == len(letters) - 1
            if not row.is_flag:
                return
