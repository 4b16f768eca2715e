"""Who is restarted after the owner of its namespaces was."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.observed import Record, Status
from cntnr_compose.supervisor.namespace_guests import restart_with_owners
from tests.unit.reconcile.world import service


class FakeContainer:
    def __init__(self, name: str, *, oneoff: bool = False, pid: int = 7, **modes: str) -> None:
        self.record = Record(
            id=f"id-{name}",
            name=f"p-{name}-1",
            project="p",
            service=name,
            oneoff=oneoff,
            definition=service(name, **modes),
        )
        self.status = Status(state="running", pid=pid)
        self.restarts, self.error = 0, ""

    async def restart_if_running(self) -> None:
        self.restarts += 1
        if self.record.service == "fails":
            raise CntnrError("refused")

    def write(self, *, error: str) -> None:
        self.error = error


def restarted(action: str = "restart", *containers: FakeContainer) -> set[str]:
    """Emit an event of the container ``vpn``; return the services that are restarted."""

    async def run() -> None:
        machine = cast("Any", SimpleNamespace())
        context = ProjectContext("p", machine, machine)
        context.containers.update({one.record.name: cast("Any", one) for one in containers})
        restart_with_owners(context)
        context.emit_event(containers[0].record, action)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await context.cancel_tasks()

    asyncio.run(run())
    return {one.record.service for one in containers if one.restarts}


def test_those_that_share_its_namespaces_follow() -> None:
    vpn = FakeContainer("vpn")
    others = (
        FakeContainer("app", network_mode="service:vpn"),
        FakeContainer("behind", network_mode="service:app"),
        FakeContainer("other"),
        FakeContainer("job", network_mode="service:vpn", oneoff=True),
        FakeContainer("lost", network_mode="service:nobody"),
    )
    assert restarted("die", vpn, *others) == set()
    assert restarted("restart", vpn, *others) == {"app", "behind"}


def test_one_that_fails_keeps_no_other_from_it() -> None:
    fails = FakeContainer("fails", network_mode="service:vpn")
    after = FakeContainer("later", network_mode="service:vpn")
    assert restarted("restart", FakeContainer("vpn"), fails, after) == {"fails", "later"}
    assert fails.error == "refused"
