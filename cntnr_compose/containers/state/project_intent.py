"""What a project was last brought up as: the intent, one file a project."""

from collections.abc import Collection

from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.model.project import Project


def read_intent(project: str) -> Project | None:
    """Read what a project was last brought up as; None where it is not up."""
    return files.read_value(paths.intent(project), Project)


def list_requested_addresses(intent: Project, networks: Collection[str]) -> set[str]:
    """List the addresses that services request on some networks, also services that a profile leaves out."""
    services = (*intent.services.values(), *intent.disabled.values())
    return {
        attachment.ipv4_address
        for service in services
        for key, attachment in service.networks.items()
        if attachment.ipv4_address
        and (key not in intent.networks or intent.networks[key].name in networks)
    }


def requested_by_others(project: str, networks: Collection[str]) -> set[str]:
    """List the addresses that services of other projects request on some networks.

    Most files are only searched, which is quick, since it is asked for each container.
    """
    addresses: set[str] = set()
    for path in files.find_paths(paths.projects(), "*.json"):
        try:
            text = b"" if path.stem == project else path.read_bytes()
        except OSError:  # it is gone
            continue
        if b'"ipv4_address"' in text and any(name.encode() in text for name in networks):
            intent = read_intent(path.stem)
            if intent is not None:
                addresses |= list_requested_addresses(intent, networks)
    return addresses


def write_intent(project: Project) -> None:
    """Write what a project is brought up as."""
    paths.make_data_folder(paths.projects())
    files.write_value(paths.intent(project.name), project, mode=0o600)
    files.sync_soon(paths.intent(project.name))


def remove_intent(project: str) -> None:
    """Remove what a project was brought up as."""
    paths.intent(project).unlink(missing_ok=True)
    # Drafts are of writers that were killed.
    for draft in files.find_paths(paths.projects(), f".{project}.json.*"):
        draft.unlink(missing_ok=True)
