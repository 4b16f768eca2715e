"""What `up`, `create`, `scale`, `run` and `plan` share: options, and images made ready."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.project.options import Scope, here, is_on
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import Console
    from cntnr_compose.cli.flows.up_arguments import Asked
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


class Images(Frozen):
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

    def tell(self, console: "Console") -> "Callable[[Event], None]":
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
            console.tell(event)

        return tell


def provided(scope: Scope, chosen: "Project", wanted: Images, console: "Console") -> dict[str, str]:
    """Have the images of a project pulled or built; give their ids by the names in the file.

    A dry run only says what is missing.
    """
    if scope.dry_run:
        return _there(chosen)
    from cntnr_compose.builder.ensure_images import ensure_images

    return ensure_images(
        chosen,
        build=wanted.build,
        no_build=wanted.no_build,
        pull="" if wanted.pull == "policy" else wanted.pull,
        emit=wanted.tell(console),
    )


def _there(chosen: "Project") -> dict[str, str]:
    from cntnr_compose.images.store import ImageStore

    store, found = ImageStore(), {}
    for service in chosen.services.values():
        name = chosen.image_name(service)
        image = store.find(name)
        if image is not None:
            found[name] = image.id
        elif name not in found:
            found[name] = ""
            out.say(f"0 {'build' if service.build else 'pull'} image {name}: not found")
    return {name: identity for name, identity in found.items() if identity}


def with_images(observed: "Observed", images: Mapping[str, str]) -> "Observed":
    """Tell the plan which images the names in the file mean now."""
    from cntnr_compose.core.values import replace

    return replace(observed, images={**observed.images, **images})


def scales(given: Iterable[str]) -> dict[str, int]:
    """Read ``SERVICE=NUM``. Raises `BadScale`."""
    found = {}
    for text in given:
        name, _, count = text.rpartition("=")
        if not name or not count.isdecimal():
            raise BadScale(text)
        found[name] = int(count)
    return found


def variable(project: "Project", name: str) -> bool:
    """Tell whether a ``COMPOSE_*`` variable is on, in the environment or in ``.env``."""
    return is_on(os.environ.get(name, project.environment.get(name, "")))


def hurry(scope: Scope) -> None:
    """Have holder and supervisor start while files are read."""
    if not scope.dry_run:
        from cntnr_compose.client import prestart as early

        early.start(here(), os.environ, scope.project_name)


def bring(scope: Scope, what: str, asked: "Asked") -> int:
    """Make what is asked for so, stay where that is asked, and give the exit code.

    Raises `CntnrError`.
    """
    asked.check()
    hurry(scope)
    from cntnr_compose.cli.project import support_warnings as keys
    from cntnr_compose.cli.project.session import turn
    from cntnr_compose.reconcile.up import plan_up, select_services

    with scope.console() as console:
        loaded = scope.loaded(console, asked.services)
        project = loaded.project
        options = asked.options(project, scope)
        chosen = select_services(project, options)
        keys.tell(loaded, chosen.services, console)
        shown = asked.attached(project, chosen)
        images = provided(scope, chosen, asked.images, console)
        with turn(scope, project.name, what, console) as mine:
            plan = plan_up(project, with_images(mine.observed, images), options)
            if asked.is_detached or scope.dry_run:
                mine.execute(plan, project)
                return 0
            from cntnr_compose.cli.flows.attached_up import stay

            watched = frozenset(asked.services or chosen.services)
            return stay(scope, mine, project, asked, plan, watched=watched, shown=shown)
