"""Write the keys of steps into the configuration of an image, and read them: a cache that can be copied."""

from collections.abc import Sequence
from typing import Any

from cntnr_compose.builder.request import ImportedStep
from cntnr_compose.core.values import Seconds, Tree, Value, from_json, from_tree
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Descriptor

KEY = "cntnr.build-cache"  # of the configuration


class KeptStep(Value, frozen=True, kw_only=True):
    """One step: its key, and the number of its layer in the image; -1 where nothing changed."""

    key: str
    layer: int = -1
    created: Seconds = 0


class KeptSteps(Value, frozen=True, kw_only=True):
    """The steps that an image tells of."""

    version: int = 1
    steps: tuple[KeptStep, ...] = ()


def describe_steps(steps: Sequence[KeptStep]) -> Tree:
    """Return what goes into the configuration."""
    listed = [{"key": step.key, "layer": step.layer, "created": step.created} for step in steps]
    return {KEY: {"version": 1, "steps": listed}}


def read_steps(store: ImageStore, manifest: Descriptor) -> dict[str, ImportedStep]:
    """Read the steps of an image by their keys; none where it tells of none.

    Raises `ValueError`, `OSError`.
    """
    written = store.read_manifest(manifest.digest)
    config = from_json(store.blob_path(written.config.digest).read_bytes(), dict[str, Any])
    if KEY not in config:
        return {}
    diff_ids = (config.get("rootfs") or {}).get("diff_ids") or []
    steps = {}
    for step in from_tree(config[KEY], KeptSteps).steps:
        if step.layer < 0:
            steps[step.key] = ImportedStep(created=step.created)
        elif step.layer < min(len(written.layers), len(diff_ids)):
            layer, diff_id = written.layers[step.layer], str(diff_ids[step.layer])
            steps[step.key] = ImportedStep(layer=layer, diff_id=diff_id, created=step.created)
    return steps
