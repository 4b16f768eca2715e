"""Find containers of all projects by what docker takes for one: its id, its name, the beginning of its id."""

from collections.abc import Sequence

from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.records import ContainerKey
from cntnr_compose.core.errors import CntnrError, NoSuchContainer
from cntnr_compose.core.values import Value
from cntnr_compose.model.observed import Container


class ContainerAmbiguous(CntnrError):
    """Several containers have an id that begins with a text."""

    hint = "give more digits, or the name"

    def __init__(self, prefix: str) -> None:
        super().__init__(f"multiple IDs found with provided prefix: {prefix}")


class ReferenceInvalid(CntnrError):
    """A container is named by an empty text."""

    hint = "give a name, an id, or the beginning of an id"

    def __init__(self, reference: str) -> None:
        super().__init__(f'invalid name or ID supplied: "{reference}"')


class NamedContainer(Value, frozen=True, kw_only=True):
    """A container, and the word by which the user named it: what commands print."""

    reference: str
    container: Container


def find_container(reference: str) -> Container:
    """Find a container of any project, as it is now.

    Where its supervisor died another one is started first. Raises `NoSuchContainer`, `ContainerAmbiguous`,
    `ReferenceInvalid`.
    """
    return _observe(match_reference(reference, records.list_keys()), reference)


def find_containers(
    references: Sequence[str],
) -> tuple[list[NamedContainer], list[CntnrError]]:
    """Find containers like `find_container`; return them in order, and the errors of those not found."""
    keys = records.list_keys()
    named: list[NamedContainer] = []
    errors: list[CntnrError] = []
    for reference in references:
        try:
            container = _observe(match_reference(reference, keys), reference)
        except CntnrError as error:
            errors.append(error)
        else:
            named.append(NamedContainer(reference=reference, container=container))
    return named, errors


def match_reference(reference: str, keys: Sequence[ContainerKey]) -> ContainerKey:
    """Return which container a word means: a whole id first, then a name, then the beginning of an id.

    Raises as `find_container` does.
    """
    name = reference.removeprefix("/")  # as `inspect` shows it
    if not name:
        raise ReferenceInvalid(reference)
    for is_meant in (lambda key: key.id == reference, lambda key: key.name == name):
        for key in filter(is_meant, keys):
            return key
    matches = [key for key in keys if key.id.startswith(reference)]
    if len(matches) > 1:
        raise ContainerAmbiguous(reference)
    if not matches:
        raise NoSuchContainer(reference, (key.name for key in keys))
    return matches[0]


def _observe(key: ContainerKey, reference: str) -> Container:
    from cntnr_compose.client.observe import observe_project

    for container in observe_project(key.project).containers:
        if container.record.id == key.id:
            return container
    raise NoSuchContainer(reference)  # it was removed just now
