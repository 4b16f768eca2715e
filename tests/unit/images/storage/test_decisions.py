"""What goes and what stays."""

from cntnr_compose.images.storage.decisions import (
    NEVER,
    cache_size,
    cache_times,
    choose_cutoff,
    decide_removal,
    select_expired,
    select_unused,
)
from cntnr_compose.images.storage.model import (
    CachedFile,
    CachedImage,
    CachedStep,
    Inventory,
    Removal,
    StoredImage,
)

ALL = float("inf")


def image(name: str, ref: str = "", **more: object) -> StoredImage:
    """Make an image with a manifest, a configuration, a layer of its own and one that all share."""
    return StoredImage(
        ref=ref,
        manifest=f"m-{name}",
        id=f"i-{name}",
        blobs=frozenset({f"m-{name}", f"i-{name}", f"l-{name}", "l-base"}),
        folders=frozenset({name, "c-base", f"c-{name}"}),
        **more,  # type: ignore[arg-type]
    )


def inventory(*images: StoredImage, **more: object) -> Inventory:
    blobs = {digest: (1, 0.0) for one in images for digest in one.blobs}
    folders = {name: 0.0 for one in images for name in one.folders}
    values = {"blobs": blobs, "folders": folders, **more}
    return Inventory(images=images, **values)  # type: ignore[arg-type]


def test_nothing_goes_that_a_name_refers_to() -> None:
    stock = inventory(image("a", "a:1"), image("b", "b:1"))
    assert decide_removal(stock) == Removal()


def test_an_image_goes_with_what_it_does_not_share() -> None:
    a, b = image("a"), image("b", "b:1")
    removal = decide_removal(inventory(a, b), (a,))
    assert removal.images == (a,)
    assert set(removal.blobs) == {"m-a", "i-a", "l-a"}
    assert set(removal.folders) == {"a", "c-a"}


def test_an_image_with_two_names_loses_one() -> None:
    first, second = image("a", "a:1"), image("a", "a:2")
    removal = decide_removal(inventory(first, second), (first,))
    assert (removal.images, removal.blobs, removal.folders) == ((first,), (), ())


def test_prune_takes_those_without_a_name_or_all_but_never_what_a_container_needs() -> None:
    nameless, needed = image("a"), image("b")
    named, used = image("c", "c:1"), image("d", "d:1")
    stock = inventory(nameless, needed, named, used, used_by_containers=frozenset({"i-b", "i-d"}))
    assert select_unused(stock, everything=False) == (nameless,)
    assert select_unused(stock, everything=True) == (nameless, named)
    assert select_unused(stock, everything=True, condition=lambda one: not one.ref) == (nameless,)
    # Whoever decides otherwise is not listened to.
    assert decide_removal(stock, (used, needed)).images == ()


def test_what_a_container_needs_stays_though_the_index_does_not_name_it() -> None:
    lost, other = image("lost"), image("other")
    stock = inventory(other)._replace(
        unnamed=(lost,),
        blobs=dict.fromkeys((*lost.blobs, "stray"), (1, 0.0)),
        folders={"lost": 0.0, "c-lost": 0.0, "c-stray": 0.0},
    )
    removal = decide_removal(stock)
    assert (removal.blobs, removal.folders) == (("stray",), ("c-stray",))


def test_what_was_used_since_the_oldest_lease_stays() -> None:
    pulled = image("a", used=120)
    stock = inventory(
        pulled,
        blobs={"old": (1, 99.0), "new": (1, 101.0)},
        folders={"c-old": 99.0, "c-new": 101.0},
        steps=(CachedStep("k", "s-k", (), used=110),),
        built=(CachedImage("n", "i-n", "m-n", used=110), CachedImage("o", "i-o", "m-o", used=90)),
        files=(CachedFile("mounts/new", 1, 110), CachedFile("mounts/old", 1, 90)),
        kept_since=100.0,
    )
    assert select_unused(stock, everything=True) == ()
    removal = decide_removal(stock, (pulled,), cache_before=ALL, shared_too=True)
    assert removal == Removal(
        images=(pulled,),  # only from the index
        blobs=("old",),
        folders=("c-old",),
        built=("o",),
        files=("mounts/old",),
    )


def test_the_empty_layer_and_the_cache_stay_by_default() -> None:
    steps = (CachedStep("a", "s-a", ()), CachedStep("b", "", ("s-a",)))
    stock = inventory(folders={"s-nothing": 0.0, "s-a": 0.0, "s-stray": 0.0}, steps=steps)
    assert decide_removal(stock) == Removal(folders=("s-stray",))
    assert set(decide_removal(stock, cache_before=ALL).folders) == {"s-a", "s-stray"}


def test_a_step_goes_with_all_that_lie_on_it() -> None:
    steps = (
        CachedStep("a", "s-a", (), used=1),
        CachedStep("b", "s-b", ("s-a",), used=9),
        CachedStep("c", "s-c", ("s-b", "s-a"), used=9),
        CachedStep("d", "s-d", (), used=9),
        CachedStep("e", "s-gone", (), used=9),
    )
    stock = inventory(folders={f"s-{key}": 0.0 for key in "abcd"}, steps=steps)
    removal = decide_removal(stock, cache_before=5)
    assert removal.steps == ("a", "b", "c", "e")
    assert removal.folders == ("s-a", "s-b", "s-c")


