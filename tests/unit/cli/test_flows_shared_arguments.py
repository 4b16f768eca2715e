"""Options that several commands share are checked in docker's words."""

import pytest

from cntnr_compose.cli.flows.shared_arguments import (
    BadPullPolicy,
    BadScale,
    ImageOptions,
    Incompatible,
    parse_scales,
)


def test_replicas_are_counts_of_services() -> None:
    assert parse_scales(["web=3", "db=0", "a=b=2"]) == {"web": 3, "db": 0, "a=b": 2}
    for text in ("web", "web=", "web=x", "=2", "web=-1", "web=²"):
        with pytest.raises(BadScale, match=f'invalid --scale option "{text}"'):
            parse_scales([text])


def test_an_image_is_built_or_not_and_pulled_by_a_policy() -> None:
    ImageOptions(build=True, pull="always").check()
    with pytest.raises(Incompatible, match="--build and --no-build are incompatible"):
        ImageOptions(build=True, no_build=True).check()
    with pytest.raises(BadPullPolicy) as raised:
        ImageOptions(pull="often").check()
    assert raised.value.hint == "it can be always, missing, never or build"


def test_several_options_are_listed() -> None:
    assert str(Incompatible("--a", "--b", "--c", "--d")) == (
        "--a cannot be combined with --b, --c or --d"
    )
