"""Options of `up`: check them for contradictions, convert them to `UpOptions` of the reconciler."""

import os
from typing import TYPE_CHECKING

from cntnr_compose.cli.flows.shared_arguments import ImageOptions, Incompatible, parse_scales
from cntnr_compose.cli.project.options import ProjectOptions, is_on, is_variable_on
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

if TYPE_CHECKING:
    from cntnr_compose.model.project import Project
    from cntnr_compose.reconcile.container_decisions import RecreatePolicy
    from cntnr_compose.reconcile.up import UpOptions


MENU_VARIABLE = "COMPOSE_MENU"


class NotInUp(CntnrError):
    """A service to attach to is not brought up."""

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot attach to services not included in up: {name}")


class UpArguments(Frozen):
    """The options of `up`."""

    services: tuple[str, ...] = ()
    abort_on_container_exit: bool = False
    abort_on_container_failure: bool = False
    always_recreate_deps: bool = False
    attach: tuple[str, ...] = ()
    attach_dependencies: bool = False
    build: bool = False
    detach: bool = False
    exit_code_from: str = ""
    force_recreate: bool = False
    no_attach: tuple[str, ...] = ()
    no_build: bool = False
    no_color: bool = False
    no_deps: bool = False
    no_log_prefix: bool = False
    no_recreate: bool = False
    no_start: bool = False
    pull: str = "policy"
    quiet_build: bool = False
    quiet_pull: bool = False
    remove_orphans: bool = False
    renew_anon_volumes: bool = False
    scale: tuple[str, ...] = ()
    timeout: int | None = None
    timestamps: bool = False
    wait: bool = False
    wait_timeout: int | None = None
    watch: bool = False
    menu: bool | None = None  # None: as COMPOSE_MENU says, else where there is a terminal
    yes: bool = False

    @property
    def image_options(self) -> ImageOptions:
        """Return the options of pulls and builds."""
        return ImageOptions(
            build=self.build,
            no_build=self.no_build,
            pull=self.pull,
            quiet_pull=self.quiet_pull,
            quiet_build=self.quiet_build,
        )

    @property
    def is_detached(self) -> bool:
        """Tell whether `up` exits when everything is started."""
        return self.detach or self.wait or self.no_start

    @property
    def abort_condition(self) -> str:
        """Return what stops all containers: "", ``exit`` of one of them, or its ``failure``."""
        if self.abort_on_container_failure:
            return "failure"
        return "exit" if self.abort_on_container_exit or self.exit_code_from else ""

    def has_menu(self, project: "Project", options: ProjectOptions) -> bool:
        """Tell whether to show keys on a terminal: by --menu, then by COMPOSE_MENU, else yes."""
        if options.progress not in ("auto", "tty") or options.ansi == "never":
            return False
        if self.menu is not None:
            return self.menu
        value = os.environ.get(MENU_VARIABLE, project.environment.get(MENU_VARIABLE, ""))
        return is_on(value) if value else True

    def check(self) -> None:
        """Raise `Incompatible`, `BadPullPolicy`, `BadScale`."""
        self.image_options.check()
        parse_scales(self.scale)
        if self.force_recreate and self.no_recreate:
            raise Incompatible("--force-recreate", "--no-recreate")
        if self.always_recreate_deps and self.no_recreate:
            raise Incompatible("--always-recreate-deps", "--no-recreate")
        if self.abort_on_container_exit and self.abort_on_container_failure:
            raise Incompatible("--abort-on-container-failure", "--abort-on-container-exit")
        if self.attach and self.attach_dependencies:
            raise Incompatible("--attach", "--attach-dependencies")
        attaching = (
            "--abort-on-container-exit",
            "--abort-on-container-failure",
            "--attach",
            "--attach-dependencies",
            "--watch",
        )
        if self.abort_condition or self.attach or self.attach_dependencies or self.watch:
            if self.detach:
                raise Incompatible("--detach", *attaching)
            if self.wait:
                # docker compose has two sentences: the longer one names its newer options, too.
                names_all = self.watch or self.abort_on_container_failure
                others = attaching if names_all else (attaching[0], *attaching[2:4])
                raise Incompatible("--wait", *others)

    def to_up_options(self, project: "Project", options: ProjectOptions) -> "UpOptions":
        """Convert them for the reconciler."""
        from cntnr_compose.reconcile.up import UpOptions

        recreate: RecreatePolicy = "force" if self.force_recreate else "diverged"
        dependencies: RecreatePolicy = "force" if self.always_recreate_deps else "diverged"
        if self.no_recreate:
            recreate = dependencies = "never"
        return UpOptions(
            selected=self.services,
            recreate=recreate,
            recreate_dependencies=dependencies,
            scale=parse_scales(self.scale),
            start=not self.no_start,
            wait=self.wait,
            wait_timeout=self.wait_timeout,
            timeout=self.timeout,
            renew_anonymous=self.renew_anon_volumes,
            recreate_volumes=self.yes,
            remove_orphans=self.remove_orphans or is_variable_on(project, "COMPOSE_REMOVE_ORPHANS"),
            ignore_orphans=is_variable_on(project, "COMPOSE_IGNORE_ORPHANS"),
            dependencies=not self.no_deps,
            all_resources=options.all_resources,
            separator=options.name_separator(project),
        )

    def attached_services(self, project: "Project", selected: "Project") -> frozenset[str]:
        """Return the services whose output is shown.

        Raises `NotInUp`, `NoSuchService`.
        """
        for name in (*self.attach, self.exit_code_from):
            if name and name not in selected.services:
                project.service(name)
                raise NotInUp(name)
        names = set(self.attach or self.services or selected.services)
        if self.attach_dependencies:
            names |= set(selected.services)
        hidden = {name for name in names if not selected.services[name].attach} - set(self.attach)
        return frozenset(names - hidden - set(self.no_attach))