def test_steps_of_an_image_stay_in_the_cache_unless_all_is_to_go() -> None:
    built = image("a", "a:1")._replace(folders=frozenset({"a", "s-1", "s-2"}))
    steps = (
        CachedStep("1", "s-1", ()),
        CachedStep("2", "s-2", ("s-1",)),
        CachedStep("same", "", ("s-2", "s-1")),
        CachedStep("3", "s-3", ("s-2", "s-1")),
    )
    stock = inventory(built, folders={f"s-{key}": 0.0 for key in "123"}, steps=steps)
    removal = decide_removal(stock, cache_before=ALL)
    assert (removal.steps, removal.folders) == (("3",), ("s-3",))
    removal = decide_removal(stock, cache_before=ALL, shared_too=True)
    assert (removal.steps, removal.folders) == (("1", "2", "same", "3"), ("s-3",))


def test_the_cache_includes_images_that_were_built_here_and_lost_their_name() -> None:
    old = image("old", is_built=True, tagged=1)
    new = image("new", is_built=True, tagged=9)
    pulled, named = image("pulled", tagged=1), image("named", "n:1", is_built=True, tagged=1)
    removal = decide_removal(inventory(old, new, pulled, named), cache_before=5)
    assert removal.images == (old,)


def test_a_record_of_a_build_goes_with_its_image() -> None:
    records = (CachedImage("a", "i-a", "m-a"), CachedImage("b", "i-b", "m-b"))
    stock = inventory(image("a", "a:1"), built=records)
    assert decide_removal(stock).built == ("b",)


def test_files_of_the_cache_go_by_their_last_use() -> None:
    stock = inventory(files=(CachedFile("downloads/a", 1, 4), CachedFile("downloads/b", 1, 6)))
    assert decide_removal(stock).files == ()
    assert decide_removal(stock, cache_before=5).files == ("downloads/a",)


def repository(ref: str) -> str:
    return ref.partition(":")[0]


def test_gc_takes_what_has_not_been_used_for_long() -> None:
    old, recent = image("old", used=1), image("recent", used=9)
    named = image("named", "n:1", used=1)
    stock = inventory(old, recent, named)
    assert select_expired(stock, unused_before=5, repository=repository) == ((old,), ())
    expired = select_expired(stock, unused_before=5, named_before=5, repository=repository)
    assert expired == ((old, named), ())


def test_gc_keeps_an_image_that_has_only_lost_its_name() -> None:
    named = image("a", "a:1", used=5)
    expired = select_expired(
        inventory(named), unused_before=1, named_before=9, repository=repository
    )
    assert expired == ((), (named,))


def test_gc_keeps_the_newest_names_of_each_repository() -> None:
    images = [image(f"a{number}", f"a:{number}", tagged=number) for number in range(4)]
    other = image("b", "b:1")
    stock = inventory(*images, other, used_by_containers=frozenset({"i-a0"}))
    expired = select_expired(stock, unused_before=ALL, max_names=2, repository=repository)
    assert expired == ((images[1],), ())


def test_the_cutoff_is_the_earliest_that_frees_enough() -> None:
    times = [30, 10, 20]
    sizes = {10: 5, 20: 5, 30: 5}

    def left(cutoff: float) -> int:
        return sum(size for time, size in sizes.items() if time >= cutoff)

    assert choose_cutoff(times, lambda cutoff: left(cutoff) <= 15) == NEVER
    assert choose_cutoff(times, lambda cutoff: left(cutoff) <= 10) == 20
    assert choose_cutoff(times, lambda cutoff: left(cutoff) <= 4) == 31
    assert choose_cutoff([], lambda cutoff: False) == 1


def test_the_size_of_the_cache_is_what_only_it_needs() -> None:
    named = image("named", "n:1", is_built=True)._replace(
        folders=frozenset({"named", "c-base", "s-shared"})
    )
    stale = image("stale", is_built=True)._replace(folders=frozenset({"stale", "c-base", "s-old"}))
    steps = (
        CachedStep("1", "s-shared", ()),
        CachedStep("2", "s-old", ("s-shared",), used=1),
        CachedStep("3", "s-new", ("s-shared",), used=9),
    )
    files = (CachedFile("mounts/m", 1000, 1), CachedFile("downloads/d", 2000, 9))
    sizes = {"s-shared": 1, "s-old": 10, "s-new": 100, "c-base": 7}
    stock = inventory(named, stale, steps=steps, files=files)._replace(
        folders=dict.fromkeys(sizes, 0.0)
    )
    own_blobs = 3  # of the image without a name: manifest, configuration, a layer
    assert cache_size(stock, Removal(), sizes) == 3110 + own_blobs
    removal = decide_removal(stock, cache_before=5)
    assert (removal.images, removal.steps, removal.files) == ((stale,), ("2",), ("mounts/m",))
    assert cache_size(stock, removal, sizes) == 2100
    assert sorted(cache_times(stock)) == [0, 0, 1, 1, 9, 9]
