"""Fill in what a project implies: the default network, implied dependencies, names of resources."""

from collections.abc import Mapping
from typing import Any

from cntnr_compose.compose.transform.volume_syntax import clean_path
from cntnr_compose.core.frozen import Tree

NAMED_SECTIONS = ("networks", "volumes", "configs", "secrets")
NAMESPACE_KEYS = ("network_mode", "ipc", "pid", "uts", "cgroup")


def normalize(tree: Tree, name: str, environment: Mapping[str, str]) -> Tree:
    """Fill in implied values in place."""
    services: Tree = tree.get("services") or {}
    _add_default_network(tree, services)
    for service in services.values():
        if service.get("pull_policy") == "if_not_present":
            service["pull_policy"] = "missing"
        build = service.get("build")
        if isinstance(build, dict):
            _normalize_build(build, environment)
        if service.get("environment") is not None:
            service["environment"] = fill_from_environment(
                service["environment"], environment, keep_unset=True
            )
        for volume in service.get("volumes") or ():
            if isinstance(volume, dict) and isinstance(volume.get("target"), str):
                volume["target"] = clean_path(volume["target"]) or "."
        depends_on = _all_dependencies(service)
        if depends_on:
            service["depends_on"] = depends_on
    _set_resource_names(tree, name)
    return tree


def _add_default_network(tree: Tree, services: Tree) -> None:
    uses_default = False
    for service in services.values():
        if "provider" in service or "network_mode" in service:
            continue
        if not service.get("networks"):
            service["networks"] = {"default": None}
        uses_default = uses_default or "default" in service["networks"]
    networks = tree.get("networks") or {}
    if uses_default:
        networks.setdefault("default", None)
    if networks:
        tree["networks"] = networks


def _normalize_build(build: Tree, environment: Mapping[str, str]) -> None:
    if build.get("context") is None:
        build["context"] = "."
    if build.get("dockerfile") is None and build.get("dockerfile_inline") is None:
        build["dockerfile"] = "Dockerfile"
    if build.get("args") is not None:
        build["args"] = fill_from_environment(build["args"], environment, keep_unset=False)


def fill_from_environment(value: Any, environment: Mapping[str, str], *, keep_unset: bool) -> Any:
    """Take values of variables that have none from the environment.

    Variables that have none there either are kept without a value or dropped: ``keep_unset``.
    """
    if isinstance(value, dict):
        variables: Tree = {}
        for key, inner in value.items():
            if inner is not None or key in environment:
                variables[key] = environment[key] if inner is None else inner
            elif keep_unset:
                variables[key] = None
        return variables
    if isinstance(value, list):
        words: list[Any] = []
        for word in value:
            if not isinstance(word, str) or "=" in word:
                words.append(word)
            elif word in environment:
                words.append(f"{word}={environment[word]}")
            elif keep_unset:
                words.append(word)
        return words
    return value


def _all_dependencies(service: Tree) -> Tree:
    """Add what links, shared namespaces and `volumes_from` imply to `depends_on`."""
    depends_on: Tree = service.get("depends_on") or {}

    def add(name: str, *, restart: bool) -> None:
        depends_on.setdefault(
            name, {"condition": "service_started", "restart": restart, "required": True}
        )

    for link in service.get("links") or ():
        parts = str(link).split(":")
        add(parts[0] if len(parts) == 2 else str(link), restart=True)
    for key in NAMESPACE_KEYS:
        mode = service.get(key)
        if isinstance(mode, str) and mode.startswith("service:"):
            add(mode.removeprefix("service:"), restart=True)
    for volume in service.get("volumes_from") or ():
        if not str(volume).startswith("container:"):
            add(str(volume).split(":")[0], restart=False)
    return depends_on


def _set_resource_names(tree: Tree, project: str) -> None:
    for section in NAMED_SECTIONS:
        resources = tree.get(section) or {}
        for key in resources:
            resource = resources[key] = resources[key] or {}
            if resource.get("name") is None:
                is_external = resource.get("external") in (True, "true")
                resource["name"] = key if is_external else f"{project}_{key}"
