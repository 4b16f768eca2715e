"""Find the folder of a bundle that a user names: one of the store by its name, or any folder by its path."""

import os
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, did_you_mean
from cntnr_compose.core.names import check_name
from cntnr_compose.core.values import Value

PATH_BEGINNINGS = ("/", "./", "../", "~")
CONFIG = "config.json"
ROOTFS = "rootfs"


class BundlePathInvalid(CntnrError):
    """A path cannot be that of a bundle: OCI runtimes pass it to hooks as JSON, which a shell reads."""

    hint = "choose a folder whose path has no quotes, backslashes and control characters"

    def __init__(self, path: str) -> None:
        super().__init__(f"cannot use {path!r} as the folder of a bundle")


class NoSuchBundle(CntnrError):
    """There is no bundle of the name or path."""

    def __init__(self, reference: str, known: list[str]) -> None:
        super().__init__(f"No such bundle: {reference}")
        self.hint = (
            did_you_mean(reference, known) or "`cntnr bundle ls` lists all; a path begins with ./"
        )


class BundlePlace(Value, frozen=True, kw_only=True):
    """Where a bundle is."""

    name: str
    path: Path
    is_custom: bool = False  # any folder of the user's

    @property
    def config(self) -> Path:
        """Return the path of config.json."""
        return self.path / CONFIG

    @property
    def rootfs(self) -> Path:
        """Return the folder of the root file system."""
        return self.path / ROOTFS

    @property
    def lock(self) -> Path:
        """Return the lock that is held while the bundle is changed, or its container lives."""
        return self.path / ".lock"


def is_path(reference: str) -> bool:
    """Tell whether a user means a folder, and not a name."""
    return reference in (".", "..") or reference.startswith(PATH_BEGINNINGS)


def locate(reference: str) -> BundlePlace:
    """Return the place of a bundle, whether it exists or not. Raises `NameInvalid`, `BundlePathInvalid`."""
    if not is_path(reference):
        check_name("bundle", reference)
        return BundlePlace(name=reference, path=paths.bundle_store() / reference)
    text = os.path.abspath(os.path.expanduser(reference))  # noqa: PTH100, PTH111 - links stay
    if not text.isprintable() or set(text) & set('"\\'):
        raise BundlePathInvalid(text)
    return BundlePlace(name=Path(text).name or "root", path=Path(text), is_custom=True)


def require(reference: str) -> BundlePlace:
    """Return the place of a bundle that exists. Raises `NoSuchBundle` and the errors of `locate`."""
    place = locate(reference)
    if not place.path.is_dir():
        raise NoSuchBundle(reference, [one.name for one in list_places()])
    return place


def list_places() -> list[BundlePlace]:
    """List the bundles of the store, by name."""
    try:
        names = sorted(os.listdir(paths.bundle_store()))  # noqa: PTH208 - names are what is needed
    except OSError:
        return []
    places = (BundlePlace(name=name, path=paths.bundle_store() / name) for name in names)
    return [place for place in places if place.path.is_dir() and not place.name.startswith(".")]
