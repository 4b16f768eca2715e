"""What the options of `cntnr compose` say, as one small value that every verb gets first."""

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import PROGRESS_MODES
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.names import is_project_name

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.compose.files.request import LoadRequest
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.model.project import Project

ALLOWED_VALUES = {"progress": PROGRESS_MODES, "ansi": ("auto", "never", "always")}


class UnsupportedValue(CntnrError):
    """An option has a value that it does not know."""

    def __init__(self, option: str, value: str, known: tuple[str, ...]) -> None:
        super().__init__(f'unsupported {option} value "{value}"')
        self.hint = f"it can be {', '.join(known[:-1])} or {known[-1]}"


class NoSuchPlace(CntnrError):
    """The current directory has been removed."""

    hint = "change to a directory that exists"

    def __init__(self) -> None:
        super().__init__("cannot find the current directory: it is gone")


class ProjectOptions(Frozen):
    """Which project is meant, and how to talk about it."""

    files: tuple[str, ...] = ()
    project_name: str = ""
    profiles: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    directory: str = ""
    progress: str = "auto"
    ansi: str = "auto"
    parallel: int = -1
    compatibility: bool = False
    dry_run: bool = False
    all_resources: bool = False
    verbose: bool = False

    @classmethod
    def parse(
        cls, given: Mapping[str, Any], environ: Mapping[str, str] | None = None
    ) -> "ProjectOptions":
        """Make it of parsed options and `COMPOSE_*` variables.

        Raises `UnsupportedValue`.
        """
        environ = os.environ if environ is None else environ
        said = {name: value for name, value in given.items() if value is not None}
        if said.pop("no_ansi", False):
            said.setdefault("ansi", "never")
        for name, known in ALLOWED_VALUES.items():
            value = said.setdefault(name, environ.get(f"COMPOSE_{name.upper()}") or known[0])
            if value not in known:
                raise UnsupportedValue(f"--{name}", value, known)
        limit = environ.get("COMPOSE_PARALLEL_LIMIT", "")
        if limit.isdecimal():
            said.setdefault("parallel", int(limit))
        return cls(**said)

    def load_request(self, services: tuple[str, ...] = ()) -> "LoadRequest":
        """Say to the loader what is to be read."""
        from cntnr_compose.compose.files.request import LoadRequest

        return LoadRequest(
            files=self.files,
            project_name=self.project_name,
            project_directory=self.directory,
            profiles=self.profiles,
            env_files=self.env_files,
            services=services,
            environ=dict(os.environ),
            cwd=current_directory(),
            compatibility=self.compatibility,
            all_resources=self.all_resources,
        )

    def load_project(self, console: "ProgressDisplay", services: tuple[str, ...] = ()) -> "Project":
        """Read the files of the project, and tell the loader's warnings.

        Raises the loader's errors.
        """
        return self.load(console, services).project

    def load(self, console: "ProgressDisplay", services: tuple[str, ...] = ()) -> "LoadedProject":
        """Do as `load` does, and give the tree too."""
        from cntnr_compose.compose.load import load
        from cntnr_compose.core.events import WarningEvent

        if self.parallel > 0:
            console.emit(
                WarningEvent(
                    text="--parallel has no effect: cntnr does as much at once as there are cores"
                )
            )
        loaded = load(self.load_request(services))
        for text in loaded.warnings:
            console.emit(WarningEvent(text=text))
        return loaded

    def show_warnings(self, texts: Iterable[str]) -> None:
        """Draw warnings; where there are none, no console is made."""
        for text in texts:
            from cntnr_compose.core.events import WarningEvent

            with self.display() as console:
                console.emit(WarningEvent(text=text))

    def resolve_name(self) -> str:
        """Give the project's name; with ``-p`` and no ``-f`` nothing is read.

        Raises `ProjectNameInvalid` and the loader's errors.
        """
        if self.project_name and not self.files:
            return check_project_name(self.project_name)
        from cntnr_compose.cli.project import quick_name as glance

        found = glance.quick_name(self.load_request())
        if found is not None:
            return found
        from cntnr_compose.compose import load as project

        return project.resolve_project_name(self.load_request())

    def resolve_name_and_project(self, console: "ProgressDisplay") -> "tuple[str, Project | None]":
        """Give the project's name, and the project where its files are there to be read.

        Raises as `name` does.
        """
        if self.project_name and not self.files:
            return check_project_name(self.project_name), None
        try:
            project = self.load_project(console)
        except CntnrError:
            name = os.environ.get("COMPOSE_PROJECT_NAME", "")
            if self.files or not name:
                raise
            return check_project_name(name), None
        return project.name, project

    def find_project(self) -> "Project | None":
        """Give the project, where its files are there to be read; warnings are told."""
        with self.display() as console:
            return self.resolve_name_and_project(console)[1]

    def name_separator(self, project: "Project") -> str:
        """Give what joins the parts of containers' names."""
        said = os.environ.get(
            "COMPOSE_COMPATIBILITY", project.environment.get("COMPOSE_COMPATIBILITY")
        )
        return "_" if self.compatibility or is_on(said or "") else "-"

    def display(self) -> "ProgressDisplay":
        """Make what draws events on standard error."""
        from cntnr_compose.cli.display.progress import choose_display

        return choose_display(self.progress, self.ansi, dry_run=self.dry_run)


def current_directory() -> str:
    """Give the current directory. Raises `NoSuchPlace`."""
    try:
        return os.getcwd()  # noqa: PTH109 - what the loader wants is text
    except OSError:
        raise NoSuchPlace from None


def check_project_name(name: str) -> str:
    """Give a project's name back, or raise `ProjectNameInvalid`."""
    if not is_project_name(name):
        from cntnr_compose.compose.basics.errors import ProjectNameInvalid

        raise ProjectNameInvalid(name)
    return name


def is_on(value: str) -> bool:
    """Tell whether a variable such as ``COMPOSE_REMOVE_ORPHANS`` is switched on."""
    from cntnr_compose.compose.basics.go_parse import SWITCHED_ON

    return value.strip().lower() in SWITCHED_ON
