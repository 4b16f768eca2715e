"""Find the names that completion proposes: services and profiles of files, containers, projects."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.compose.files.request import LoadRequest

# Names come from files of others: what a terminal could take for something else is left out.
MAX_NAMES = 2000


def services(shared: Mapping[str, Any]) -> Sequence[str]:
    """List the services of the project's files, or of its containers where there is no file."""
    from cntnr_compose.compose.service_names import project_name, service_names

    of_files = service_names(_request(shared))
    if of_files:
        return of_files
    from cntnr_compose.containers.state import records

    try:
        project = shared.get("project_name") or project_name(_request(shared))
        names = {container.record.service for container in records.read_containers(project)}
    except CntnrError:
        return ()
    return _printable(sorted(names))


def profiles(shared: Mapping[str, Any]) -> Sequence[str]:
    """List the profiles of the project's files."""
    from cntnr_compose.compose.service_names import profile_names

    return profile_names(_request(shared))


def projects(_shared: Mapping[str, Any]) -> Sequence[str]:
    """List the projects on this host."""
    from cntnr_compose.containers.state import plain_records

    return _printable(plain_records.list_projects())


def containers(_shared: Mapping[str, Any]) -> Sequence[str]:
    """List the names of all containers."""
    from cntnr_compose.containers.state import plain_records, records

    names: list[str] = []
    for project in plain_records.list_projects():
        names += [container.name for container in records.read_containers(project)]
    return _printable(names)


def bundles(_shared: Mapping[str, Any]) -> Sequence[str]:
    """List the bundles that are kept by name."""
    from cntnr_compose.bundles.place import list_places

    return _printable([place.name for place in list_places()])


def volumes(_shared: Mapping[str, Any]) -> Sequence[str]:
    """List the volumes of all projects, but for those without a name of their own."""
    from cntnr_compose.volumes.store import observe_volumes

    return _printable(
        [volume.name for volume in observe_volumes().values() if not volume.anonymous]
    )


def networks(_shared: Mapping[str, Any]) -> Sequence[str]:
    """List the networks of all projects."""
    from cntnr_compose.client.resources import list_networks

    return _printable([managed.found.name for managed in list_networks()])


def images(_shared: Mapping[str, Any]) -> Sequence[str]:
    """List the names of images."""
    from cntnr_compose.images.quick_catalogue import read_catalogue
    from cntnr_compose.model import image_name

    listed = read_catalogue()
    if listed is None:
        from cntnr_compose.images.store import ImageStore

        refs = [image.ref for image in ImageStore().list()]
    else:
        refs = [image.ref for image in listed]
    names = sorted(map(image_name.familiar, refs))
    return _printable([name for name in names if name])


def _request(shared: Mapping[str, Any]) -> "LoadRequest":
    from cntnr_compose.compose.files.request import LoadRequest

    return LoadRequest(
        files=shared.get("files", ()),
        project_directory=shared.get("directory") or shared.get("workdir", ""),
        env_files=shared.get("env_files", ()),
        environ=dict(os.environ),
        cwd=os.getcwd(),  # noqa: PTH109 - loading wants text
    )


def _printable(names: Sequence[str]) -> Sequence[str]:
    return [name for name in names[:MAX_NAMES] if name.isprintable() and " " not in name]
