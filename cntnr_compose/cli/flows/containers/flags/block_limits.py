"""Read the limits of block devices of a new container."""

from collections.abc import Iterable, Mapping
from typing import Any

from cntnr_compose.cli.flows.shared_arguments import BadOption
from cntnr_compose.core.frozen import Tree

MAX_WEIGHT = 1000
RATES = ("device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops")


def map_block_limits(flags: Mapping[str, Any]) -> Tree:
    """Return the keys of a service for the flags about block devices. Raises `BadOption`."""
    limits: Tree = {}
    if flags["blkio_weight"] is not None:
        limits["weight"] = _parse_weight("--blkio-weight", flags["blkio_weight"])
    if flags["blkio_weight_device"]:
        limits["weight_device"] = _pairs("blkio_weight_device", flags, "weight")
    for name in RATES:
        if flags[name]:
            limits[name] = _pairs(name, flags, "rate")
    return {"blkio_config": limits} if limits else {}


def _pairs(name: str, flags: Mapping[str, Any], key: str) -> list[Tree]:
    texts: Iterable[str] = flags[name]
    option = f"--{name.replace('_', '-')}"
    pairs = []
    for text in texts:
        path, _, number = text.rpartition(":")
        if not path.startswith("/dev/") or not number:
            raise BadOption(option, text, f"it should be /dev/NAME:{key.upper()}")
        value = _parse_weight(option, number) if key == "weight" else number
        pairs.append({"path": path, key: value})
    return pairs


def _parse_weight(option: str, text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_WEIGHT:
        raise BadOption(option, text, f"it is a number from 10 to {MAX_WEIGHT}")
    return int(text)
