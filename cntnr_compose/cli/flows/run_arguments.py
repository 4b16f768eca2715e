"""Options of `run`: check them, convert them to `RunOptions` of the reconciler."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cntnr_compose.cli.flows.shared_arguments import BadOption, ImageOptions, Incompatible
from cntnr_compose.cli.project.options import current_directory, is_variable_on
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.names import invalid_reason

if TYPE_CHECKING:
    from cntnr_compose.model.project import Project
    from cntnr_compose.model.service import Mount, Port
    from cntnr_compose.reconcile.one_off import RunOptions


class NoTerminal(CntnrError):
    """A terminal is requested, but standard input is none."""

    hint = "leave --tty away, or run it in a terminal"

    def __init__(self) -> None:
        super().__init__("cannot make a terminal: the input device is not a TTY")


class RunArguments(Frozen):
    """The options of `run`."""

    service: str
    command: tuple[str, ...] = ()
    build: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    detach: bool = False
    entrypoint: str | None = None
    env: tuple[str, ...] = ()
    env_from_file: tuple[str, ...] = ()
    interactive: bool = True
    label: tuple[str, ...] = ()
    name: str = ""
    no_deps: bool = False
    no_tty: bool = False
    publish: tuple[str, ...] = ()
    pull: str = "policy"
    quiet: bool = False
    quiet_build: bool = False
    quiet_pull: bool = False
    remove_orphans: bool = False
    rm: bool = False
    service_ports: bool = False
    tty: bool = False
    use_aliases: bool = False
    user: str = ""
    volume: tuple[str, ...] = ()
    workdir: str = ""

    @property
    def image_options(self) -> ImageOptions:
        """Return the options of pulls and builds."""
        return ImageOptions(
            build=self.build,
            pull=self.pull,
            quiet_pull=self.quiet_pull,
            quiet_build=self.quiet_build,
        )

    @property
    def has_terminal(self) -> bool:
        """Tell whether the container gets a terminal: where ours is one, unless with ``--no-tty``."""
        return not self.no_tty and sys.stdin.isatty() and sys.stdout.isatty()

    def check(self) -> None:
        """Raise `Incompatible`, `BadPullPolicy`, `BadOption`, `NoTerminal`."""
        self.image_options.check()
        if self.name and (why := invalid_reason("container", self.name)):
            raise BadOption("--name", self.name, why)
        if self.service_ports and self.publish:
            raise Incompatible("--service-ports", "--publish")
        if self.tty and self.interactive and not self.detach and not sys.stdin.isatty():
            raise NoTerminal

    def to_run_options(self, project: "Project") -> "RunOptions":
        """Convert them for the reconciler.

        Raises `BadOption`, and the errors of reading env files.
        """
        from cntnr_compose.reconcile.one_off import RunOptions

        return RunOptions(
            service=self.service,
            slug=os.urandom(32).hex(),
            command=self.command,
            entrypoint=self._parse_entrypoint(),
            environment=self._parse_environment(os.environ),
            labels=dict(_parse_label(text) for text in self.label),
            user=self.user,
            working_dir=self.workdir,
            volumes=tuple(_parse_mount(text) for text in self.volume),
            ports=tuple(port for text in self.publish for port in _parse_ports(text)),
            service_ports=self.service_ports,
            cap_add=self.cap_add,
            cap_drop=self.cap_drop,
            tty=self.has_terminal,
            interactive=self.interactive,
            name=self.name,
            auto_remove=self.rm,
            use_aliases=self.use_aliases,
            dependencies=not self.no_deps,
            remove_orphans=self.remove_orphans or is_variable_on(project, "COMPOSE_REMOVE_ORPHANS"),
            ignore_orphans=is_variable_on(project, "COMPOSE_IGNORE_ORPHANS"),
        )

    def _parse_entrypoint(self) -> tuple[str, ...] | None:
        if self.entrypoint is None:
            return None
        from cntnr_compose.compose.decode.shell_words import InvalidCommandLine, split_command

        try:
            return tuple(split_command(self.entrypoint))
        except InvalidCommandLine as error:
            raise BadOption("--entrypoint", self.entrypoint, str(error)) from None

    def _parse_environment(self, environ: Mapping[str, str]) -> dict[str, str | None]:
        """Parse the variables; a name alone has its value in ``environ``, or is unset without one."""
        from cntnr_compose.compose.files.reading import read_env_file

        variables: dict[str, str | None] = {}
        for path in self.env_from_file:
            variables |= read_env_file(os.path.join(current_directory(), path), environ)  # noqa: PTH118
        for text in self.env:
            name, equals, value = text.partition("=")
            variables[name] = value if equals else environ.get(name)
        return variables


def _parse_label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise BadOption("--label", text, "it should be NAME=VALUE")
    return name, value


def _parse_mount(text: str) -> "Mount":
    from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
    from cntnr_compose.compose.transform.volume_syntax import parse_volume
    from cntnr_compose.core.values import from_tree, replace
    from cntnr_compose.model.service import Mount

    try:
        mount = from_tree(parse_volume(text), Mount)
    except ComposeFileInvalid as error:
        raise BadOption("--volume", text, str(error)) from None
    if mount.type == "bind":
        source = os.path.expanduser(mount.source)  # noqa: PTH111
        return replace(mount, source=os.path.normpath(os.path.join(current_directory(), source)))  # noqa: PTH118
    if mount.type == "volume" and mount.source and (why := invalid_reason("volume", mount.source)):
        hint = "a folder begins with / or ./, and a volume is one word"
        raise BadOption("--volume", text, f"{hint}: {why}")
    return mount


def _parse_ports(text: str) -> "list[Port]":
    from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
    from cntnr_compose.compose.transform.port_syntax import parse_ports
    from cntnr_compose.core.values import from_tree
    from cntnr_compose.model.service import Port

    try:
        return [from_tree(tree, Port) for tree in parse_ports(text)]
    except ComposeFileInvalid as error:
        raise BadOption("--publish", text, str(error)) from None
