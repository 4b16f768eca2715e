"""`image ls`: which images its filters select, and what its rows say."""

import pytest

from cntnr_compose.cli.flows.resource_lists import FilterInvalid
from cntnr_compose.cli.flows.stored_images import image_list
from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image, ImageConfig


def image(ref: str, number: int, created: str = "", **labels: str) -> Image:
    digest = f"sha256:{number:064x}"
    config = ImageConfig(labels=labels)
    return Image(id=digest, ref=ref, manifest=digest, created=created, config=config, size=1500)


IMAGES = (
    image("docker.io/library/redis:7", 1, "2026-01-01T00:00:00Z", a="1"),
    image("docker.io/library/redis:8", 2, "2026-01-03T00:00:00.5Z"),
    image("docker.io/library/redis@sha256:" + "ab" * 32, 2, "2026-01-03T00:00:00.5Z"),
    image("localhost:5000/me/app:1", 3, "2026-01-02T00:00:00+00:00", a="2"),
    image("", 4, "not a time"),
    image("oci:/tmp/x:1", 5),
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    monkeypatch.setattr(ImageStore, "list", lambda _self: IMAGES)
    return ImageStore()


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [2, 3, 1, 4, 5]),
        ({"dangling": ["true"]}, [4]),
        ({"dangling": ["false"]}, [2, 3, 1, 5]),
        ({"label": ["a"]}, [3, 1]),
        ({"label": ["a=1"]}, [1]),
        ({"before": ["redis:8"]}, [3, 1, 4, 5]),
        ({"since": ["redis:7"]}, [2, 3]),
        ({"since": ["redis:7"], "before": ["redis:8"]}, [3]),
        ({"reference": ["redis"]}, [2, 1]),
        ({"reference": ["re*:7"]}, [1]),
        ({"reference": ["*"]}, [2, 1]),
        ({"reference": ["localhost:5000/*/app", "redis:8"]}, [2, 3]),
    ],
)
def test_filters_select(
    filters: dict[str, list[str]], numbers: list[int], store: ImageStore
) -> None:
    selected = image_list.select_images(store, filters)
    assert [int(one.id[-2:], 16) for one in selected] == numbers


def test_images_of_before_a_time(store: ImageStore) -> None:
    selected = image_list.select_images(store, {}, until=[1_767_355_200])  # noon of 2 January
    assert [int(one.id[-2:], 16) for one in selected] == [3, 1, 4, 5]


def test_a_name_with_a_digest_has_a_row_where_digests_are_shown(store: ImageStore) -> None:
    selected = image_list.select_images(store, {"reference": ["redis"]}, with_digests=True)
    assert [image_list.split_name(one.ref) for one in selected] == [
        ("redis", "8"), ("redis", "<none>"), ("redis", "7"),
    ]  # fmt: skip


def test_filters_that_are_wrong_are_refused(store: ImageStore) -> None:
    with pytest.raises(FilterInvalid):
        image_list.select_images(store, {"dangling": ["maybe"]})
    with pytest.raises(NoSuchImage):
        image_list.select_images(store, {"before": ["nope"]})


def test_rows_have_dockers_fields() -> None:
    row = image_list.json_object(IMAGES[3])
    assert (row["Repository"], row["Tag"]) == ("localhost:5000/me/app", "1")
    assert (row["ID"], row["Size"], row["Digest"]) == ("0" * 12, "1.5kB", "<none>")
    assert row["CreatedAt"] == "2026-01-02 00:00:00 +0000 UTC"
    assert image_list.json_object(IMAGES[3], whole_id=True)["ID"] == IMAGES[3].id
    nameless = image_list.json_object(IMAGES[4])
    assert (nameless["Repository"], nameless["CreatedSince"]) == ("<none>", "N/A")
    assert image_list.split_name("oci:/tmp/x:1") == ("oci:/tmp/x:1", "<none>")
