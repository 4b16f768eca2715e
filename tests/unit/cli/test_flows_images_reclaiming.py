"""What commands that free disk take and print."""

import time

import pytest

from cntnr_compose.cli.flows.images.cache_reclaiming import (
    StorageInvalid,
    choose_kinds,
    parse_storage,
    parse_unused_for,
)
from cntnr_compose.cli.flows.images.reclaiming import AgeInvalid, parse_age, removed_lines
from cntnr_compose.cli.flows.resource_lists import FilterInvalid
from cntnr_compose.images.storage.collector import Collected
from cntnr_compose.images.storage.model import Inventory, Removal, StoredImage

REMOVAL = Removal(
    steps=("a",), files=("mounts/m", "downloads/d", "digests/x", "contents/y"), blobs=("b",)
)


def image(name: str, ref: str) -> StoredImage:
    return StoredImage(ref, f"m-{name}", f"i-{name}", frozenset({f"m-{name}", "l-2", "l-1"}))


def test_ages_and_sizes() -> None:
    assert parse_age("--ttl", "1h30m") == 5400
    assert parse_age("--ttl", "0") == 0
    for text in ("-1h", "soon", ""):
        with pytest.raises(AgeInvalid):
            parse_age("--ttl", text)
    assert parse_storage("") == 0
    assert parse_storage("1.5GB") == 3 << 29
    for text in ("lots", "-1", "1e300"):
        with pytest.raises(StorageInvalid):
            parse_storage(text)
    assert parse_unused_for({}) is None
    before = parse_unused_for({"until": ["1h"], "unused-for": ["2h"]})
    assert before is not None
    assert abs(time.time() - 7200 - before) < 5


def test_kinds_of_records() -> None:
    stock = Inventory()
    assert choose_kinds(())(REMOVAL, stock) == REMOVAL
    assert choose_kinds(("exec.cachemount",))(REMOVAL, stock) == Removal(files=("mounts/m",))
    regular = choose_kinds(("regular", "internal"))(REMOVAL, stock)
    assert regular == REMOVAL._replace(files=("digests/x", "contents/y"))
    with pytest.raises(FilterInvalid):
        choose_kinds(("other",))


def test_names_ids_and_layers_are_told_once() -> None:
    first, second = image("a", "docker.io/library/a:1"), image("a", "docker.io/library/a:2")
    kept, gone = image("b", "docker.io/library/b:1"), image("b", "docker.io/library/b:2")
    collected = Collected(
        removal=Removal(images=(first, second, gone), blobs=("l-1", "m-a")),
        inventory=Inventory(images=(first, second, kept, gone)),
        unnamed=(image("c", "docker.io/library/c:1"),),
    )
    assert removed_lines(collected) == [
        "untagged: c:1",
        "untagged: a:1",
        "deleted: i-a",
        "deleted: l-1",
        "untagged: a:2",
        "untagged: b:2",
    ]
