"""Take the actions of watch rules: copy files into containers, run commands there, restart, rebuild."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from cntnr_compose.client import client as clients
from cntnr_compose.client.exec.run import run_process
from cntnr_compose.client.observe import observe_project
from cntnr_compose.containers.bundle.file_digests import with_file_digests
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Event, Output, WarningEvent
from cntnr_compose.core.values import replace
from cntnr_compose.images.storage.collector import remove_unnamed
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.observed import Container
from cntnr_compose.model.project import Project
from cntnr_compose.model.protocol import PrepareExec
from cntnr_compose.model.service import Hook
from cntnr_compose.reconcile.restart import plan_rebuild, plan_restart
from cntnr_compose.watch.rules import Sync
from cntnr_compose.watch.transfer import copy_files

if TYPE_CHECKING:
    from cntnr_compose.client.client import Client


class CommandFailedInContainer(CntnrError):
    """The command of a sync+exec rule failed."""

    def __init__(self, container: str, code: int) -> None:
        super().__init__(f"the command in container {container} exited with code {code}")


class Reporter(Protocol):
    """Who hears what watching does."""

    def message(self, text: str) -> None:
        """Show what is done."""
        ...

    def output(self, text: str) -> None:
        """Show a line of a build's output."""
        ...

    def warning(self, text: str) -> None:
        """Show what went wrong."""
        ...


class WatchActions:
    """The actions that changes of files take, in one project."""

    def __init__(
        self,
        project: Project,
        reporter: Reporter,
        *,
        quiet: bool,
        prune: bool,
        separator: str = "-",
    ) -> None:
        """Take the project as it was brought up; ``quiet`` hides the output of builds."""
        self._project = project
        self._reporter = reporter
        self._quiet = quiet
        self._prune = prune
        self._separator = separator

    def rebuild(self, services: tuple[str, ...]) -> None:
        """Build the images of services, and recreate their containers. Raises `CntnrError`."""
        from cntnr_compose.builder.project_build import build_services

        names = quote_all(services)
        message = self._reporter.message
        earlier = [ImageStore().find(self._image_name(name)) for name in services]
        message(f"Rebuilding service(s) {names} after changes were detected...")
        try:
            ids = build_services(self._project, services, quiet=self._quiet, emit=self._emit)
        except CntnrError as error:
            message(f"Build failed. Error: {error}")
            raise
        message(f"service(s) {names} successfully built")
        images = {self._image_name(name): image_id for name, image_id in ids.items()}
        try:
            with self._locked() as client:
                observed = client.observe()
                observed = replace(observed, images={**observed.images, **images})
                observed = with_file_digests(observed, self._project)
                client.execute(
                    plan_rebuild(self._project, observed, services, separator=self._separator),
                    emit=self._emit,
                )
        except CntnrError as error:
            message(f"Failed to recreate services after update. Error: {error}")
            raise
        if self._prune:
            _remove_unused(image for image in earlier if image and image.id not in ids.values())

    def sync(self, service: str, files: Sequence[Sync]) -> None:
        """Copy changed files into the containers of a service, and remove there what is gone.

        Raises `CntnrError`.
        """
        for path, why in copy_files(self.running_containers(service), files).items():
            self._reporter.warning(f"cannot read {path}: {why.lower()}")

    def restart(self, services: tuple[str, ...]) -> None:
        """Restart services, and those that have to be restarted with them. Raises `CntnrError`."""
        with self._locked() as client:
            client.execute(plan_restart(self._project, client.observe(), services), emit=self._emit)
        self._reporter.message(f"service(s) {quote_all(services)} restarted")

    def run_command(self, service: str, hook: Hook) -> None:
        """Run the command of a rule in the containers of a service. Raises `CntnrError`."""
        failures: list[CommandFailedInContainer] = []
        for container in self.running_containers(service):
            request = PrepareExec(
                container=container.name,
                command=hook.command,
                user=hook.user,
                working_dir=hook.working_dir,
                environment=self._environment(hook),
                privileged=hook.privileged,
            )
            code = run_process(self._project.name, request, interactive=False)
            if code != 0:
                failures.append(CommandFailedInContainer(container.name, code))
        if failures:
            raise failures[0]

    def running_containers(self, service: str) -> list[Container]:
        """Return the running replicas of a service."""
        return [
            container
            for container in observe_project(self._project.name).service_containers(service)
            if container.is_running
        ]

    def _image_name(self, service: str) -> str:
        return self._project.image_name(self._project.services[service])

    @contextlib.contextmanager
    def _locked(self) -> Iterator["Client"]:
        with clients.connect(self._project.name, emit=self._emit) as client:
            client.lock("watch", self._emit)
            yield client

    def _environment(self, hook: Hook) -> dict[str, str]:
        known = self._project.environment
        values = {
            name: known.get(name) if value is None else value
            for name, value in hook.environment.items()
        }
        return {name: value for name, value in values.items() if value is not None}

    def _emit(self, event: Event) -> None:
        match event:
            case Output(source=source, text=text):
                self._reporter.output(f"{source} {text}")
            case WarningEvent(text=text):
                self._reporter.warning(text)
            case _:
                pass


def _remove_unused(images: Iterable[Image]) -> None:
    """Remove images that have lost their names and that no container was created from."""
    remove_unnamed(image.id for image in images)


def quote_all(names: Sequence[str]) -> str:
    """Format names as docker does: ``["a" "b"]``."""
    return "[" + " ".join(f'"{name}"' for name in names) + "]"
