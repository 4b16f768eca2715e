"""Shared by the commands of `cntnr network` and `cntnr volume`: filters, what `inspect` prints, removal."""

import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, to_json
from cntnr_compose.model.removal import RemovalResult

if TYPE_CHECKING:
    from cntnr_compose.model.observed import ObservedVolume

VOLUME_HEADER = ("DRIVER", "VOLUME NAME")
UNKNOWN = "N/A"
TRUE_WORDS = ("true", "1")
FALSE_WORDS = ("false", "0")


class FilterInvalid(CntnrError):
    """A filter is of no known kind, or has a value that it cannot have."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(f"invalid filter '{text}'")
        self.hint = hint


class LabelInvalid(CntnrError):
    """A label has no name."""

    hint = "a label is NAME or NAME=VALUE"

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid label '{text}': empty name")


def parse_filters(texts: Sequence[str], known: Sequence[str]) -> dict[str, list[str]]:
    """Collect the values of filters ``NAME=VALUE`` by name. Raises `FilterInvalid`."""
    filters: dict[str, list[str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name.lower() not in known:
            raise FilterInvalid(text, f"filters are NAME=VALUE; names are {', '.join(known)}")
        filters.setdefault(name.lower(), []).append(value)
    return filters


def parse_pairs(texts: Sequence[str]) -> dict[str, str]:
    """Parse labels or options ``NAME[=VALUE]``. Raises `LabelInvalid`."""
    pairs = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name.strip():
            raise LabelInvalid(text)
        pairs[name] = value
    return pairs


def parse_truth(name: str, values: Sequence[str]) -> bool | None:
    """Return the truth value of a filter; None where there is none. Raises `FilterInvalid`."""
    if not values:
        return None
    if values[-1].lower() not in (*TRUE_WORDS, *FALSE_WORDS):
        raise FilterInvalid(f"{name}={values[-1]}", "it can be true or false")
    return values[-1].lower() in TRUE_WORDS


def matches_text(text: str, patterns: Sequence[str]) -> bool:
    """Check a name or id against the values of a filter: any of them, as an expression or a part of it."""
    return not patterns or any(_matches(text, pattern) for pattern in patterns)


def _matches(text: str, pattern: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return pattern in text


def matches_labels(labels: Mapping[str, str], filters: Mapping[str, Sequence[str]]) -> bool:
    """Check labels against the filters: all of ``label`` have to match, and none of ``label!``."""
    return all(_has_label(labels, text) for text in filters.get("label", ())) and not any(
        _has_label(labels, text) for text in filters.get("label!", ())
    )


def _has_label(labels: Mapping[str, str], text: str) -> bool:
    name, equals, value = text.partition("=")
    return name in labels and (not equals or labels[name] == value)


def join_labels(labels: Mapping[str, str]) -> str:
    """Join labels as docker's lists print them."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def print_volumes(volumes: "Sequence[ObservedVolume]", form: str) -> None:
    """Print volumes in the format ``form``. Raises `UnknownFormat` and the errors of templates."""
    from cntnr_compose.cli.display.listing import print_rows

    rows = [(volume.driver, volume.name) for volume in volumes]
    objects = [volume_object(volume) for volume in volumes]
    print_rows(form, VOLUME_HEADER, rows, objects, min_width=10, headings={"Name": "VOLUME NAME"})


def volume_object(volume: "ObservedVolume") -> Tree:
    """Make the JSON object of a volume in lists, with docker's keys."""
    from cntnr_compose.core import paths

    return {
        "Availability": UNKNOWN,
        "Driver": volume.driver,
        "Group": UNKNOWN,
        "Labels": join_labels(volume.labels),
        "Links": UNKNOWN,
        "Mountpoint": str(paths.volume(volume.name) / "_data"),
        "Name": volume.name,
        "Scope": "local",
        "Size": UNKNOWN,
        "Status": UNKNOWN,
    }


def print_inspected(names: Sequence[str], form: str, describe: Callable[[str], Tree]) -> int:
    """Print what ``describe`` returns of each name, as JSON or by a template; errors follow.

    Return the exit code.
    """
    objects, errors = [], []
    for name in names:
        try:
            objects.append(describe(name))
        except CntnrError as error:
            errors.append(error)
    if form and form != "json":
        from cntnr_compose.cli.display.templates.go_template import render_template

        stdout.write("".join(f"{render_template(form, one)}\n" for one in objects))
    else:
        import json

        compact = {"separators": (",", ":")} if form else {"indent": 4}
        stdout.print_line(json.dumps(objects, ensure_ascii=False, **compact))
    for failure in errors:
        print_error(str(failure))
    return 1 if errors else 0


def print_object(described: Tree, form: str, describe: Callable[[Tree], str]) -> None:
    """Print one object for people, by ``describe``; as JSON, or by a template where ``form`` is one.

    Raises the errors of templates.
    """
    if form == "json":
        stdout.print_line(to_json(described).decode())
    elif form:
        from cntnr_compose.cli.display.templates.go_template import render_template

        stdout.print_line(render_template(form, described))
    else:
        stdout.write(describe(described))


def print_removed(results: Collection[RemovalResult]) -> int:
    """Print the names of what was removed, and why the rest was not; return the exit code."""
    for result in results:
        if result.error:
            print_error(result.error, result.hint)
        else:
            stdout.print_line(result.name)
    return 1 if any(result.error for result in results) else 0


def print_pruned(heading: str, results: Collection[RemovalResult], footer: str = "") -> int:
    """Print what was pruned, then a footer, and why the rest was not; return the exit code."""
    removed = [result.name for result in results if not result.error]
    if removed:
        stdout.write("\n".join([heading, *removed, "", ""]))
    stdout.write(footer)
    for result in results:
        if result.error:
            print_error(result.error, result.hint)
    return 1 if len(removed) < len(results) else 0


def print_error(text: str, hint: str = "") -> None:
    """Print an error among others."""
    stdout.flush()
    sys.stderr.write(f"error: {text}\n" + (f"hint: {hint}\n" if hint else ""))
    sys.stderr.flush()
