"""What is read of containers, also when somebody was killed while it was written."""

import pytest

from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Container, Record, Status
from cntnr_compose.model.service import Service


def record(name: str = "p-web-1", project: str = "p", identity: str = "a" * 64) -> Record:
    return Record(
        id=identity, name=name, project=project, service="web", definition=Service(name="web")
    )


def written(one: Record, status: Status | None = None) -> Record:
    records.write_record(one)
    if status is not None:
        records.write_status(one, status)
    return one


@pytest.fixture(autouse=True)
def nothing_there() -> None:
    from cntnr_compose.host import files

    files.remove_tree(paths.data())


def test_containers_are_read_by_name() -> None:
    written(record("p-b-1", identity="1" * 64), Status(state="running"))
    written(record("p-a-1", identity="2" * 64))
    found = records.read_containers("p")
    assert [(one.name, one.status.state) for one in found] == [
        ("p-a-1", "created"),
        ("p-b-1", "running"),
    ]


def test_half_a_container_is_none_and_goes() -> None:
    whole = written(record())
    half = paths.container("p", "b" * 64)
    half.mkdir()
    (half / "record.json").write_text('{"id": "bb')
    assert [one.record.id for one in records.read_containers("p")] == [whole.id]
    without = paths.container("p", "c" * 64)
    without.mkdir()
    records.remove_incomplete("p")
    assert not half.exists()
    assert not without.exists()
    assert records.read_containers("p")


def test_a_container_of_another_version_of_ours_is_left_alone() -> None:
    other = paths.container("p", "b" * 64)
    other.mkdir(parents=True)
    (other / "record.json").write_text('{"version": 99}')
    records.remove_incomplete("p")
    assert (other / "record.json").exists()


def test_half_a_status_counts_as_none() -> None:
    one = written(record(), Status(state="running"))
    (paths.container("p", one.id) / "status.json").write_text('{"state": "run')
    assert records.read_status(one) == Status()


def test_what_is_about_to_restart_does_so_as_long_as_its_holder_lives() -> None:
    one = Container(record=record(), status=Status(state="restarting", holder="7-1"))
    assert records.correct_status(one, "7-1") == one
    assert records.correct_status(one, "8-2").status.state == "exited"


def test_the_last_container_takes_the_folder_along() -> None:
    one = written(record())
    records.remove(one)
    assert not (paths.containers() / "p").exists()
    records.remove(one)  # again is fine


@pytest.mark.parametrize("state", ["running", "restarting", "paused"])
def test_what_ran_in_a_holder_that_is_gone_has_ended(state: str) -> None:
    status = Status(state=state, holder="1-2", pid=5, conmon=6, health="healthy")
    found = records.correct_status(Container(record=record(), status=status), "3-4").status
    assert (found.state, found.exit_code, found.pid, found.health) == (
        "exited",
        records.LOST_EXIT_CODE,
        0,
        "",
    )
    assert records.correct_status(Container(record=record(), status=status), "1-2").status == status


def test_what_had_ended_stays_as_it_was() -> None:
    status = Status(state="exited", exit_code=3)
    assert records.correct_status(Container(record=record(), status=status), "3-4").status == status


def test_what_was_prepared_alone_is_created_again() -> None:
    status = Status(state="created", holder="1-2", pid=5)
    found = records.correct_status(Container(record=record(), status=status), "").status
    assert (found.state, found.pid) == ("created", 0)


def test_a_name_belongs_to_one_project() -> None:
    written(record("db", project="other"))
    with pytest.raises(records.NameTaken, match="project other has one of that name"):
        records.check_name_is_free("db", "p")
    records.check_name_is_free("db", "other")
    records.check_name_is_free("web", "p")


def test_a_record_that_says_to_be_elsewhere_is_not_believed() -> None:
    one = written(record())
    place = paths.container("p", one.id)
    text = (place / "record.json").read_text()
    for was, said in ((one.id, "../../../victim"), ('"project":"p"', '"project":".."')):
        assert was in text
        (place / "record.json").write_text(text.replace(was, said))
        assert records.read_containers("p") == []


def test_the_exit_code_of_a_one_off_is_read_also_when_it_is_removed() -> None:
    one = written(replace(record(), oneoff=True))
    with records.exit_file(one).open("rb") as waiting:
        assert waiting.read() == b""
        records.write_exit_code(one, 137)
        records.remove(one)
        waiting.seek(0)
        assert waiting.read() == b"137\n"
    records.write_exit_code(one, 1)
    assert not records.exit_file(one).exists()


def test_containers_of_services_have_no_such_file() -> None:
    one = written(record())
    records.write_exit_code(one, 1)
    assert not records.exit_file(one).exists()
