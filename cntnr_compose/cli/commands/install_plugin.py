"""`cntnr install-plugin`: have `docker compose`, and `docker-compose` if asked, answered by cntnr."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag
from cntnr_compose.cli.parser.program_name import DOCKER_COMPOSE, FOLLOWED_VERSION
from cntnr_compose.core.errors import CntnrError

PROGRAM = "cntnr"
# docker takes each file named docker-* in its folder for a plugin.
SAVED_PREFIX = ".before-cntnr."


class ForeignFile(CntnrError):
    """Something else is where a link is to be."""

    def __init__(self, path: Path, *, is_folder: bool) -> None:
        what = "a folder" if is_folder else "another program"
        super().__init__(f"cannot link {path}: {what} is there")
        self.hint = (
            "move it away" if is_folder else "--force puts it aside, and --remove puts it back"
        )


class NoProgram(CntnrError):
    """The file of the command is not known."""

    hint = "run it by its path, as ~/.local/bin/cntnr install-plugin"

    def __init__(self) -> None:
        super().__init__("cannot find the file of the command cntnr")


class LinkFailed(CntnrError):
    """A link cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot change {path}: {(error.strerror or str(error)).lower()}")
        self.hint = f"{path.parent} has to be a folder that you may write to"


@command(of_project=False)
@flag("--docker-compose", "standalone", help="Also the command docker-compose, in ~/.local/bin.")
@flag("--force", help="Put aside what is there under these names.")
@flag("--remove", help="Take the links away, and put back what was there before.")
def install_plugin(*, standalone: bool, force: bool, remove: bool) -> None:
    """Have `docker compose` answered by cntnr, as a plugin of the docker command.

    It links cli-plugins/docker-compose, in ~/.docker or $DOCKER_CONFIG, to this command. Nothing else of
    docker is changed, and no daemon is needed for it.
    """
    places = [plugin_folder() / DOCKER_COMPOSE]
    if standalone or remove:
        places.append(Path.home() / ".local/bin" / DOCKER_COMPOSE)
    for path in places:
        try:
            lines = remove_link(path) if remove else [install_link(path, force=force)]
        except OSError as error:
            raise LinkFailed(path, error) from error
        for line in lines:
            stdout.print_line(line)
    if remove or not standalone:
        return
    if str(places[1].parent) not in os.environ.get("PATH", "").split(os.pathsep):
        stdout.print_line(f"{places[1].parent} is not in PATH: add it to have `docker-compose`")


def plugin_folder() -> Path:
    """Return docker's folder for the user's plugins."""
    config = os.environ.get("DOCKER_CONFIG", "")
    return (Path(config).absolute() if config else Path.home() / ".docker") / "cli-plugins"


def program_file() -> Path:
    """Return the file of the command `cntnr`. Raises `NoProgram`."""
    called = Path(os.path.abspath(sys.argv[0]))  # noqa: PTH100 - a link is kept: pipx moves its target
    if called.name != PROGRAM and called.is_symlink():
        called = called.resolve()
    candidates = [called, Path(sys.executable).with_name(PROGRAM)]
    in_path = shutil.which(PROGRAM)
    if in_path:
        candidates.append(Path(in_path).absolute())
    for path in candidates:
        if path.name == PROGRAM and path.is_file() and os.access(path, os.X_OK):
            return path
    raise NoProgram


def install_link(path: Path, *, force: bool) -> str:
    """Link a path to the command, and return what was done. Raises `ForeignFile`, `NoProgram`."""
    target = program_file()
    aside = ""
    if is_own_link(path):
        if path.readlink() == target:
            return f"{path} is linked to {target} already"
    elif os.path.lexists(path):
        is_folder = path.is_dir() and not path.is_symlink()
        if is_folder or not force:
            raise ForeignFile(path, is_folder=is_folder)
        path.rename(saved(path))
        aside = f"; what was there is now {saved(path)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{SAVED_PREFIX}new.{os.getpid()}")
    try:
        new.symlink_to(target)
        new.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    return f"linked {path} to {target}{aside}"


def remove_link(path: Path) -> list[str]:
    """Remove a link to the command and put back what was there before; return what was done."""
    if not is_own_link(path):
        return []
    path.unlink()
    if not os.path.lexists(saved(path)):
        return [f"removed {path}"]
    saved(path).rename(path)
    return [f"removed {path}, and put back what was there before"]


def is_own_link(path: Path) -> bool:
    """Tell whether a path is a link to a command `cntnr`, whether that still exists or not."""
    return path.is_symlink() and path.readlink().name == PROGRAM


def saved(path: Path) -> Path:
    """Return where a file is put aside."""
    return path.with_name(SAVED_PREFIX + path.name)


@command(of_project=False)
def metadata() -> None:
    """Describe the plugin to docker."""
    from cntnr_compose import __version__

    # Programs that need a feature look at the version; it is that of `docker compose version`.
    description = f"Compose files without root and daemon (cntnr v{__version__})"
    values = {"SchemaVersion": "0.1.0", "Vendor": "cntnr", "Version": f"v{FOLLOWED_VERSION}"}
    pairs = {**values, "ShortDescription": description}.items()
    stdout.print_line("{" + ",".join(f'"{name}":"{value}"' for name, value in pairs) + "}")
