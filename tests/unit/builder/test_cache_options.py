"""What `cache_from` and `cache_to` may say."""

import pytest

from cntnr_compose.builder.cache.options import CacheOptions, read_cache_options
from cntnr_compose.builder.sources.ssh_sources import CannotBuild


def read(sources: tuple[str, ...] = (), targets: tuple[str, ...] = ()) -> CacheOptions:
    return read_cache_options("web", sources, targets, "/p")


def test_places_are_registries_and_folders() -> None:
    options = read(
        ("me/app", "type=registry,ref=h:5/a:b", "type=local,src=kept", "type=local,src=/k,tag=t"),
        (
            "type=registry,ref=me/app,mode=max,compression=zstd",
            "type=local,dest=kept,ignore-error=true",
        ),
    )
    assert options.sources == (
        "docker.io/me/app:latest", "h:5/a:b", "oci:/p/kept:cntnr-cache", "oci:/k:t",
    )  # fmt: skip
    assert [(one.ref, one.takes_all, one.may_fail) for one in options.targets] == [
        ("docker.io/me/app:latest", True, False), ("oci:/p/kept:cntnr-cache", False, True),
    ]  # fmt: skip
    assert (options.has_inline, options.notes) == (False, ())


def test_an_inline_cache_is_in_the_image_and_other_kinds_are_told() -> None:
    options = read(("type=s3,bucket=b",), ("type=inline", "type=gha"))
    assert (options.sources, options.targets, options.has_inline) == ((), (), True)
    assert options.notes == (
        "web: cache_from of type s3 is passed over: only BuildKit has it",
        "web: cache_to of type gha is passed over: only BuildKit has it",
    )


@pytest.mark.parametrize(
    ("sources", "targets", "why"),
    [
        (("type=inline",), (), "the type is registry, local or inline"),
        ((), ("type=mars",), "the type is registry, local or inline"),
        (("type=local",), (), "it needs src=FOLDER"),
        ((), ("type=local,src=a",), "it needs dest=FOLDER"),
        (("type=registry",), (), "it needs ref=NAME"),
        ((), ("type=local,dest=a,mode=all",), "mode is min or max"),
        ((), ("type=local,dest=a,x=y",), "x is not known for type=local"),
        ((), ("type=local,dest=a:b",), "there is a colon"),
        ((), ("type=local,dest",), "dest is not KEY=VALUE"),
    ],
)
def test_what_is_no_place_is_refused(
    sources: tuple[str, ...], targets: tuple[str, ...], why: str
) -> None:
    with pytest.raises(CannotBuild, match=why):
        read(sources, targets)
