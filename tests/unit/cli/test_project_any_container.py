"""Which container a word means: whole id, name, beginning of an id, over all projects."""

import pytest

from cntnr_compose.cli.project.any_container import (
    ContainerAmbiguous,
    ReferenceInvalid,
    find_containers,
    match_reference,
)
from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.records import ContainerKey
from cntnr_compose.core import paths
from cntnr_compose.core.errors import NoSuchContainer
from cntnr_compose.host import files
from tests.unit.cli.conftest import FakeSupervisor
from tests.unit.cli.factories import container

WHOLE = "ab" + 62 * "0"
KEYS = [
    ContainerKey(id=WHOLE, name="shop-web-1", project="shop"),
    ContainerKey(id="ac" + 62 * "0", name="ab", project="_"),
    ContainerKey(id="cd" + 62 * "0", name=WHOLE, project="_"),
]


@pytest.mark.parametrize(
    ("word", "index"),
    [
        ("shop-web-1", 0),
        ("/shop-web-1", 0),
        (WHOLE, 0),  # not the container that is called so
        ("ab", 1),  # not the id that begins so
        ("ab0", 0),
        ("c", 2),
    ],
)
def test_an_id_comes_before_a_name_and_a_name_before_the_beginning_of_an_id(
    word: str, index: int
) -> None:
    assert match_reference(word, KEYS) == KEYS[index]


def test_what_means_none_or_several_is_told() -> None:
    with pytest.raises(ContainerAmbiguous, match=r"found with provided prefix: a$"):
        match_reference("a", KEYS)
    with pytest.raises(NoSuchContainer, match="No such container: shop-wed-1") as raised:
        match_reference("shop-wed-1", KEYS)
    assert raised.value.hint == "did you mean shop-web-1?"
    for word in ("", "/"):
        with pytest.raises(ReferenceInvalid):
            match_reference(word, KEYS)


def test_files_decide_and_those_that_cannot_be_read_count_for_nothing(
    supervisor: FakeSupervisor,
) -> None:
    files.remove_tree(paths.data())
    supervisor.containers = [container(), container(project="_", name="own")]
    for each in supervisor.containers:
        records.write_record(each.record)
    moved = paths.container("other", supervisor.containers[0].record.id)
    moved.mkdir(parents=True)
    (moved / "record.json").write_bytes(
        (paths.container("shop", moved.name) / "record.json").read_bytes()
    )
    torn = paths.container("shop", "ff")
    torn.mkdir()
    (torn / "record.json").write_text('{"id": "ff", "na')
    named, errors = find_containers(["own", "ff", "shop-web-1", "own"])
    assert [each.reference for each in named] == ["own", "shop-web-1", "own"]
    assert [each.container.record.project for each in named] == ["_", "shop", "_"]
    assert [str(error) for error in errors] == ["No such container: ff"]
    files.remove_tree(paths.data())
