"""Runs a container's health check again and again, and notes what comes of it."""

import asyncio
import time
from typing import TYPE_CHECKING

from cntnr_compose.containers import exec as programs
from cntnr_compose.containers.logs.program_output import TruncatedOutput
from cntnr_compose.containers.state import healthcheck as health
from cntnr_compose.containers.state.healthcheck import HealthState, ProbeSettings
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.observed import HealthcheckResult
from cntnr_compose.model.service import Hook

if TYPE_CHECKING:
    from cntnr_compose.containers.managed import ManagedContainer


def has_healthcheck(keeper: "ManagedContainer") -> bool:
    """Tell whether a container has a health check."""
    return health.probe_settings(keeper.record) is not None


async def monitor_health(keeper: "ManagedContainer") -> None:
    """Check until cancelled; the container's keeper does that when it ends."""
    probe = health.probe_settings(keeper.record)
    assert probe is not None
    while True:
        status = keeper.status
        known = HealthState(word=status.health or "starting", failing_streak=status.failing_streak)
        await asyncio.sleep(
            health.delay_before_probe(probe, known, age=time.time() - status.started)
        )
        found = await _run_probe(keeper, probe)
        age = found.started - keeper.status.started
        after = health.health_after_probe(probe, known, exit_code=found.exit_code, age=age)
        keeper.write(
            health=after.word,
            failing_streak=after.failing_streak,
            probes=(*keeper.status.probes, found)[-health.KEPT_PROBES :],
        )
        if after.word != known.word:
            keeper.context.emit_event(keeper.record, "health_status", health=after.word)


async def _run_probe(keeper: "ManagedContainer", probe: ProbeSettings) -> HealthcheckResult:
    started, said = time.time(), TruncatedOutput(health.MAX_PROBE_OUTPUT)
    try:
        code = await programs.run_in_container(
            keeper.context,
            keeper.record,
            Hook(command=probe.command),
            said.feed,
            time_limit=probe.timeout,
        )
    except CntnrError as error:
        return HealthcheckResult(
            started=started, ended=time.time(), exit_code=126, output=str(error)
        )
    output = said.text
    if code is None:
        code, output = -1, f"Health check exceeded timeout ({probe.timeout:g}s): {output}"
    return HealthcheckResult(started=started, ended=time.time(), exit_code=code, output=output)
