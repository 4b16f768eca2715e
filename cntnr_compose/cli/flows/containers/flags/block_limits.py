"""Read the limits of block devices of a new container."""

from collections.abc import Iterable, Mapping
from typing import Any

from cntnr_compose.cli.flows.run_arguments import BadOption
from cntnr_compose.core.frozen import Tree

RATES = ("device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops")


def map_block_limits(flags: Mapping[str, Any]) -> Tree:
    """Return the keys of a service for the flags about block devices. Raises `BadOption`."""
    limits: Tree = {}
    if flags["blkio_weight"] is not None:
        limits["weight"] = _parse_weight("--blkio-weight", flags["blkio_weight"])
    if flags["blkio_weight_device"]:
        limits["weight_device"] = [
            pair | {"weight": _parse_weight("--blkio-weight-device", pair["weight"])}
            for pair in _pairs("blkio_weight_device", flags, "weight")
        ]
    for name in RATES:
        if flags[name]:
            limits[name] = _pairs(name, flags, "rate")
    return {"blkio_config": limits} if limits else {}


def _parse_weight(flag: str, text: str) -> int:
    if not text.isdecimal():
        raise BadOption(flag, text, "a weight is a number from 10 to 1000")
    return int(text)


def _pairs(name: str, flags: Mapping[str, Any], key: str) -> list[Tree]:
    texts: Iterable[str] = flags[name]
    pairs = []
    for text in texts:
        path, _, number = text.rpartition(":")
        if not path.startswith("/dev/") or not number:
            raise BadOption(
                f"--{name.replace('_', '-')}", text, f"it should be /dev/NAME:{key.upper()}"
            )
        pairs.append({"path": path, key: number})
    return pairs
