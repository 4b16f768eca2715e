"""Read config.json of a bundle, whoever made it, and refuse what cannot be run before anything is."""

import os
import re
from pathlib import Path
from typing import Any, NoReturn

from cntnr_compose.bundles.place import CONFIG, BundlePlace
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, from_json
from cntnr_compose.host.openat2 import Root

MAX_SIZE = 16 << 20
NEWEST_VERSION = (1, 3)  # of the runtime specification
VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.\d{1,4}([-+].*)?")
LISTS_OF_OBJECTS = (
    ("mounts",), ("linux", "namespaces"), ("linux", "uidMappings"), ("linux", "gidMappings"),
    ("linux", "devices"), ("process", "rlimits"),
)  # fmt: skip
OBJECTS = (("process",), ("root",), ("linux",), ("hooks",), ("linux", "resources"))
HOOK_KINDS = (
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
)  # fmt: skip
INSIDE_HOOKS = ("startContainer",)  # whose program is one of the container


class BundleIncomplete(CntnrError):
    """A bundle has no config.json."""

    hint = "`cntnr bundle create --update` writes one; so does `runc spec`, in the folder"

    def __init__(self, place: BundlePlace) -> None:
        super().__init__(f"{place.path} is no bundle: it has no config.json")


class BundleTooNew(CntnrError):
    """config.json is of a later version of the specification."""

    def __init__(self, place: BundlePlace, version: str) -> None:
        newest = ".".join(map(str, NEWEST_VERSION))
        super().__init__(f"{place.config}: ociVersion {version} is newer than {newest}")
        self.hint = "use a later version of cntnr, or have the bundle written for an earlier one"


class BundleInvalid(CntnrError):
    """config.json cannot be used."""

    hint = "`cntnr bundle create --update` makes one of cntnr's anew; else ask whoever made it"

    def __init__(self, place: BundlePlace, why: str) -> None:
        super().__init__(f"{place.config}: {why}")


class HookMissing(CntnrError):
    """A program that config.json has as a hook is not there."""

    hint = "`cntnr bundle create --update` names today's `cntnr-hook`; else install the program"

    def __init__(self, place: BundlePlace, kind: str, path: str) -> None:
        super().__init__(f"{place.config}: the {kind} hook {path} is no program")


def read_config(place: BundlePlace) -> Tree:
    """Read and check config.json.

    Raises `BundleIncomplete`, `BundleTooNew`, `BundleInvalid`, `HookMissing`.
    """
    try:
        with Root(place.path) as root:
            text = root.read(CONFIG, MAX_SIZE)
    except (FileNotFoundError, NotADirectoryError):
        raise BundleIncomplete(place) from None
    except OSError as error:
        raise BundleInvalid(place, error.strerror or str(error)) from None
    try:
        tree = from_json(text, Any)
    except (ValueError, RecursionError) as error:
        why = f"it is torn, or no JSON: {error}"
        raise BundleInvalid(place, why) from None
    if not isinstance(tree, dict):
        raise BundleInvalid(place, "it is no JSON object")
    _check_version(place, tree)
    _check_types(place, tree)
    _check_process(place, tree)
    _check_root(place, tree)
    _check_hooks(place, tree)
    return tree


def _check_version(place: BundlePlace, tree: Tree) -> None:
    version = tree.get("ociVersion")
    match = VERSION.fullmatch(version) if isinstance(version, str) else None
    if match is None:
        raise BundleInvalid(place, "ociVersion has to be a version, such as 1.0.2")
    if (int(match[1]), int(match[2])) > NEWEST_VERSION:
        raise BundleTooNew(place, match[0])


def _find(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _check_types(place: BundlePlace, tree: Tree) -> None:
    """Check the types of what is read here; the runtime checks all else."""

    def fail(path: tuple[str, ...], kind: str) -> NoReturn:
        raise BundleInvalid(place, f"{'.'.join(path)} has to be {kind}")

    for path in OBJECTS:
        if not isinstance(_find(tree, path), dict | None):
            fail(path, "an object")
    for path in LISTS_OF_OBJECTS:
        entries = _find(tree, path)
        is_list = entries is None or isinstance(entries, list)
        if not is_list or not all(isinstance(entry, dict) for entry in entries or ()):
            fail(path, "a list of objects")
    for number, mount in enumerate(tree.get("mounts") or ()):
        texts = [mount.get(key, "") for key in ("destination", "source", "type")]
        options = mount.get("options") or []
        is_texts = isinstance(options, list) and all(isinstance(one, str) for one in options)
        if not is_texts or not all(isinstance(text, str) for text in texts) or not texts[0]:
            fail(("mounts", str(number)), "a mount: destination, source, type, options")


def _check_process(place: BundlePlace, tree: Tree) -> None:
    args = _find(tree, ("process", "args"))
    if not isinstance(args, list) or not args or not all(isinstance(word, str) for word in args):
        raise BundleInvalid(place, "process.args has to be the command, a list of words")


def _check_root(place: BundlePlace, tree: Tree) -> None:
    """Refuse a root file system that is not in the bundle, also by links."""
    path = _find(tree, ("root", "path"))
    if not isinstance(path, str) or not path or "\0" in path:
        raise BundleInvalid(place, "root.path has to be the folder of the root file system")
    base, real = os.path.realpath(place.path), os.path.realpath(place.path / path)
    if not real.startswith(f"{base}/"):
        raise BundleInvalid(place, f"root.path leads out of the bundle: {path}")
    if not Path(real).is_dir():
        raise BundleInvalid(place, f"root.path is no folder: {path}")


def _check_hooks(place: BundlePlace, tree: Tree) -> None:
    for kind, hook in list_hooks(tree):
        path = hook.get("path") if isinstance(hook, dict) else None
        if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
            raise BundleInvalid(place, f"hooks.{kind}: a hook has the absolute path of a program")
        is_inside = kind in INSIDE_HOOKS
        if not is_inside and not (os.access(path, os.X_OK) and Path(path).is_file()):
            raise HookMissing(place, kind, path)


def list_hooks(tree: Tree) -> list[tuple[str, Any]]:
    """List the hooks of a config with their kinds."""
    hooks = tree.get("hooks") or {}
    listed = ((kind, hooks.get(kind)) for kind in HOOK_KINDS)
    return [(kind, hook) for kind, each in listed if isinstance(each, list) for hook in each]
