"""Decide what `image rm` removes: names, images, nothing. Pure: docker's rules, over what is stored."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.naming.lookup import repository_of
from cntnr_compose.images.storage.decisions import needed_ids
from cntnr_compose.images.storage.model import Inventory, StoredImage
from cntnr_compose.model import image_name

SHORT = 12


class ReferenceInUse(CntnrError):
    """The last name of an image is to go, and a container was made of the image."""

    hint = "remove the container first; with --force the name goes, and the image stays until then"

    def __init__(self, name: str, container: str, image: str) -> None:
        super().__init__(
            f'conflict: unable to remove repository reference "{name}" (must force) - container '
            f"{container[:SHORT]} is using its referenced image {image}"
        )


class ImageInUse(CntnrError):
    """An image is to go by its id that something needs."""

    def __init__(self, image: str, why: str, *, hard: bool) -> None:
        force = "cannot be forced" if hard else "must be forced"
        super().__init__(f"conflict: unable to delete {image} ({force}) - {why}")
        self.hint = "" if hard else "--force takes its names, too"


class Request(NamedTuple):
    """What is to be removed: a name, or an image by its id."""

    text: str  # as the user wrote it
    ref: str  # '' where the image goes by its id
    id: str
    digests: Mapping[str, str] = {}  # of names: by which the registry knows the image


class ImageUser(NamedTuple):
    """A container that was made of an image, or has it mounted."""

    id: str
    running: bool


class Outcome(NamedTuple):
    """What becomes of a request: names that go, an image that goes, or an error."""

    untagged: tuple[StoredImage, ...] = ()
    deleted: tuple[StoredImage, ...] = ()  # the image, by each of its entries
    error: CntnrError | None = None


def decide_outcomes(
    inventory: Inventory,
    requests: Sequence[Request],
    users: Mapping[str, ImageUser],
    *,
    force: bool = False,
) -> list[Outcome]:
    """Decide what becomes of each request, one after the other."""
    images = list(inventory.images)
    needed = needed_ids(inventory)
    outcomes = []
    for request in requests:
        try:
            outcome = _decide(images, needed, request, users.get(request.id), force=force)
        except CntnrError as error:
            outcome = Outcome(error=error)
        gone = {(image.ref, image.manifest) for image in (*outcome.untagged, *outcome.deleted)}
        images = [image for image in images if (image.ref, image.manifest) not in gone]
        outcomes.append(outcome)
    return outcomes


def _decide(
    images: Sequence[StoredImage],
    needed: frozenset[str],
    request: Request,
    user: ImageUser | None,
    *,
    force: bool,
) -> Outcome:
    """Decide what becomes of one request. Raises `NoSuchImage`, `ReferenceInUse`, `ImageInUse`."""
    same = [image for image in images if image.id == request.id]
    if request.ref and all(image.ref != request.ref for image in same):
        raise NoSuchImage(request.text)  # another command was faster
    if not same:
        raise NoSuchImage(request.text)
    named = [image for image in same if image.ref]
    going = _going_with(named, request.ref) if request.ref else named
    if len(going) < len(named):
        return Outcome(untagged=tuple(going))
    if request.ref and user is not None and not force:
        raise ReferenceInUse(request.text, user.id, _short(request.id))
    if not request.ref:
        _check_id(request, [image.ref for image in named], user, force=force)
    if request.id in needed:  # by a container, or a build or pull under way
        return Outcome(untagged=tuple(going))
    return Outcome(untagged=tuple(going), deleted=tuple(same))


def _going_with(named: Iterable[StoredImage], ref: str) -> list[StoredImage]:
    """Return what goes with a name: also digests of its repository, where that has no other tag."""
    repository = repository_of(ref)
    others = [
        image for image in named if image.ref != ref and repository_of(image.ref) == repository
    ]
    going = [image for image in named if image.ref == ref]
    if "@" not in ref and all("@" in image.ref for image in others):
        going += others
    return going


def _check_id(
    request: Request, refs: Sequence[str], user: ImageUser | None, *, force: bool
) -> None:
    """Check that an image may go by its id. Raises `ImageInUse`."""
    name = _short(request.id)
    if user is not None and user.running:
        why = f"image is being used by running container {user.id[:SHORT]}"
        raise ImageInUse(name, why, hard=True)
    if not force and not is_single(refs):
        raise ImageInUse(name, "image is referenced in multiple repositories", hard=False)
    if not force and user is not None:
        why = f"image is being used by stopped container {user.id[:SHORT]}"
        raise ImageInUse(name, why, hard=False)


def is_single(refs: Sequence[str]) -> bool:
    """Tell whether names are at most one tag, and digests of its repository."""
    tags = [ref for ref in refs if "@" not in ref]
    return len(tags) <= 1 and len({repository_of(ref) for ref in refs}) <= 1


def lines_of(outcome: Outcome, request: Request, kept: Iterable[StoredImage]) -> list[str]:
    """Return the lines that docker prints of a removal; images that are ``kept`` share layers."""
    kept = list(kept)
    lines = [f"Untagged: {image_name.familiar(image.ref)}" for image in outcome.untagged]
    repositories = {repository_of(image.ref) for image in kept if image.id == request.id}
    for image in outcome.untagged:
        repository, digest = repository_of(image.ref), request.digests.get(image.ref, "")
        if digest and "@" not in image.ref and repository not in repositories:
            lines.append(f"Untagged: {image_name.familiar(repository)}@{digest}")
    if outcome.deleted:
        lines.append(f"Deleted: {request.id}")
        shared = {folder for image in kept for folder in image.folders}
        chains = outcome.deleted[0].folders - shared
        lines += [f"Deleted: sha256:{name[2:]}" for name in sorted(chains) if name[:2] == "c-"]
    return lines


def _short(identity: str) -> str:
    return identity.removeprefix("sha256:")[:SHORT]
