"""Which services take part, and which resources they use."""

from collections.abc import Collection

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.frozen import Tree


def is_enabled(service: Tree, profiles: Collection[str]) -> bool:
    """Tell whether the profiles include a service; ``*`` includes all, and none is the empty one."""
    own = service.get("profiles")
    return not own or "*" in profiles or any(one in (profiles or ("",)) for one in own)


def split_by_profile(tree: Tree, profiles: Collection[str]) -> tuple[Tree, Tree]:
    """Divide the services of a tree into those that take part and the others."""
    services: Tree = tree.get("services") or {}
    enabled = {name: one for name, one in services.items() if is_enabled(one, profiles)}
    return enabled, {name: one for name, one in services.items() if name not in enabled}


def enable_services(
    enabled: Tree, disabled: Tree, names: Collection[str], profiles: Collection[str]
) -> tuple[Tree, Tree]:
    """Enable services that are asked for by name, and with them all of their profiles.

    Raises `NoSuchService`.
    """
    more = list(profiles)
    for name in names:
        if name in disabled:
            more += disabled[name]["profiles"]
        elif name not in enabled:
            raise NoSuchService(name)
    if len(more) == len(profiles):
        return enabled, disabled
    return split_by_profile({"services": dict(sorted((enabled | disabled).items()))}, more)


def remove_unused_resources(tree: Tree) -> None:
    """Leave out networks, volumes, configs, secrets and models that no service uses."""
    used: dict[str, set[str]] = {
        section: set() for section in ("networks", "volumes", "configs", "secrets", "models")
    }
    for service in tree.get("services", {}).values():
        used["networks"].update(service.get("networks") or ())
        used["models"].update(service.get("models") or ())
        for section in ("configs", "secrets"):
            used[section].update(one.get("source", "") for one in service.get(section) or ())
        build = service.get("build") or {}
        used["secrets"].update(one.get("source", "") for one in build.get("secrets") or ())
        used["volumes"].update(
            one.get("source", "")
            for one in service.get("volumes") or ()
            if one.get("type") == "volume"
        )
    for section, names in used.items():
        kept = {name: one for name, one in tree.get(section, {}).items() if name in names}
        if kept:
            tree[section] = kept
        else:
            tree.pop(section, None)
