"""The capabilities of a container: docker's default set, cap_add, cap_drop."""

import pytest

from cntnr_compose.containers.spec.capabilities import (
    ALL,
    DEFAULT,
    CapabilityUnknown,
    build_capability_sets,
    select_capabilities,
)


def test_default_is_dockers_fourteen() -> None:
    assert select_capabilities("web", (), ()) == DEFAULT
    assert len(DEFAULT) == 14
    assert set(DEFAULT) < set(ALL)
    assert len(ALL) == 41


@pytest.mark.parametrize(
    ("add", "drop", "expected"),
    [
        (("NET_ADMIN",), (), {*DEFAULT, "CAP_NET_ADMIN"}),
        (("cap_net_admin",), ("CHOWN",), {*DEFAULT, "CAP_NET_ADMIN"} - {"CAP_CHOWN"}),
        ((), ("ALL",), set()),
        (("CHOWN",), ("all",), {"CAP_CHOWN"}),
        (("CHOWN",), ("CHOWN",), set(DEFAULT)),
        (("ALL",), (), set(ALL)),
        (("CAP_ALL",), ("SYS_ADMIN",), {*ALL} - {"CAP_SYS_ADMIN"}),
    ],
)
def test_adding_and_dropping_is_as_docker_does(
    add: tuple[str, ...], drop: tuple[str, ...], expected: set[str]
) -> None:
    names = select_capabilities("web", add, drop)
    assert set(names) == expected
    assert len(names) == len(expected)


def test_privileged_has_all_whatever_is_dropped() -> None:
    assert select_capabilities("web", (), ("ALL",), privileged=True) == ALL


@pytest.mark.parametrize("key", ["cap_add", "cap_drop"])
def test_unknown_capability_is_refused(key: str) -> None:
    lists = {"add": (), "drop": (), key.removeprefix("cap_"): ("NET_ADMIM",)}
    with pytest.raises(CapabilityUnknown) as caught:
        select_capabilities("web", **lists)
    assert str(caught.value) == f'services.web.{key}: invalid capability "NET_ADMIM"'


def test_others_than_root_have_the_bounding_set_only() -> None:
    assert build_capability_sets(("CAP_CHOWN",), 5) == {"bounding": ["CAP_CHOWN"]}
    assert build_capability_sets(("CAP_CHOWN",), 0) == {
        "bounding": ["CAP_CHOWN"],
        "effective": ["CAP_CHOWN"],
        "permitted": ["CAP_CHOWN"],
    }
