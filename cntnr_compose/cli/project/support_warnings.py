"""Says which keys of the files ask for something in vain, before anything is done."""

from collections.abc import Container
from typing import TYPE_CHECKING

from cntnr_compose.core.events import WarningEvent

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.compose.load import LoadedProject


def warn_unsupported(
    loaded: "LoadedProject", services: Container[str], console: "ProgressDisplay"
) -> None:
    """Warn of keys that are not honoured here; only the chosen services count.

    Raises `ComposeFileInvalid` for those that cannot be.
    """
    from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
    from cntnr_compose.compose.support.report import find_empty_names, find_unsupported
    from cntnr_compose.doctor.capabilities import detect_capabilities

    chosen = {name: one for name, one in loaded.tree["services"].items() if name in services}
    findings = find_unsupported({**loaded.tree, "services": chosen}, detect_capabilities())
    findings += find_empty_names(loaded.tree)
    if findings:
        findings = loaded.source_map.with_locations(findings)
    refused = [one for one in findings if one.severity == "error"]
    for one in findings:
        if one not in refused:
            console.emit(WarningEvent(text=str(one)))
    if refused:
        raise ComposeFileInvalid(refused)
