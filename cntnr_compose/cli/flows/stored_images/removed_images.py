"""Remove names and images, and free what no image needs any more."""

from collections.abc import Sequence

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.flows.resource_lists import print_error
from cntnr_compose.cli.flows.stored_images.removal_rules import (
    ImageUser,
    Outcome,
    Request,
    decide_outcomes,
    lines_of,
)
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.images.errors import ImageReadOnly, NoSuchImage
from cntnr_compose.images.naming.lookup import (
    check_platform,
    find_image,
    no_such_image,
    repository_of,
)
from cntnr_compose.images.naming.names import note_digest, untag
from cntnr_compose.images.storage.collector import Decision, collect
from cntnr_compose.images.storage.decisions import decide_removal
from cntnr_compose.images.storage.model import Inventory
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image


def remove_images(names: Sequence[str], platforms: Sequence[str], *, force: bool) -> int:
    """Remove what is named, print docker's lines, and return the exit code; errors follow.

    With ``force``, what is not there is no failure. Raises what `collect` raises.
    """
    store = ImageStore()
    removal = ImageRemoval(store, force=force)
    for name in names:
        removal.request(name, platforms)
    try:
        removal.carry_out()
    finally:
        stdout.write("".join(f"{line}\n" for line in removal.lines))
        for error in removal.errors:
            print_error(str(error), error.hint)
    missing = (NoSuchImage,) if force else ()
    return 1 if any(not isinstance(error, missing) for error in removal.errors) else 0


class ImageRemoval:
    """One call of `image rm`: what was asked for, what became of it."""

    def __init__(self, store: ImageStore, *, force: bool) -> None:
        self._store, self._force = store, force
        self._requests: list[Request] = []
        self.lines: list[str] = []
        self.errors: list[CntnrError] = []

    def request(self, name: str, platforms: Sequence[str]) -> None:
        """Look up what a name means."""
        try:
            chosen = find_image(self._store, name)
            for platform in platforms:
                check_platform(self._store, chosen.image, name, platform)
        except NoSuchImage as error:
            self._untag_damaged(name, error)
        except CntnrError as error:
            self.errors.append(error)
        else:
            ref = chosen.image.ref if chosen.by_name else ""
            if ref and "@" in name and "@" not in ref:
                self._forget_digest(name, chosen.image)
                return
            images = [image for image in self._store.own_images() if image.id == chosen.image.id]
            if chosen.image.store and all(ref and image.ref != ref for image in images):
                self.errors.append(ImageReadOnly(name, chosen.image.store))
                return
            digests = {image.ref: image.digest for image in images if image.digest}
            self._requests.append(Request(name, ref, chosen.image.id, digests))

    def _forget_digest(self, name: str, image: Image) -> None:
        """Forget by which digest a registry knows an image; its tag stays, as in docker."""
        digest = name.partition("@")[2]
        if digest != image.digest or image.store:
            self.errors.append(no_such_image(self._store, name))
            return
        note_digest(self._store, image.ref, "")
        self.lines.append(f"Untagged: {image_name.familiar(repository_of(image.ref))}@{digest}")

    def _untag_damaged(self, name: str, error: NoSuchImage) -> None:
        """Take the name of an image away whose files cannot be read; nothing else is known of it."""
        ref = image_name.normalize(name)
        try:
            untag(self._store, ref)
        except CntnrError:
            self.errors.append(error)
        else:
            self.lines.append(f"Untagged: {image_name.familiar(ref)}")

    def carry_out(self) -> None:
        """Remove what was requested, and free what nothing needs any more."""
        if self._requests:
            users = image_users()
            collect(lambda inventory: self._decide(inventory, users), store=self._store)

    def _decide(self, inventory: Inventory, users: dict[str, ImageUser]) -> Decision:
        outcomes = decide_outcomes(inventory, self._requests, users, force=self._force)
        gone: set[tuple[str, str]] = set()
        for request, outcome in zip(self._requests, outcomes, strict=True):
            gone |= _keys(outcome)
            kept = [one for one in inventory.images if (one.ref, one.manifest) not in gone]
            self.lines += lines_of(outcome, request, [*kept, *inventory.unnamed])
            if outcome.error is not None:
                error = outcome.error
                is_missing = isinstance(error, NoSuchImage)
                self.errors.append(
                    no_such_image(self._store, request.text) if is_missing else error
                )
        deleted = [image for outcome in outcomes for image in outcome.deleted]
        untagged = [image for outcome in outcomes for image in outcome.untagged]
        names = tuple(image for image in untagged if image not in deleted)
        return Decision(decide_removal(inventory, deleted), names)


def _keys(outcome: Outcome) -> set[tuple[str, str]]:
    return {(image.ref, image.manifest) for image in (*outcome.untagged, *outcome.deleted)}


def image_users() -> dict[str, ImageUser]:
    """Return a container for each image that one needs; one that runs, where there is such a one."""
    from cntnr_compose.client.resources import list_containers

    users: dict[str, ImageUser] = {}
    store = ImageStore()
    for container in list_containers():
        user = ImageUser(container.record.id, container.is_running)
        sources = [mount.source for mount in container.record.mounts if mount.type == "image"]
        images = [store.find(source) for source in sources]
        for identity in (container.record.image_id, *(image.id for image in images if image)):
            if identity not in users or user.running:
                users[identity] = user
    return users
