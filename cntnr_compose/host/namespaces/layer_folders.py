"""Keep layers that were unpacked with one id apart from those with all ids: their files have other owners.

Layers are in their place (`paths.layers`) as long as holders have the ids that they were unpacked with; else
they wait beside it. Both can be unpacked again.
"""

from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.host import files


def of_all_ids() -> Path:
    """Return where layers with all owners wait; it exists while those of one id are in their place."""
    return paths.layers().with_name("layers-of-all-ids")


def of_one_id() -> Path:
    """Return where layers wait that were unpacked with one id."""
    return paths.layers().with_name("layers-of-one-id")


def choose_layers(*, one_id: bool) -> None:
    """Have the layers that fit a holder's ids in their place. Only while no holder runs.

    It may be killed at any moment: the next call completes it. Raises `HomeNotWritable`, `OSError`.
    """
    layers = paths.layers()
    if one_id:
        if not of_all_ids().exists():
            paths.make_data_folder(layers).rename(of_all_ids())
        if of_one_id().exists() and not layers.exists():
            of_one_id().rename(layers)
    elif of_all_ids().exists():
        if layers.exists():
            files.remove_tree(of_one_id())
            layers.rename(of_one_id())
        of_all_ids().rename(layers)
