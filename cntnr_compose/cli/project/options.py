"""The options of `cntnr compose` as one value, which each of its commands gets first."""

import contextlib
import functools
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.names import explicit_project_name

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.compose.files.request import LoadRequest
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.model.project import Project
    from cntnr_compose.providers.lifecycle import CallOptions

PROGRESS_MODES = ("auto", "tty", "plain", "json", "quiet")
ANSI_MODES = ("auto", "never", "always")
DEPRECATED = "option '{}' is DEPRECATED{}! Please use '{}' instead.\n"
ALLOWED_VALUES = {"progress": PROGRESS_MODES, "ansi": ANSI_MODES}


class UnsupportedValue(CntnrError):
    """The value of an option is not known."""

    def __init__(self, option: str, value: str, known: tuple[str, ...]) -> None:
        super().__init__(f'unsupported {option} value "{value}"')
        self.hint = f"it can be {', '.join(known[:-1])} or {known[-1]}"


class BadParallelLimit(CntnrError):
    """A variable that limits what is done at once is no number."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f'{name} must be an integer (found: "{value}")')


class NoTable(CntnrError):
    """The live table is asked for, and terminal codes are switched off."""

    hint = "use --progress plain, or leave --ansi never out"

    def __init__(self) -> None:
        super().__init__("can't use --progress tty while ANSI support is disabled")


class NoSuchPlace(CntnrError):
    """The current directory has been removed."""

    hint = "change to a directory that exists"

    def __init__(self) -> None:
        super().__init__("cannot find the current directory: it is gone")


class ProjectOptions(Frozen):
    """Which project is meant, and how its progress is shown."""

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
    insecure_registries: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls, options: Mapping[str, Any], environ: Mapping[str, str] | None = None
    ) -> "ProjectOptions":
        """Make it from parsed options, `COMPOSE_*` variables and those of env files.

        Raises `UnsupportedValue`, `BadParallelLimit`, `NoTable`.
        """
        from cntnr_compose.cli.project.env_settings import read_settings

        environ = os.environ if environ is None else environ
        values = {name: value for name, value in options.items() if value is not None}
        if values.pop("no_ansi", False):
            sys.stderr.write(DEPRECATED.format("--no-ansi", " ", "--ansi"))
            values.setdefault("ansi", "never")
        if workdir := values.pop("workdir", ""):
            sys.stderr.write(
                DEPRECATED.format("--workdir", " at root level", "--project-directory")
            )
            values.setdefault("directory", workdir)
        settings = dict(environ)
        with contextlib.suppress(NoSuchPlace):
            request = cls(**values).load_request().replace(environ=environ)
            settings = {**read_settings(request), **environ}
        for name, allowed in ALLOWED_VALUES.items():
            value = values.setdefault(name, settings.get(f"COMPOSE_{name.upper()}") or allowed[0])
            if value not in allowed:
                raise UnsupportedValue(f"--{name}", value, allowed)
        if limit := settings.get("COMPOSE_PARALLEL_LIMIT"):
            try:
                values.setdefault("parallel", int(limit))
            except ValueError:
                raise BadParallelLimit("COMPOSE_PARALLEL_LIMIT", limit) from None
        if values["progress"] == "tty" and values["ansi"] == "never":
            raise NoTable
        return cls(**values)

    @property
    def limit(self) -> int:
        """Return how many things may be done at once; 0 means no limit."""
        return max(self.parallel, 0)

    @property
    def provider_calls(self) -> "CallOptions":
        """Return how the programs of providers are called."""
        from cntnr_compose.providers.lifecycle import CallOptions

        return CallOptions(dry_run=self.dry_run, verbose=self.verbose)

    def load_request(self, services: tuple[str, ...] = ()) -> "LoadRequest":
        """Make the request for loading the project."""
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
            fetch=_fetch_project,
            compatibility=self.compatibility,
            all_resources=self.all_resources,
            tolerate_missing_env_files=True,  # whoever creates containers checks the selected services
        )

    def load(self, display: "ProgressDisplay", services: tuple[str, ...] = ()) -> "LoadedProject":
        """Load the project and show warnings. Raises the errors of loading."""
        from cntnr_compose.compose.load import load
        from cntnr_compose.core.events import WarningEvent

        loaded = load(self.load_request(services))
        for text in loaded.warnings:
            display.emit(WarningEvent(text=text))
        return loaded

    def load_project(self, display: "ProgressDisplay", services: tuple[str, ...] = ()) -> "Project":
        """Load the project like `load`, without its tree. Raises the errors of loading."""
        return self.load(display, services).project

    def show_warnings(self, texts: Iterable[str]) -> None:
        """Show warnings; a display is only made where there are some."""
        for text in texts:
            from cntnr_compose.core.events import WarningEvent

            with self.display() as display:
                display.emit(WarningEvent(text=text))

    @property
    def names_project(self) -> bool:
        """Tell whether ``-p`` or the variable names the project, and not merely its files or directory."""
        return bool(explicit_project_name(self.project_name, os.environ))

    def resolve_name(self) -> str:
        """Return the name of the project, loading no more than that needs.

        Raises `ProjectNameInvalid` and the errors of loading.
        """
        if not self.files and (name := explicit_project_name(self.project_name, {})):
            return name
        from cntnr_compose.compose.project_name import resolve_project_name

        return resolve_project_name(self.load_request())

    def resolve_name_and_project(self, display: "ProgressDisplay") -> "tuple[str, Project | None]":
        """Return the name of the project, and the project where its files can be loaded.

        They are not loaded where ``-p`` names the project, nor needed where a variable does. Raises as
        `resolve_name` does.
        """
        if not self.files and (name := explicit_project_name(self.project_name, {})):
            return name, None
        try:
            project = self.load_project(display)
        except CntnrError:
            name = "" if self.files else explicit_project_name("", os.environ)
            if not name:
                raise
            return name, None
        return project.name, project

    def find_project(self) -> "Project | None":
        """Load the project where its files can be loaded, and show warnings."""
        with self.display() as display:
            return self.resolve_name_and_project(display)[1]

    def prestart_supervisor(self) -> None:
        """Start a supervisor, and with it the holder, while files are read."""
        if not self.dry_run:
            from cntnr_compose.client import prestart

            prestart.start(current_directory(), os.environ, self.project_name)

    def name_separator(self, project: "Project") -> str:
        """Return what joins the parts of container names."""
        is_compatible = self.compatibility or is_variable_on(project, "COMPOSE_COMPATIBILITY")
        return "_" if is_compatible else "-"

    def display(self) -> "ProgressDisplay":
        """Make the display for events, on standard error."""
        from cntnr_compose.cli.display.progress import choose_display

        return choose_display(self.progress, self.ansi, dry_run=self.dry_run)


@functools.cache
def _fetch_project(reference: str) -> tuple[str, ...]:
    """Fetch a project that was published, once a command. Raises `ImageError`, `NoProject`."""
    from cntnr_compose.images.transports.artifact import fetch_project

    return fetch_project(reference)


def current_directory() -> str:
    """Return the current directory. Raises `NoSuchPlace`."""
    try:
        return os.getcwd()  # noqa: PTH109 - loading wants text
    except OSError:
        raise NoSuchPlace from None


def is_on(value: str) -> bool:
    """Tell whether the value of a variable such as ``COMPOSE_REMOVE_ORPHANS`` means true."""
    from cntnr_compose.compose.basics.go_parse import SWITCHED_ON

    return value.strip().lower() in SWITCHED_ON


def is_variable_on(project: "Project", name: str) -> bool:
    """Tell whether a ``COMPOSE_*`` variable is true, in the environment or in ``.env``."""
    return is_on(os.environ.get(name, project.environment.get(name, "")))
