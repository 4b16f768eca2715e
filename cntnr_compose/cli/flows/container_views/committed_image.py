"""Make the operation that `commit` asks for of its options."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Record
    from cntnr_compose.model.plan import CommitContainer


def commit_operation(
    record: "Record", repository: str, values: Mapping[str, Any], *, keeps_unchanged: bool
) -> "CommitContainer":
    """Return the operation that makes an image of a container.

    Where it ``keeps_unchanged`` and neither files nor settings are to change, the image is the container's.
    Raises `ImageNameInvalid`, `ChangeInvalid`, `DockerfileInvalid`.
    """
    from cntnr_compose.cli.flows.images.committed_config import committed_config
    from cntnr_compose.model.plan import CommitContainer

    has_settings = any(values[name] for name in ("author", "change", "message"))
    return CommitContainer(
        name=record.name,
        config=committed_config(record, values["change"]),
        reference=_full_name(repository) if repository else "",
        author=values["author"],
        comment=values["message"],
        pause=values["pause"],
        keeps_unchanged=keeps_unchanged and not has_settings,
    )


def _full_name(name: str) -> str:
    """Return the full name for a new image. Raises `ImageNameInvalid`."""
    from cntnr_compose.model import image_name

    parsed = image_name.parse(name)
    if parsed.digest:
        raise image_name.ImageNameInvalid(name, "the new image has a digest of its own")
    return str(parsed)
