"""When images are pulled and built."""

import pytest

from cntnr_compose.images.pull_policy import (
    PullPolicyInvalid,
    must_build,
    must_pull,
    refresh_interval,
)

NOW = 1_000_000_000.0
DAY = 86400.0


@pytest.mark.parametrize("policy", ["", "missing", "if_not_present", "refresh"])
def test_by_default_only_what_is_missing_is_pulled(policy: str) -> None:
    assert must_pull(policy, None, NOW)
    assert not must_pull(policy, 0, NOW)


def test_always_asks_the_registry_and_never_does_not() -> None:
    assert must_pull("always", NOW, NOW)
    assert not must_pull("never", None, NOW)
    assert not must_pull("build", None, NOW)


@pytest.mark.parametrize(
    ("policy", "age"),
    [("daily", DAY), ("weekly", 7 * DAY), ("every_12h", DAY / 2), ("every_1w2d3h4m5s", 788645.0)],
)
def test_an_image_may_grow_old(policy: str, age: float) -> None:
    assert refresh_interval(policy) == age
    assert not must_pull(policy, NOW - age, NOW)
    assert must_pull(policy, NOW - age - 1, NOW)
    assert must_pull(policy, None, NOW)


@pytest.mark.parametrize("policy", ["sometimes", "every_", "every_5", "every_1h "])
def test_unknown_words_are_told(policy: str) -> None:
    with pytest.raises(PullPolicyInvalid, match=f"invalid pull policy {policy}"):
        must_pull(policy, None, NOW)


def test_what_is_missing_is_built_and_with_policy_build_everything() -> None:
    assert must_build("", is_present=False)
    assert not must_build("always", is_present=True)
    assert must_build("build", is_present=True)
