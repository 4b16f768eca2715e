"""Run the container of a transformation, or copy files out of it: a project of its own that goes again."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions

SERVICE = "transformation"


class TransformationFailed(CntnrError):
    """A transformation did not end with 0."""

    def __init__(self, image: str, code: int) -> None:
        super().__init__(f"transformation {image} ended with status {code}")
        self.exit_code = code


def run_transformation(
    options: "ProjectOptions", image: str, model: str, mounts: Mapping[str, Path]
) -> None:
    """Run an image on a model, which it finds as /in/compose.yaml; ``mounts`` are folders by target.

    It runs as root, which is the user that we are. Raises `TransformationFailed`.
    """
    from cntnr_compose.cli.flows.one_off import run_service
    from cntnr_compose.cli.flows.run_arguments import RunArguments

    with tempfile.TemporaryDirectory(prefix="compose-convert-") as folder:
        source = Path(folder) / "compose.yaml"
        source.write_text(model)
        source.chmod(0o600)
        service = {
            "user": "0",
            "environment": {"LICENSE_AGREEMENT": "true"},
            "volumes": [
                {"type": "bind", "source": str(path), "target": target}
                for target, path in {"/in": Path(folder), **mounts}.items()
            ],
        }
        with _transformation_project(options, image, service) as project:
            arguments = RunArguments(
                service=SERVICE, rm=True, interactive=False, no_tty=True, no_deps=True
            )
            code = run_service(project, arguments)
    if code:
        raise TransformationFailed(image, code)


def copy_templates(options: "ProjectOptions", image: str, target: Path) -> None:
    """Copy the folder /templates of an image into ``target``. Raises `CannotCopy`."""
    from cntnr_compose.cli.flows.up import bring_up
    from cntnr_compose.cli.flows.up_arguments import UpArguments
    from cntnr_compose.cli.project.container_files import open_files
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.containers.files.copy import copy_from_container

    # Without a network, and with a command, since it is never started.
    service = {"network_mode": "none", "entrypoint": ["/"]}
    with _transformation_project(options, image, service) as project:
        bring_up(project, "create", UpArguments(no_start=True))
        containers = observe_project(project.project_name).containers
        with open_files(project.project_name, containers, "cp", rootfs_only=True) as opened:
            for files in opened:
                copy_from_container(files, "/templates", str(target), follow_link=False)


@contextlib.contextmanager
def _transformation_project(
    options: "ProjectOptions", image: str, service: Mapping[str, object]
) -> Iterator["ProjectOptions"]:
    """Write the file of a project with one service, and remove all of the project after the block."""
    name = f"bridge-{os.urandom(6).hex()}"
    with tempfile.TemporaryDirectory(prefix="compose-bridge-") as folder:
        file = Path(folder) / "compose.yaml"
        tree = {"services": {SERVICE: {"image": image, **service}}}
        file.write_text(json.dumps(tree).replace("$", "$$"))
        project = options.replace(
            files=(str(file),),
            project_name=name,
            profiles=(),
            env_files=(),
            directory=folder,
            progress="quiet",
        )
        try:
            yield project
        finally:
            _bring_down(project, name)


def _bring_down(options: "ProjectOptions", name: str) -> None:
    from cntnr_compose.cli.project.failure_notes import removing_history
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile.teardown import DownOptions, plan_down

    with (
        options.display() as display,
        removing_history(name, ()),
        locked_project(options, name, "down", display) as session,
    ):
        everything = DownOptions(volumes=True, remove_orphans=True, timeout=0)
        session.execute(plan_down(None, session.observed, everything))
        if session.client is not None:
            session.client.unlock()
            session.client.shut_down()
