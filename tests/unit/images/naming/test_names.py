"""Names come and go; an image that loses its last one stays."""

from pathlib import Path

import pytest

from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.naming import names
from cntnr_compose.images.store import ImageStore
from tests.unit.images.test_store import add


def test_names_are_taken_away_one_by_one(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "images")
    image = add(store, "x/a:1")
    store.add("x/b:1", names.descriptor_of(store, image))
    names.untag(store, "x/a:1")
    assert [one.ref for one in store.list()] == ["x/b:1"]
    names.untag(store, "x/b:1")
    assert [(one.ref, one.id) for one in store.list()] == [("", image.id)]
    with pytest.raises(NoSuchImage):
        names.untag(store, "x/b:1")


def test_a_digest_is_noted(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "images")
    add(store, "x/a:1")
    names.note_digest(store, "x/a:1", "sha256:d")
    assert [one.digest for one in store.list()] == ["sha256:d"]
    with pytest.raises(NoSuchImage):
        names.note_digest(store, "x/a:2", "sha256:d")
