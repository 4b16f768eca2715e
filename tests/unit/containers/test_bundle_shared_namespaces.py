"""Containers find whose namespaces they share."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cntnr_compose.containers.bundle.shared_namespaces import (
    NamespaceMissing,
    find_namespace_owners,
    find_network_owner,
    ipc_namespace,
    network_namespace,
    pid_namespace,
    prepare_shared_memory,
)
from cntnr_compose.containers.runtime import oci_runtime
from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.values import replace
from cntnr_compose.host import proc
from cntnr_compose.model.observed import Record, Status
from cntnr_compose.model.service import Service


def record(name: str = "web", **service: Any) -> Record:
    definition = Service(name=name, **service)
    return Record(id=f"{name}-id", name=name, project="p", service=name, definition=definition)


DB = replace(record("db"), name="p-db-1")


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> ProjectContext:
    monkeypatch.setattr(oci_runtime, "read_pid", lambda identity: 7 if identity == DB.id else 0)
    monkeypatch.setattr(proc, "start_time", lambda pid: 5 if pid == 9 else 0)
    running = SimpleNamespace(record=DB, status=SimpleNamespace(pid=7))
    ended = SimpleNamespace(record=record("ended"), status=SimpleNamespace(pid=0))
    of_service = {"db": running}
    return cast(
        "ProjectContext",
        SimpleNamespace(
            project="p",
            intent=None,
            containers={"p-db-1": running, "ended": ended},
            container_of_service=of_service.get,
        ),
    )


def test_namespaces_are_new_unless_they_are_shared(context: ProjectContext) -> None:
    web = record(ipc="private")
    assert find_namespace_owners(context, web) == []
    assert find_network_owner(context, web) is None
    assert network_namespace(web, None) == "new"
    assert pid_namespace(context, web) == ipc_namespace(context, web) == "new"
    assert prepare_shared_memory(context, web) == ""


def test_namespaces_of_the_host(context: ProjectContext) -> None:
    web = record(network_mode="host", pid="host", ipc="host")
    assert network_namespace(web, find_network_owner(context, web)) == "host"
    assert pid_namespace(context, web) == ipc_namespace(context, web) == "host"


def test_namespaces_of_another_container(context: ProjectContext) -> None:
    web = record(network_mode="service:db", pid="container:p-db-1", ipc="service:db")
    assert find_namespace_owners(context, web) == [DB, DB, DB]
    assert network_namespace(web, find_network_owner(context, web)) == "/proc/7/ns/net"
    assert pid_namespace(context, web) == "/proc/7/ns/pid"
    assert ipc_namespace(context, web) == "/proc/7/ns/ipc"
    assert prepare_shared_memory(context, web) == str(paths.bundle(DB.id) / "shm")


def test_the_owner_of_a_network_is_the_last_of_a_chain(context: ProjectContext) -> None:
    between = SimpleNamespace(
        record=record("between", network_mode="service:db"), status=SimpleNamespace(pid=8)
    )
    context.containers["between"] = cast("Any", between)
    web = record(network_mode="container:between")
    assert find_network_owner(context, web) == DB
    assert find_namespace_owners(context, web) == [between.record]


@pytest.mark.parametrize("mode", ["service:none", "container:ended", "container:none"])
def test_a_container_that_does_not_run_shares_nothing(context: ProjectContext, mode: str) -> None:
    with pytest.raises(NamespaceMissing, match=f"container web: pid {mode} does not run"):
        find_namespace_owners(context, record(pid=mode))


def test_a_container_of_another_project_is_found_where_it_lives(context: ProjectContext) -> None:
    far = replace(record("far", network_mode="service:end"), project="q", id="f" * 64)
    end = replace(record("end"), project="q", id="e" * 64)
    gone = replace(record("gone"), project="q", id="d" * 64)
    for other, born in ((far, 5), (end, 5), (gone, 4)):
        records.write_record(other)
        records.write_status(other, Status(state="running", pid=9, born=born))
    assert find_network_owner(context, record(network_mode="container:far")) == end
    assert find_namespace_owners(context, record(pid=f"container:{'f' * 12}")) == [far]
    for mode in ("container:gone", "service:end"):
        with pytest.raises(NamespaceMissing):
            find_network_owner(context, record(network_mode=mode))
