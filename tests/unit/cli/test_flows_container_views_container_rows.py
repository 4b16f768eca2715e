"""Rows of `cntnr ps`."""

import pytest

from cntnr_compose.cli.flows.container_views.container_rows import describe_row
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Container
from tests.unit.cli.factories import NOW, container

IDENTITY = "sha256:" + "ab" * 32


def of_image(image: str) -> Container:
    one_container = container()
    record = replace(one_container.record, image=image, image_id=IDENTITY)
    return replace(one_container, record=record)


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("redis:7", "redis:7"),
        ("", "<no image>"),
        (IDENTITY, "abababababab"),
        ("abababababab", "abababababab"),
        (f"host:5000/redis:7@{IDENTITY}", "host:5000/redis:7"),
        (f"host:5000/redis@{IDENTITY}", f"host:5000/redis@{IDENTITY}"),
    ],
)
def test_an_image_that_is_an_id_or_has_a_digest_is_cut(image: str, shown: str) -> None:
    assert describe_row(of_image(image), NOW, trunc=True, sizes={})["Image"] == shown
    whole = describe_row(of_image(image), NOW, trunc=False, sizes={})
    assert whole["Image"] == (image or "<no image>")
    assert len(str(whole["ID"])) == 64


def test_sizes_are_those_of_changes_and_of_all() -> None:
    each = container()
    sizes = {each.record.id: (3, 1_980_000)}
    assert describe_row(each, NOW, trunc=True, sizes=sizes)["Size"] == "3B (virtual 1.98MB)"
    assert describe_row(each, NOW, trunc=True, sizes={})["Size"] == "0B"
