"""What `image rm` removes, as docker decides it."""

import pytest

from cntnr_compose.cli.flows.stored_images.removal_rules import (
    ImageInUse,
    ImageUser,
    Outcome,
    ReferenceInUse,
    Request,
    decide_outcomes,
    is_single,
    lines_of,
)
from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.storage.model import Inventory, StoredImage

LIBRARY = "docker.io/library/"
CHAIN, SHARED = "c-" + "1" * 64, "c-" + "2" * 64


def identity(number: int) -> str:
    return f"sha256:{number:064x}"


def image(ref: str, number: int = 1, *folders: str) -> StoredImage:
    name = f"{LIBRARY}{ref}" if ref else ""
    return StoredImage(name, identity(number + 100), identity(number), folders=frozenset(folders))


def by_name(ref: str, number: int = 1) -> Request:
    return Request(ref, f"{LIBRARY}{ref}", identity(number))


BY_ID = Request("01", "", identity(1))
RUNS, STOPPED = ImageUser("ab" * 32, running=True), ImageUser("ab" * 32, running=False)


def decide(
    images: list[StoredImage],
    *requests: Request,
    user: ImageUser | None = None,
    force: bool = False,
) -> list[Outcome]:
    inventory = Inventory(
        images=tuple(images),
        used_by_containers=frozenset({identity(1)} if user else ()),
        kept_since=float("inf"),
    )
    users = {identity(1): user} if user else {}
    return decide_outcomes(inventory, requests, users, force=force)


def untagged(outcome: Outcome) -> list[str]:
    return [one.ref.removeprefix(LIBRARY) for one in outcome.untagged]


def test_a_name_among_several_goes_alone() -> None:
    [outcome] = decide([image("a:1"), image("a:2")], by_name("a:1"), user=RUNS)
    assert (untagged(outcome), outcome.deleted) == (["a:1"], ())


def test_with_the_last_name_the_image_goes() -> None:
    first, second = decide([image("a:1"), image("a:2")], by_name("a:1"), by_name("a:2"))
    assert first.deleted == ()
    assert (untagged(second), second.deleted) == (["a:2"], (image("a:2"),))


def test_digests_of_a_repository_go_with_its_last_tag() -> None:
    digest = "a@sha256:" + "0" * 64
    [outcome] = decide([image("a:1"), image(digest)], by_name("a:1"))
    assert untagged(outcome) == ["a:1", digest]
    assert len(outcome.deleted) == 2
    [outcome] = decide([image("a:1"), image("a:2"), image(digest)], by_name("a:1"))
    assert untagged(outcome) == ["a:1"]
    [outcome] = decide([image("a:1"), image("b:1"), image(digest)], by_name("a:1"))
    assert (untagged(outcome), outcome.deleted) == (["a:1", digest], ())


@pytest.mark.parametrize("user", [RUNS, STOPPED])
def test_the_last_name_of_what_a_container_needs(user: ImageUser) -> None:
    [outcome] = decide([image("a:1")], by_name("a:1"), user=user)
    assert isinstance(outcome.error, ReferenceInUse)
    [outcome] = decide([image("a:1")], by_name("a:1"), user=user, force=True)
    assert (untagged(outcome), outcome.deleted) == (["a:1"], ())


@pytest.mark.parametrize(
    ("user", "refs", "force", "why"),
    [
        (RUNS, ["a:1"], False, "(cannot be forced) - image is being used by running container"),
        (RUNS, ["a:1"], True, "(cannot be forced) - image is being used by running container"),
        (STOPPED, ["a:1"], False, "(must be forced) - image is being used by stopped container"),
        (None, ["a:1", "b:1"], False, "(must be forced) - image is referenced in multiple"),
        (None, ["a:1", "a:2"], False, "(must be forced) - image is referenced in multiple"),
    ],
)
def test_by_id_it_is_refused(user: ImageUser, refs: list[str], force: bool, why: str) -> None:
    [outcome] = decide([image(ref) for ref in refs], BY_ID, user=user, force=force)
    assert isinstance(outcome.error, ImageInUse)
    assert f"unable to delete 000000000000 {why}" in str(outcome.error)


def test_by_id_all_names_go() -> None:
    [outcome] = decide([image("a:1"), image("b:1")], BY_ID, force=True)
    assert (untagged(outcome), len(outcome.deleted)) == (["a:1", "b:1"], 2)
    [outcome] = decide([image("a:1")], BY_ID, user=STOPPED, force=True)
    assert (untagged(outcome), outcome.deleted) == (["a:1"], ())
    [outcome] = decide([image("")], BY_ID)
    assert (untagged(outcome), outcome.deleted) == ([], (image(""),))


def test_what_another_command_has_removed_or_moved_is_not_there() -> None:
    for images in ([], [image("b:1")], [image("a:1", 2)]):
        [outcome] = decide(images, by_name("a:1"))
        assert isinstance(outcome.error, NoSuchImage)
    [_, outcome] = decide([image("a:1")], by_name("a:1"), by_name("a:1"))
    assert isinstance(outcome.error, NoSuchImage)


def test_names_are_single() -> None:
    assert is_single([])
    assert is_single(["x/a:1", "x/a@sha256:" + "0" * 64])
    assert not is_single(["x/a:1", "x/b@sha256:" + "0" * 64])


def test_lines_are_dockers() -> None:
    going = image("a:1", 1, CHAIN, SHARED)
    request = Request("a", going.ref, going.id, {going.ref: "sha256:d"})
    lines = lines_of(Outcome((going,), (going,)), request, [image("b:1", 2, SHARED)])
    assert lines == [
        "Untagged: a:1",
        "Untagged: a@sha256:d",
        f"Deleted: {identity(1)}",
        f"Deleted: sha256:{CHAIN[2:]}",
    ]
    assert lines_of(Outcome((going,)), request, [image("a:2")]) == ["Untagged: a:1"]
