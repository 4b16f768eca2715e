"""Run a ``pre_start`` hook: a container of its own, to its end, before the service's containers start."""

import asyncio

from cntnr_compose.containers import create
from cntnr_compose.containers.logs.program_output import OutputLines, OutputTail
from cntnr_compose.containers.logs.reader import LogFile
from cntnr_compose.containers.managed import ManagedContainer, managed_containers
from cntnr_compose.containers.state.lifecycle import ACTIVE
from cntnr_compose.containers.state.project_context import ProjectContext, emit_progress
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Output, ignore_event
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import process
from cntnr_compose.model.plan import CreateContainer

READ_INTERVAL: Seconds = 0.1  # between looks at what it writes


class PreStartFailed(CntnrError):
    """A pre_start hook did not end with 0."""

    def __init__(self, service: str, hook: str, code: int, output: str, container: str) -> None:
        tail = f": {output}" if output else ""
        super().__init__(f'service "{service}" {hook} exited with status {code}{tail}')
        self.hint = (
            f"its container {container} is kept until the next `up` or `down`: "
            f"`cntnr compose logs {service}` shows all that it wrote"
        )


async def run_hook_container(op: CreateContainer, context: ProjectContext, emit: Emit) -> None:
    """Create the container of a hook, run it to its end, and remove it unless the hook failed.

    A container that an earlier failure has left is replaced. Raises `PreStartFailed`, and what creating and
    starting a container raises; nothing is left then, nor after cancellation.
    """
    await _remove_earlier(op.name, context)
    emit_progress(emit, op.name, "Creating")
    await create.create_container(op, context, ignore_event)
    container = managed_containers(context)[op.name]
    try:
        emit_progress(emit, op.name, "Running")
        await container.start(ignore_event)
        output = await _relay_output(container, f"{op.service.name} {op.hook} ->", emit)
    except BaseException:
        await process.clean_up(container.remove(ignore_event, volumes=True))
        raise
    code = container.status.exit_code
    if code != 0:
        emit_progress(emit, op.name, "Error", state="error", detail=f"exited ({code})")
        raise PreStartFailed(op.service.name, op.hook, code, output, op.name)
    await container.remove(ignore_event, volumes=True)
    emit_progress(emit, op.name, "Exited", state="done")


async def _remove_earlier(name: str, context: ProjectContext) -> None:
    earlier = managed_containers(context).get(name)
    if earlier is not None and earlier.record.hook:
        await earlier.remove(ignore_event, volumes=True)


async def _relay_output(container: ManagedContainer, source: str, emit: Emit) -> str:
    """Emit what a container writes until it has ended; return the end of it."""
    record = container.record
    lines, tail = OutputLines(lambda text: emit(Output(source=source, text=text))), OutputTail()
    log = LogFile(paths.container_log(record.project, record.id), record.id)
    try:
        has_ended = False
        while True:
            new = log.read_last() if has_ended else log.read_new()
            for line in new:
                block = line.text + (b"\n" if line.is_last_piece else b"")
                lines.feed(block)
                tail.feed(block)
            if has_ended and not new:
                break
            has_ended = has_ended or await _has_ended(container)
    finally:
        log.close()
    lines.flush()
    return tail.text


async def _has_ended(container: ManagedContainer) -> bool:
    """Wait a moment for the end of a container; tell whether it has ended."""
    try:
        async with asyncio.timeout(READ_INTERVAL):
            await container.wait_while(ACTIVE)
    except TimeoutError:
        return False
    return True
