"""Files of containers, also those that a killed supervisor has left incomplete."""

import pytest

from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import LOST_EXIT_CODE, Container, Record, Status
from cntnr_compose.model.service import Service


def record(name: str = "p-web-1", project: str = "p", identity: str = "a" * 64) -> Record:
    return Record(
        id=identity, name=name, project=project, service="web", definition=Service(name="web")
    )


def write(written: Record, status: Status | None = None) -> Record:
    records.write_record(written)
    if status is not None:
        records.write_status(written, status)
    return written


@pytest.fixture(autouse=True)
def nothing_there() -> None:
    from cntnr_compose.host import files

    files.remove_tree(paths.data())


def test_containers_are_read_by_name() -> None:
    write(record("p-b-1", identity="1" * 64), Status(state="running"))
    write(record("p-a-1", identity="2" * 64))
    containers = records.read_containers("p")
    assert [(one.name, one.status.state) for one in containers] == [
        ("p-a-1", "created"),
        ("p-b-1", "running"),
    ]


def test_a_folder_without_a_whole_record_is_no_container_and_is_removed() -> None:
    whole = write(record())
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


def test_a_record_of_another_version_is_kept() -> None:
    other = paths.container("p", "b" * 64)
    other.mkdir(parents=True)
    (other / "record.json").write_text('{"version": 99}')
    records.remove_incomplete("p")
    assert (other / "record.json").exists()


def test_an_incomplete_status_counts_as_none() -> None:
    container = write(record(), Status(state="running"))
    (paths.container("p", container.id) / "status.json").write_text('{"state": "run')
    assert records.read_status(container) == Status()


def test_a_restarting_container_exits_with_its_holder() -> None:
    container = Container(record=record(), status=Status(state="restarting", holder="7-1"))
    assert records.correct_status(container, "7-1") == container
    assert records.correct_status(container, "8-2").status.state == "exited"


def test_the_folder_of_the_project_is_removed_with_the_last_container() -> None:
    container = write(record())
    records.remove(container)
    assert not (paths.containers() / "p").exists()
    records.remove(container)  # again is fine


@pytest.mark.parametrize("state", ["running", "restarting", "paused"])
def test_a_container_of_an_ended_holder_has_exited(state: str) -> None:
    status = Status(state=state, holder="1-2", pid=5, conmon=6, health="healthy")
    corrected = records.correct_status(Container(record=record(), status=status), "3-4").status
    assert (corrected.state, corrected.exit_code, corrected.pid, corrected.health) == (
        "exited",
        LOST_EXIT_CODE,
        0,
        "",
    )
    assert records.correct_status(Container(record=record(), status=status), "1-2").status == status


def test_the_status_of_an_exited_container_is_kept() -> None:
    status = Status(state="exited", exit_code=3)
    assert records.correct_status(Container(record=record(), status=status), "3-4").status == status


def test_a_prepared_container_of_an_ended_holder_is_created() -> None:
    status = Status(state="created", holder="1-2", pid=5)
    corrected = records.correct_status(Container(record=record(), status=status), "").status
    assert (corrected.state, corrected.pid) == ("created", 0)


def test_a_name_belongs_to_one_project() -> None:
    write(record("db", project="other"))
    with pytest.raises(records.NameTaken, match="project other has one of that name"):
        records.check_name_is_free("db", "p")
    records.check_name_is_free("db", "other")
    records.check_name_is_free("web", "p")


def test_a_new_name_is_valid_other_and_nobodys() -> None:
    renamed = record("web")
    for each in (renamed, record("db", project="other")):
        write(each)
    records.check_new_name(renamed, "front")
    for name, why in {
        "": "Neither old nor new names may be empty",
        "web": "same name as its current name",
        "a b": r"Invalid container name \(a b\)",
        "../x": r"Invalid container name \(../x\)",
        "db": 'container name "/db" is already in use by container',
    }.items():
        with pytest.raises(records.RenameRefused, match=why):
            records.check_new_name(renamed, name)


def test_a_record_that_names_another_folder_is_ignored() -> None:
    container = write(record())
    folder = paths.container("p", container.id)
    text = (folder / "record.json").read_text()
    for old, new in ((container.id, "../../../victim"), ('"project":"p"', '"project":".."')):
        assert old in text
        (folder / "record.json").write_text(text.replace(old, new))
        assert records.read_containers("p") == []


def test_the_exit_code_of_a_one_off_is_read_also_when_it_is_removed() -> None:
    container = write(replace(record(), oneoff=True))
    with records.exit_file(container).open("rb") as waiting:
        assert waiting.read() == b""
        records.write_exit_code(container, 137)
        records.remove(container)
        waiting.seek(0)
        assert waiting.read() == b"137\n"
    records.write_exit_code(container, 1)
    assert not records.exit_file(container).exists()


def test_containers_of_services_have_no_exit_file() -> None:
    container = write(record())
    records.write_exit_code(container, 1)
    assert not records.exit_file(container).exists()
