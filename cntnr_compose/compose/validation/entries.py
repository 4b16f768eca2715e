"""Check single entries of a canonical tree, whatever refers to them."""

from collections.abc import Iterator
from typing import Any

from cntnr_compose.compose.basics.diagnostics import Diagnostic, Path
from cntnr_compose.core.frozen import Tree

SOURCE_KEYS = {"configs": ("file", "environment", "content"), "secrets": ("file", "environment")}


def check_entries(tree: Tree) -> list[Diagnostic]:
    """Check volumes, configs, secrets, ports, mounts, watch rules and devices."""
    return list(dict.fromkeys(_check(tree)))


def _check(tree: Tree) -> Iterator[Diagnostic]:
    yield from _volumes(tree)
    for section in SOURCE_KEYS:
        yield from _sources(tree, section)
    for name, service in (tree.get("services") or {}).items():
        path: Path = ("services", name)
        yield from _ports(service, path)
        yield from _mounts(service, path)
        yield from _watch(service, path)
        yield from _devices(service, path)


def _volumes(tree: Tree) -> Iterator[Diagnostic]:
    for name, volume in (tree.get("volumes") or {}).items():
        if not volume or volume.get("external") is not True:
            continue
        for key in volume:
            if key not in ("name", "external") and not key.startswith("x-"):
                text = f'conflicting parameters "external" and "{key}" specified'
                yield Diagnostic(path=("volumes", name, key), message=text)


def _sources(tree: Tree, section: str) -> Iterator[Diagnostic]:
    keys = SOURCE_KEYS[section]
    for name, resource in (tree.get(section) or {}).items():
        present = [key for key in keys if key in resource]
        path: Path = (section, name)
        if len(present) > 1:
            text = f"{'|'.join(keys)} attributes are mutually exclusive"
            yield Diagnostic(path=path, message=text, hint=f"found {' and '.join(present)}")
        elif not present and "driver" not in resource and "external" not in resource:
            yield Diagnostic(path=path, message=f"one of {'|'.join(keys)} must be set")


def _ports(service: Tree, path: Path) -> Iterator[Diagnostic]:
    for index, port in _mappings(service.get("ports")):
        host = port.get("host_ip")
        if port.get("target") is None:
            yield Diagnostic(path=(*path, "ports", index), message="is missing a target port")
        if host is not None and not _is_address(host):
            text = f"invalid ip address: {host}"
            yield Diagnostic(path=(*path, "ports", index, "host_ip"), message=text)


def _is_address(text: str) -> bool:
    if text in ("0.0.0.0", "127.0.0.1", "::"):
        return True
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # no zones: a port cannot be published on such an address


def _mounts(service: Tree, path: Path) -> Iterator[Diagnostic]:
    for index, mount in _mappings(service.get("volumes")):
        if mount.get("target") is None:
            text = "service volume is missing a mount target"
            yield Diagnostic(path=(*path, "volumes", index), message=text)
        if mount.get("type") == "bind" and "source" not in mount:
            text = 'invalid mount config for type "bind": field Source must not be empty'
            yield Diagnostic(path=(*path, "volumes", index), message=text)


def _watch(service: Tree, path: Path) -> Iterator[Diagnostic]:
    for index, rule in _mappings((service.get("develop") or {}).get("watch")):
        if rule.get("path") == "":
            below = (*path, "develop", "watch", index, "path")
            yield Diagnostic(path=below, message="value can't be blank")


def _devices(service: Tree, path: Path) -> Iterator[Diagnostic]:
    resources = (service.get("deploy") or {}).get("resources") or {}
    reserved = (resources.get("reservations") or {}).get("devices")
    of_deploy = ("deploy", "resources", "reservations", "devices")
    for below, requests in ((("gpus",), service.get("gpus")), (of_deploy, reserved)):
        for index, request in _mappings(requests):
            if "count" in request and request.get("device_ids"):
                text = '"count" and "device_ids" attributes are exclusive'
                yield Diagnostic(path=(*path, *below, index), message=text)


def _mappings(items: Any) -> Iterator[tuple[int, Tree]]:
    """Iterate over the items that are mappings; others are reported when they are decoded."""
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield index, item
