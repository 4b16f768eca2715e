"""`image ls`: which images its filters select, and what its rows say."""

import pytest

from cntnr_compose.cli.flows.resource_lists import FilterInvalid
from cntnr_compose.cli.flows.stored_images import image_list
from cntnr_compose.images.quick_catalogue import ListedImage
from tests.unit.cli.conftest import Run


def image(ref: str, number: int, created: str = "", **labels: str) -> ListedImage:
    return ListedImage(
        id=f"sha256:{number:064x}", ref=ref, created=created, labels=labels, size=1500
    )


IMAGES = (
    image("docker.io/library/redis:7", 1, "2026-01-01T00:00:00Z", a="1"),
    image("docker.io/library/redis:8", 2, "2026-01-03T00:00:00.5Z"),
    image("docker.io/library/redis@sha256:" + "ab" * 32, 2, "2026-01-03T00:00:00.5Z"),
    image("localhost:5000/me/app:1", 3, "2026-01-02T00:00:00+00:00", a="2"),
    image("", 4, "not a time"),
    image("oci:/tmp/x:1", 5, "1970-01-01T00:00:00Z"),
)
NOON = 1_767_355_200  # of 2 January 2026


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [2, 3, 1, 5, 4]),
        ({"dangling": ["true"]}, [4]),
        ({"dangling": ["false"]}, [2, 3, 1, 5]),
        ({"label": ["a"]}, [3, 1]),
        ({"label": ["a=1"]}, [1]),
        ({"reference": ["redis"]}, [2, 1]),
        ({"reference": ["re*:7"]}, [1]),
        ({"reference": ["*"]}, [2, 1]),
        ({"reference": ["localhost:5000/*/app", "redis:8"]}, [2, 3]),
    ],
)
def test_filters_select(filters: dict[str, list[str]], numbers: list[int]) -> None:
    selected = image_list.order_images(image_list.filter_images(IMAGES, filters))
    assert [int(one.id[-2:], 16) for one in selected] == numbers


def test_images_of_before_and_after_a_time() -> None:
    before = image_list.filter_images(IMAGES, {}, before=[NOON])
    assert [int(one.id[-2:], 16) for one in before] == [1, 3, 4, 5]
    after = image_list.filter_images(IMAGES, {}, since=[NOON - 86400])
    assert [int(one.id[-2:], 16) for one in after] == [2, 2, 3]


def test_a_name_with_a_digest_has_a_row_where_digests_are_shown() -> None:
    selected = image_list.order_images(IMAGES[:3], with_digests=True)
    assert [image_list.split_name(one.ref) for one in selected] == [
        ("redis", "8"), ("redis", "<none>"), ("redis", "7"),
    ]  # fmt: skip


def test_filters_that_are_wrong_are_refused(cntnr: Run) -> None:
    with pytest.raises(FilterInvalid):
        image_list.filter_images(IMAGES, {"dangling": ["maybe"]})
    assert "no such image: nope" in cntnr("images", "-f", "before=nope").err


def test_rows_have_dockers_fields() -> None:
    row = image_list.json_object(IMAGES[3])
    assert (row["Repository"], row["Tag"]) == ("localhost:5000/me/app", "1")
    assert (row["ID"], row["Size"], row["Digest"]) == ("0" * 12, "1.5kB", "<none>")
    assert row["CreatedAt"] == "2026-01-02 00:00:00 +0000 UTC"
    assert image_list.json_object(IMAGES[3], whole_id=True)["ID"] == IMAGES[3].id
    nameless = image_list.json_object(IMAGES[4])
    assert (nameless["Repository"], nameless["CreatedSince"]) == ("<none>", "N/A")
    assert image_list.split_name("oci:/tmp/x:1") == ("oci:/tmp/x:1", "<none>")
