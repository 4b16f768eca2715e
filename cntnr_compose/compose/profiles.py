"""Profiles: which services take part in a project, and which resources these use."""

from collections.abc import Collection, Mapping

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.frozen import Tree


def requested_profiles(options: tuple[str, ...], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the profiles of the options, else those of COMPOSE_PROFILES: without either, the profile ""."""
    if options:
        return options
    return tuple(word.strip() for word in environment.get("COMPOSE_PROFILES", "").split(","))


def is_enabled(service: Tree, profiles: Collection[str]) -> bool:
    """Return whether profiles enable a service; ``*`` enables all, and no profiles are the profile ""."""
    own = service.get("profiles")
    return not own or "*" in profiles or any(one in (profiles or ("",)) for one in own)


def split_by_profile(tree: Tree, profiles: Collection[str]) -> tuple[Tree, Tree]:
    """Split the services of a tree into those that profiles enable and the others."""
    services: Tree = tree.get("services") or {}
    enabled = {name: service for name, service in services.items() if is_enabled(service, profiles)}
    disabled = {name: service for name, service in services.items() if name not in enabled}
    return enabled, disabled


def enable_services(
    enabled: Tree, disabled: Tree, names: Collection[str], profiles: Collection[str]
) -> tuple[Tree, Tree]:
    """Enable services that the user names, with all of their profiles; return enabled and disabled ones.

    Raises `NoSuchService`.
    """
    extended = list(profiles)
    for name in names:
        if name in disabled:
            extended += disabled[name]["profiles"]
        elif name not in enabled:
            raise NoSuchService(name, [*enabled, *disabled])
    if len(extended) == len(profiles):
        return enabled, disabled
    return split_by_profile({"services": dict(sorted((enabled | disabled).items()))}, extended)


def remove_unused_resources(tree: Tree) -> None:
    """Remove networks, volumes, configs, secrets and models that no service uses."""
    used: dict[str, set[str]] = {
        section: set() for section in ("networks", "volumes", "configs", "secrets", "models")
    }
    for service in tree.get("services", {}).values():
        used["networks"].update(service.get("networks") or ())
        used["models"].update(service.get("models") or ())
        for section in ("configs", "secrets"):
            used[section].update(mount.get("source", "") for mount in service.get(section) or ())
        build = service.get("build") or {}
        used["secrets"].update(mount.get("source", "") for mount in build.get("secrets") or ())
        for mount in service.get("volumes") or ():
            if isinstance(mount, str):  # which volume it is depends on a variable
                used["volumes"].update(tree.get("volumes") or ())
            elif mount.get("type") == "volume":
                used["volumes"].add(mount.get("source", ""))
    for section, names in used.items():
        resources = tree.get(section) or {}
        kept = {name: one for name, one in resources.items() if name in names}
        if kept:
            tree[section] = kept
        else:
            tree.pop(section, None)
