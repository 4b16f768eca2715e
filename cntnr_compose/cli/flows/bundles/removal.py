"""Remove bundles by name or folder, and those that were not used for long."""

import time
from collections.abc import Sequence

from cntnr_compose.bundles import place, record
from cntnr_compose.bundles.create import remove_bundles
from cntnr_compose.bundles.place import BundlePlace, NoSuchBundle
from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.flows.resource_lists import print_removed
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.removal import RemovalResult


class NotOurs(CntnrError):
    """A folder has files that cntnr has not written."""

    hint = "remove it as you have made it"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"cannot remove {path}: its files were not written by `cntnr bundle create`"
        )


def remove(names: Sequence[str], *, force: bool) -> int:
    """Remove bundles, each also where another one fails; return the exit code."""
    results, places = [], []
    for name in dict.fromkeys(names):
        try:
            places.append(_find_removable(name))
        except CntnrError as error:
            is_fine = force and isinstance(error, NoSuchBundle)
            text, hint = ("", "") if is_fine else (str(error), error.hint)
            results.append(RemovalResult(name=name, error=text, hint=hint))
    failures = remove_bundles(places)
    for each in places:
        failure = failures.get(each.name)
        text, hint = (str(failure), failure.hint) if failure else ("", "")
        results.append(RemovalResult(name=_shown(each), error=text, hint=hint))
    return print_removed(results)


def _shown(each: BundlePlace) -> str:
    return str(each.path) if each.is_custom else each.name


def _find_removable(name: str) -> BundlePlace:
    """Find a bundle that cntnr has written. Raises `NoSuchBundle`, `NotOurs`."""
    each = place.require(name)
    if each.is_custom:
        known = record.read_record(each)
        if known is None or not known.image_id or each.path.is_symlink():
            raise NotOurs(str(each.path))
    return each


def collect(unused: Seconds, *, dry_run: bool) -> int:
    """Remove the bundles of the store that were not used for a time, and print their names.

    Those whose container lives stay. Return the exit code.
    """
    before = time.time() - unused
    places = [
        each
        for each in place.list_places()
        if record.last_used(each) <= before and not record.is_locked(each)
    ]
    failures = {} if dry_run else remove_bundles(places)
    for each in places:
        failure = failures.get(each.name)
        if failure is None:
            stdout.print_line(each.name)
    # One that was locked meanwhile is used.
    errors = [one for one in failures.values() if not isinstance(one, record.BundleLocked)]
    if errors:
        raise errors[0]
    return 0
