"""What a project says without words: the default network, dependencies that follow, names."""

from collections.abc import Mapping
from typing import Any

from cntnr_compose.compose.transform.volume_syntax import clean_path
from cntnr_compose.core.frozen import Tree

NAMED = ("networks", "volumes", "configs", "secrets")
NAMESPACES = ("network_mode", "ipc", "pid", "uts", "cgroup")


def normalize(tree: Tree, name: str, environment: Mapping[str, str]) -> Tree:
    """Fill in what follows from what is said."""
    services: Tree = tree.get("services") or {}
    _networks(tree, services)
    for service in services.values():
        if service.get("pull_policy") == "if_not_present":
            service["pull_policy"] = "missing"
        build = service.get("build")
        if isinstance(build, dict):
            _build(build, environment)
        if service.get("environment") is not None:
            service["environment"] = fill_from_environment(
                service["environment"], environment, keep_unset=True
            )
        for volume in service.get("volumes") or ():
            if isinstance(volume, dict) and isinstance(volume.get("target"), str):
                volume["target"] = clean_path(volume["target"]) or "."
        depends_on = _dependencies(service)
        if depends_on:
            service["depends_on"] = depends_on
    _names(tree, name)
    return tree


def _networks(tree: Tree, services: Tree) -> None:
    used = False
    for service in services.values():
        if "provider" in service or "network_mode" in service:
            continue
        if not service.get("networks"):
            service["networks"] = {"default": None}
        used = used or "default" in service["networks"]
    networks = tree.get("networks") or {}
    if used:
        networks.setdefault("default", None)
    if networks:
        tree["networks"] = networks


def _build(build: Tree, environment: Mapping[str, str]) -> None:
    if build.get("context") is None:
        build["context"] = "."
    if build.get("dockerfile") is None and build.get("dockerfile_inline") is None:
        build["dockerfile"] = "Dockerfile"
    if build.get("args") is not None:
        build["args"] = fill_from_environment(build["args"], environment, keep_unset=False)


def fill_from_environment(value: Any, environment: Mapping[str, str], *, keep_unset: bool) -> Any:
    """Give variables without a value the one of the environment; without one, ``keep`` decides."""
    if isinstance(value, dict):
        done: Tree = {}
        for key, inner in value.items():
            if inner is not None or key in environment:
                done[key] = environment[key] if inner is None else inner
            elif keep_unset:
                done[key] = None
        return done
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


def _dependencies(service: Tree) -> Tree:
    depends_on: Tree = service.get("depends_on") or {}

    def add(name: str, *, restart: bool) -> None:
        depends_on.setdefault(
            name, {"condition": "service_started", "restart": restart, "required": True}
        )

    for link in service.get("links") or ():
        parts = str(link).split(":")
        add(parts[0] if len(parts) == 2 else str(link), restart=True)
    for namespace in NAMESPACES:
        word = service.get(namespace)
        if isinstance(word, str) and word.startswith("service:"):
            add(word.removeprefix("service:"), restart=True)
    for volume in service.get("volumes_from") or ():
        if not str(volume).startswith("container:"):
            add(str(volume).split(":")[0], restart=False)
    return depends_on


def _names(tree: Tree, name: str) -> None:
    for section in NAMED:
        resources = tree.get(section) or {}
        for key in resources:
            resource = resources[key] = resources[key] or {}
            if resource.get("name") is None:
                is_external = resource.get("external") in (True, "true")
                resource["name"] = key if is_external else f"{name}_{key}"
