"""Run a bundle, also one that others made, in the foreground by an OCI runtime itself."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

if TYPE_CHECKING:
    from cntnr_compose.bundles.place import BundlePlace
    from cntnr_compose.core.values import Tree

STATE_FOLDER = "bundle-state"  # in the runtime folder: `runc --root`
NOT_STARTED = 125  # exit code, as docker's, where the runtime did not start the program
CRUN_OPTIONS = ("--cgroup-manager=disabled",)  # an ordinary user's has none
NO_NEW_KEYRING, NO_PIVOT = "--no-new-keyring", "--no-pivot"


class BundleRunOptions(Frozen):
    """How a bundle is run."""

    interactive: bool = False
    container: str = ""  # id of the container; empty: the bundle's name
    runtime: str = ""
    no_new_keyring: bool = False
    no_pivot: bool = False


class ContainerIdInvalid(CntnrError):
    """A text cannot be the id of a container."""

    exit_code = NOT_STARTED

    def __init__(self, text: str) -> None:
        super().__init__(f"cannot name a container {text!r}: letters, digits and _ . - are allowed")


def run_bundle(reference: str, options: BundleRunOptions) -> int:
    """Run a bundle to its end, locked meanwhile; return the exit code of its program."""
    try:
        return _run_locked(reference, options)
    except CntnrError as error:
        error.exit_code = NOT_STARTED if error.exit_code == 1 else error.exit_code
        raise


def _run_locked(reference: str, options: BundleRunOptions) -> int:
    from cntnr_compose.bundles import adapt, check, record
    from cntnr_compose.bundles.place import require
    from cntnr_compose.host.namespaces import subids

    place = require(reference)
    config = check.read_config(place)
    machine = adapt.Machine(
        is_root=os.getuid() == 0,
        rows={"uid": subids.list_own_ids("uid"), "gid": subids.list_own_ids("gid")},
        has_terminal=sys.stdin.isatty() and sys.stdout.isatty(),
    )
    adapted, notes = adapt.adapt(place, config, machine)
    # A folder may be anybody's, whatever files are in it; the store has what `create` has written.
    for text in notes if place.is_custom else ():
        sys.stderr.write(f"bundle {place.name}: {text}\n")
    with record.lock(place) as lock, _folder(place, config, adapted) as folder:
        record.mark_used(place)
        return _run(place, folder, options, lock=lock, reads=adapted["process"].get("terminal"))


@contextlib.contextmanager
def _folder(place: "BundlePlace", config: "Tree", adapted: "Tree") -> Iterator[Path]:
    """Yield the folder to run: the bundle's, or another one that has a changed config.json alone."""
    if adapted == config:
        yield place.path
        return
    import tempfile

    from cntnr_compose.bundles.adapt import locate_sources
    from cntnr_compose.core import paths
    from cntnr_compose.core.values import to_json
    from cntnr_compose.host import files

    with tempfile.TemporaryDirectory(prefix="bundle-", dir=paths.secure_runtime()) as name:
        files.write_atomic(Path(name, "config.json"), to_json(locate_sources(place, adapted)))
        yield Path(name)


def _run(
    place: "BundlePlace", folder: Path, options: BundleRunOptions, *, lock: int, reads: bool
) -> int:
    from cntnr_compose.containers.runtime import oci_runtime
    from cntnr_compose.core import paths
    from cntnr_compose.core.oci_runtimes import CRUN
    from cntnr_compose.host import process
    from cntnr_compose.host.children.foreground import SignalForwarder

    runtime = oci_runtime.find_runtime(oci_runtime.choose_name(options.runtime))
    identity = options.container or _default_id(place.name)
    if not identity or set(identity) - ID_CHARACTERS or identity in (".", ".."):
        raise ContainerIdInvalid(identity)
    state = paths.secure_runtime() / STATE_FOLDER
    pid_file, log = state / f".{identity}.pid", state / f".{identity}.log"
    state.mkdir(mode=0o700, exist_ok=True)
    own = CRUN_OPTIONS if runtime.kind == CRUN and os.getuid() else ()
    argv = [runtime.program, *own, "--root", str(state)]
    words = ["--log", str(log), "run", "--bundle", str(folder), "--pid-file", str(pid_file)]
    words += [NO_NEW_KEYRING] if options.no_new_keyring else []
    words += [NO_PIVOT] if options.no_pivot else []
    with contextlib.ExitStack() as undo, SignalForwarder() as signals:
        undo.callback(_clean_up, argv, identity, pid_file, log)
        null = None if options.interactive or reads else os.open(os.devnull, os.O_RDONLY)
        if null is not None:
            undo.callback(os.close, null)
        env = {**os.environ, "PATH": process.search_path()}
        child = process.popen([*argv, *words, identity], env=env, stdin=null, pass_fds=(lock,))
        signals.set_child(child)
        code = child.wait()
        if not pid_file.exists():
            raise _failure(place.name, log)
    return code if code >= 0 else 128 - code


def _failure(name: str, log: Path) -> CntnrError:
    """Make the error of a program that the runtime did not start; the runtime has told why, too."""
    from cntnr_compose.containers.runtime.runc import ContainerFailed, extract_cause

    return ContainerFailed(
        name, extract_cause(log.read_text(errors="replace") if log.exists() else "")
    )


def _clean_up(runtime: list[str], identity: str, pid_file: Path, log: Path) -> None:
    """Delete what a runtime that was killed has left, hooks included."""
    from cntnr_compose.host import process

    if (pid_file.parent / identity).exists():
        process.run([*runtime, "delete", "--force", identity], ok=range(-64, 256), timeout=60)
    for file in (pid_file, log):
        file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        pid_file.parent.rmdir()


def _default_id(name: str) -> str:
    text = "".join(letter if letter in ID_CHARACTERS else "_" for letter in name)
    return text[:200]


ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
