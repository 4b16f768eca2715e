"""What `up`, `create`, `scale`, `run` and `plan` share: options, and images made ready."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.project.options import ProjectOptions, current_directory, is_on
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.flows.up_arguments import UpArguments
    from cntnr_compose.core.events import Event
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.project import Project

PULL_POLICIES = ("always", "missing", "never", "build", "policy")


class Incompatible(CntnrError):
    """Options were given that contradict each other."""

    def __init__(self, option: str, *others: str) -> None:
        if len(others) == 1:
            super().__init__(f"{option} and {others[0]} are incompatible")
        else:
            listed = f"{', '.join(others[:-1])} or {others[-1]}"
            super().__init__(f"{option} cannot be combined with {listed}")


class BadPullPolicy(CntnrError):
    """``--pull`` has a value that it does not know."""

    hint = f"it can be {', '.join(PULL_POLICIES[:3])} or build"

    def __init__(self, value: str) -> None:
        super().__init__(f'invalid --pull option "{value}"')


class BadScale(CntnrError):
    """``--scale`` is not of the form SERVICE=NUM."""

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid --scale option "{text}": it should be SERVICE=NUM')


class ImageOptions(Frozen):
    """How images are to be made ready."""

    build: bool = False
    no_build: bool = False
    pull: str = "policy"
    quiet_pull: bool = False
    quiet_build: bool = False

    def check(self) -> None:
        """Raise `Incompatible`, `BadPullPolicy`."""
        if self.build and self.no_build:
            raise Incompatible("--build", "--no-build")
        if self.pull not in PULL_POLICIES:
            raise BadPullPolicy(self.pull)

    def filter_events(self, console: "ProgressDisplay") -> "Callable[[Event], None]":
        """Give what events are told to: without those that shall be quiet."""

        from cntnr_compose.core.events import Output, Progress

        def tell(event: "Event") -> None:
            match event:
                case Progress(kind="Image", status=status):
                    if self.quiet_pull and status.startswith("Pull"):
                        return
                    if self.quiet_build and status.startswith("Buil"):
                        return
                case Output() if self.quiet_build:
                    return
                case _:
                    pass
            console.emit(event)

        return tell


def prepare_images(
    scope: ProjectOptions, chosen: "Project", wanted: ImageOptions, console: "ProgressDisplay"
) -> dict[str, str]:
    """Have the images of a project pulled or built; give their ids by the names in the file.

    A dry run only says what is missing.
    """
    if scope.dry_run:
        return _find_local_images(chosen)
    from cntnr_compose.builder.ensure_images import ensure_images

    return ensure_images(
        chosen,
        build=wanted.build,
        no_build=wanted.no_build,
        pull="" if wanted.pull == "policy" else wanted.pull,
        emit=wanted.filter_events(console),
    )


def _find_local_images(chosen: "Project") -> dict[str, str]:
    from cntnr_compose.images.store import ImageStore

    store, found = ImageStore(), {}
    for service in chosen.services.values():
        name = chosen.image_name(service)
        image = store.find(name)
        if image is not None:
            found[name] = image.id
        elif name not in found:
            found[name] = ""
            out.print_line(f"0 {'build' if service.build else 'pull'} image {name}: not found")
    return {name: identity for name, identity in found.items() if identity}


def with_images(observed: "Observed", images: Mapping[str, str]) -> "Observed":
    """Tell the plan which images the names in the file mean now."""
    from cntnr_compose.core.values import replace

    return replace(observed, images={**observed.images, **images})


def parse_scales(given: Iterable[str]) -> dict[str, int]:
    """Read ``SERVICE=NUM``. Raises `BadScale`."""
    found = {}
    for text in given:
        name, _, count = text.rpartition("=")
        if not name or not count.isdecimal():
            raise BadScale(text)
        found[name] = int(count)
    return found


def is_variable_on(project: "Project", name: str) -> bool:
    """Tell whether a ``COMPOSE_*`` variable is on, in the environment or in ``.env``."""
    return is_on(os.environ.get(name, project.environment.get(name, "")))


def prestart_supervisor(scope: ProjectOptions) -> None:
    """Have holder and supervisor start while files are read."""
    if not scope.dry_run:
        from cntnr_compose.client import prestart as early

        early.start(current_directory(), os.environ, scope.project_name)


def bring_up(scope: ProjectOptions, what: str, asked: "UpArguments") -> int:
    """Make what is asked for so, stay where that is asked, and give the exit code.

    Raises `CntnrError`.
    """
    asked.check()
    prestart_supervisor(scope)
    from cntnr_compose.cli.project import support_warnings as keys
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile.up import plan_up, select_services

    with scope.display() as console:
        loaded = scope.load(console, asked.services)
        project = loaded.project
        options = asked.to_up_options(project, scope)
        chosen = select_services(project, options)
        keys.warn_unsupported(loaded, chosen.services, console)
        shown = asked.attached_services(project, chosen)
        images = prepare_images(scope, chosen, asked.image_options, console)
        with locked_project(scope, project.name, what, console) as mine:
            plan = plan_up(project, with_images(mine.observed, images), options)
            if asked.is_detached or scope.dry_run:
                mine.execute(plan, project)
                return 0
            from cntnr_compose.cli.flows.attached_up import run_attached_up

            watched = frozenset(asked.services or chosen.services)
            return run_attached_up(scope, mine, project, asked, plan, watched=watched, shown=shown)
