"""Hooks of a container: programs that run in it after its start and before its stop."""

from cntnr_compose.containers.exec import run_in_container
from cntnr_compose.containers.logs.program_output import OutputLines, OutputTail
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Output
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Hook


class HookFailed(CntnrError):
    """A post_start or pre_stop hook did not end with 0."""

    def __init__(self, container: str, kind: str, code: int | None, output: str = "") -> None:
        how = "did not end" if code is None else f"exited with code {code}"
        tail = f": {output}" if output else ""
        super().__init__(f"{kind} hook of container {container} {how}{tail}")


async def run_hook(
    context: ProjectContext, record: Record, kind: str, hook: Hook, emit: Emit
) -> None:
    """Run a hook to its end and emit what it writes. Raises `HookFailed`."""
    name = record.name
    lines, tail = OutputLines(lambda text: emit(Output(source=name, text=text))), OutputTail()

    def feed(block: bytes) -> None:
        lines.feed(block)
        tail.feed(block)

    code = await run_in_container(context, record, hook, feed)
    lines.flush()
    if code != 0:
        raise HookFailed(name, kind, code, tail.text)
