"""Run a container's health check on schedule and record the results."""

import asyncio
import time

from cntnr_compose.containers.exec import run_in_container
from cntnr_compose.containers.logs.program_output import TruncatedOutput
from cntnr_compose.containers.state import healthcheck
from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.containers.state.healthcheck import ProbeSettings
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.observed import HealthcheckResult, Record
from cntnr_compose.model.service import Hook


def has_healthcheck(container: ContainerState) -> bool:
    """Return whether a container has a health check."""
    return healthcheck.probe_settings(container.record) is not None


async def monitor_health(context: ProjectContext, container: ContainerState) -> None:
    """Probe a container until cancelled, which happens when its run ends."""
    settings = healthcheck.probe_settings(container.record)
    assert settings is not None
    while True:
        age = time.time() - container.status.started
        await asyncio.sleep(healthcheck.delay_before_probe(settings, container.status, age=age))
        result = await _run_probe(context, container.record, settings)
        before = container.status
        after = healthcheck.status_after_probe(settings, before, result)
        container.write(
            health=after.health, failing_streak=after.failing_streak, probes=after.probes
        )
        if after.health != (before.health or healthcheck.STARTING):
            context.emit_event(container.record, "health_status", health=after.health)
            context.note(
                container.record,
                "healthy" if after.health == "healthy" else "unhealthy",
                command="",
                exit_code=result.exit_code,
                output=result.output,
            )


async def _run_probe(
    context: ProjectContext, record: Record, settings: ProbeSettings
) -> HealthcheckResult:
    started, output = time.time(), TruncatedOutput(healthcheck.MAX_PROBE_OUTPUT)
    hook = Hook(command=settings.command)
    try:
        code = await run_in_container(
            context, record, hook, output.feed, time_limit=settings.timeout
        )
    except CntnrError as error:
        return HealthcheckResult(
            started=started, ended=time.time(), exit_code=126, output=str(error)
        )
    text = output.text
    if code is None:
        code, text = -1, f"Health check exceeded timeout ({settings.timeout:g}s): {text}"
    return HealthcheckResult(started=started, ended=time.time(), exit_code=code, output=text)
