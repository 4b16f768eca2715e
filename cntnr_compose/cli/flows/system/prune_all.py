"""Remove what nobody uses, one kind after the other, as `docker system prune`."""

import math
import sys

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.tables import format_size
from cntnr_compose.cli.flows.images import cache_reclaiming, reclaiming
from cntnr_compose.cli.flows.system import pruning
from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.images.storage.build_cache import prune_cache


def prune_everything(
    filters: pruning.Filters, until: Seconds, *, everything: bool, volumes: bool
) -> int:
    """Remove containers, volumes on request, networks, images and the build cache; return the exit code.

    What goes first sets the rest free: a container its networks, volumes and image.
    """
    code, size = pruning.prune_containers(pruning.stopped_containers(filters, until))
    if volumes:
        failed, freed = pruning.prune_volumes(pruning.unused_volumes(filters, named=False))
        code, size = code or failed, size + freed
    code = pruning.prune_networks(pruning.unused_networks(filters, until)) or code
    size += _prune_images(filters, until, everything=everything)
    if not {"label", "label!"}.intersection(filters):
        size += _prune_cache(until, everything=everything)
    stdout.print_line(f"Total reclaimed space: {format_size(size)}")
    return code


def _prune_images(filters: pruning.Filters, until: Seconds, *, everything: bool) -> Bytes:
    limits = [until] if until < math.inf else []
    collected = reclaiming.collect_unused(filters, limits, everything=everything)
    reclaiming.print_lines("Deleted Images:", reclaiming.removed_lines(collected))
    if collected.in_use:
        stdout.flush()
        sys.stderr.write(reclaiming.IN_USE)
    return collected.size


def _prune_cache(until: Seconds, *, everything: bool) -> Bytes:
    before = until if until < math.inf else None
    collected = prune_cache(before=before, shared_too=everything)
    lines = cache_reclaiming.removed_records(collected)
    reclaiming.print_lines("Deleted build cache objects:", lines)
    return collected.size
