"""Adoption, housekeeping and snapshot of a supervised project."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cntnr_compose.containers.managed import ManagedContainer
from cntnr_compose.containers.state import project_intent, records
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.images import unsynced
from cntnr_compose.model.observed import Record, Status
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.supervisor import project as supervised
from cntnr_compose.supervisor.project import SupervisedProject


class FakeNetworks:
    """Stand in for the networks of a project; there are none by default."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.owners: list[str] = []

    def list_networks(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(found=SimpleNamespace(project=owner)) for owner in self.owners]

    async def repair(self, *_words: object, **_: object) -> None:
        self.calls.append("repair")

    async def remove_leaving(self) -> None:
        self.calls.append("remove_leaving")


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> SupervisedProject:
    files.remove_tree(paths.data())

    async def ensure_running() -> None:
        return None

    monkeypatch.setattr(supervised.slirp4netns, "ensure_running", ensure_running)
    monkeypatch.setattr(supervised.setup, "find_unrecorded", lambda *_: [])
    context = ProjectContext("p", cast("Any", SimpleNamespace(id="1-2")), cast("Any", None))
    context.networks = cast("Any", FakeNetworks())
    return SupervisedProject(context)


def networks(project: SupervisedProject) -> FakeNetworks:
    return cast("FakeNetworks", project.context.networks)


def write(name: str, identity: str, status: Status) -> None:
    record = Record(
        id=identity * 64, name=name, project="p", service="a", definition=Service(name="a")
    )
    records.write_record(record)
    records.write_status(record, status)


def test_what_ran_in_another_holder_is_written_as_exited(
    project: SupervisedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopted: list[str] = []

    async def adopt(container: ManagedContainer) -> None:
        adopted.append(container.record.name)
        raise OSError  # does not keep the others from being adopted

    monkeypatch.setattr(ManagedContainer, "adopt", adopt)
    write("p-a-1", "1", Status(state="running", holder="0-0", pid=5))
    write("p-a-2", "2", Status(state="exited", exit_code=3))
    asyncio.run(project.adopt())
    assert adopted == ["p-a-1", "p-a-2"]
    states = {one.name: one.status.state for one in records.read_containers("p")}
    assert states == {"p-a-1": "exited", "p-a-2": "exited"}
    assert not project.is_idle


@pytest.mark.parametrize(("owners", "expected"), [([], True), (["other"], True), (["p"], False)])
def test_a_project_is_idle_without_containers_and_networks_of_its_own(
    project: SupervisedProject, owners: list[str], *, expected: bool
) -> None:
    networks(project).owners = owners
    assert project.is_idle == expected


def test_housekeeping_leaves_to_a_command_what_it_may_use(project: SupervisedProject) -> None:
    async def scenario() -> None:
        project_intent.write_intent(Project(name="p", working_dir="/here"))
        async with project.change_lock:
            await project.run_housekeeping()
        assert networks(project).calls == ["repair"]
        assert project_intent.read_intent("p")
        await project.run_housekeeping()
        assert networks(project).calls == ["repair", "remove_leaving", "repair"]
        assert project_intent.read_intent("p") is None

    asyncio.run(scenario())


def test_the_uplink_is_checked_every_few_rounds(
    project: SupervisedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[int] = []

    async def ensure_running() -> None:
        checks.append(1)

    monkeypatch.setattr(supervised.slirp4netns, "ensure_running", ensure_running)

    async def scenario() -> None:
        for _ in range(2 * supervised.UPLINK_CHECK_ROUNDS):
            await project.run_housekeeping()

    asyncio.run(scenario())
    assert len(checks) == 2


def test_layers_are_synced_beside_what_else_is_done(
    project: SupervisedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "sync_file_system", lambda _path: True)
    files.make_folder(paths.layers() / f"{files.DETACHED_PREFIX}1/fs")
    unsynced.mark("c-1")
    asyncio.run(project.run_housekeeping())
    assert project._sync is not None
    project._sync.join()
    assert not unsynced.has_marks()
    assert not files.find_paths(paths.layers(), f"{files.DETACHED_PREFIX}*1")
