"""Warn about keys without effect here, and refuse those that cannot work, before any change."""

from collections.abc import Container
from typing import TYPE_CHECKING

from cntnr_compose.core.events import WarningEvent

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.core.events import Emit


def warn_unsupported(
    loaded: "LoadedProject", services: Container[str], display: "ProgressDisplay"
) -> None:
    """Show warnings for unsupported keys of the selected services.

    Raises `ComposeFileInvalid` for keys that cannot work here, `NamespacesForbidden` where none can.
    """
    from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
    from cntnr_compose.compose.support.conflicts import find_network_conflicts
    from cntnr_compose.compose.support.report import find_empty_names, find_unsupported
    from cntnr_compose.doctor.capabilities import detect_capabilities
    from cntnr_compose.host.namespaces import restrictions

    restrictions.check_namespaces()
    _warn_of_fetched_project(loaded, display)
    host = detect_capabilities()
    if not host.has_subordinate_ids:
        tell_of_one_id(display.emit)
    _tell_of_selinux(loaded, services, display.emit)
    selected = {name: tree for name, tree in loaded.tree["services"].items() if name in services}
    diagnostics = find_unsupported({**loaded.tree, "services": selected}, host)
    diagnostics += find_empty_names(loaded.tree) + find_network_conflicts({"services": selected})
    if diagnostics:
        diagnostics = loaded.source_map.with_locations(diagnostics)
    errors = [one for one in diagnostics if one.severity == "error"]
    for diagnostic in diagnostics:
        if diagnostic not in errors:
            display.emit(WarningEvent(text=str(diagnostic)))
    if errors:
        raise ComposeFileInvalid(errors)


def tell_of_one_id(emit: "Emit") -> None:
    """Tell, once, that what changes users and owners fails here."""
    from cntnr_compose.host.namespaces.subids import explain_one_id

    if _is_told_first("told-of-one-id"):
        text = "only root exists in containers here, so programs that change users or owners fail"
        hint = "`cntnr doctor` tells what would mend it; this is told once"
        emit(WarningEvent(text=f"{text}: {explain_one_id()} ({hint})"))


def _tell_of_selinux(loaded: "LoadedProject", services: Container[str], emit: "Emit") -> None:
    """Tell, once, that this machine has no SELinux where a mount asks for its labels."""
    mounts = (
        mount
        for service in loaded.project.services.values()
        for mount in service.volumes
        if service.name in services and mount.bind.selinux
    )
    if not any(mounts):
        return
    from cntnr_compose.volumes import relabel

    if not relabel.is_enabled() and _is_told_first("told-of-selinux"):
        text = "`z` and `Z` of volumes have no effect: this machine has no SELinux"
        emit(WarningEvent(text=f"{text} (this is told once)"))


def _is_told_first(name: str) -> bool:
    """Note that the user was told of something; return whether that is the first time."""
    from cntnr_compose.core import paths

    told = paths.secure_data() / name
    if told.exists():
        return False
    told.touch()
    return True


def _warn_of_fetched_project(loaded: "LoadedProject", display: "ProgressDisplay") -> None:
    """Tell where a project is stored that was read from a registry, and which variables it reads here."""
    from cntnr_compose.core import paths

    folder = f"{paths.artifacts()}/"
    files = [file for file in loaded.project.files if file.startswith(folder)]
    if not files:
        return
    from cntnr_compose.compose.files.reading import read_compose_file
    from cntnr_compose.compose.queries import collect_variables
    from cntnr_compose.compose.yaml.reader import read_documents

    names: dict[str, None] = {}
    for file in files:
        for document in read_documents(read_compose_file(file), file):
            names |= dict.fromkeys(collect_variables(document.tree))
    text = f'Your compose stack is stored in "{files[0].rpartition("/")[0]}"'
    known = sorted(names.keys() & loaded.project.environment.keys())
    text += f"; it reads these variables from here: {', '.join(known)}" if known else ""
    display.emit(WarningEvent(text=text))
