"""Check what a schema cannot: whether the parts of a canonical, merged tree go together.

Messages have docker compose's words. Unlike there all of them are reported, not only the first.
"""

from collections.abc import Callable, Iterator
from posixpath import normpath
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import Diagnostic, did_you_mean
from cntnr_compose.compose.validation.cycles import find_cycles
from cntnr_compose.core.frozen import Frozen, Tree

SERVICE_PREFIX = "service:"


class RuleContext(Frozen):
    """What a rule may look at beside its service."""

    tree: Tree
    services: Tree  # the enabled ones
    disabled: Tree


ReferenceRule: TypeAlias = Callable[[str, Tree, RuleContext], Iterator[Diagnostic]]


def check_references(tree: Tree, *, disabled: Tree | None = None) -> list[Diagnostic]:
    """Check services and secrets; ``disabled`` are the services that no profile enables."""
    disabled = disabled or {}
    services = _section(tree, "services")
    enabled = {name: service for name, service in services.items() if name not in disabled}
    context = RuleContext(tree=tree, services=enabled, disabled=disabled)
    diagnostics: list[Diagnostic] = []
    for name, service in enabled.items():
        for rule in RULES:
            diagnostics.extend(rule(name, service, context))
    diagnostics.extend(_container_names(enabled))
    diagnostics.extend(_secrets_without_source(tree))
    diagnostics.extend(_dependency_cycles(enabled))
    return list(dict.fromkeys(diagnostics))


def _section(tree: Tree, name: str) -> Tree:
    return tree.get(name) or {}


def _has_image(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    if service.get("image") or "build" in service or "provider" in service:
        return
    text = f'service "{name}" has neither an image nor a build context specified'
    yield Diagnostic(path=("services", name), message=text)


def _build(name: str, service: Tree, context: RuleContext) -> Iterator[Diagnostic]:
    build = service.get("build")
    if not isinstance(build, dict):
        return
    path = ("services", name, "build")
    if build.get("dockerfile") and build.get("dockerfile_inline"):
        text = f'service "{name}" declares mutually exclusive dockerfile and dockerfile_inline'
        yield Diagnostic(path=(*path, "dockerfile_inline"), message=text)
    platform, platforms = service.get("platform"), build.get("platforms")
    if platform and platforms and platform not in platforms:
        text = f'service.build.platforms MUST include service.platform "{platform}"'
        yield Diagnostic(path=(*path, "platforms"), message=text)
    yield from _build_secrets(name, build, context)
    yield from _additional_contexts(name, build, context)


def _build_secrets(name: str, build: Tree, context: RuleContext) -> Iterator[Diagnostic]:
    secrets = _section(context.tree, "secrets")
    for index, secret in enumerate(build.get("secrets") or ()):
        source = secret.get("source", "")
        if source not in secrets:
            text = f'service "{name}" refers to undefined build secret {source}'
            path = ("services", name, "build", "secrets", index)
            hint = did_you_mean(source, secrets)
            yield Diagnostic(path=path, message=text, hint=hint)


def _additional_contexts(name: str, build: Tree, context: RuleContext) -> Iterator[Diagnostic]:
    for key, value in (build.get("additional_contexts") or {}).items():
        other = str(value).removeprefix(SERVICE_PREFIX)
        if other == value:
            continue
        if other not in context.services:
            problem = "unknown"
        elif "build" not in context.services[other]:
            problem = "non-buildable"
        else:
            continue
        text = f'service "{name}" declares {problem} service "{other}" as additional contexts {key}'
        path = ("services", name, "build", "additional_contexts", key)
        yield Diagnostic(path=path, message=text)


def _network_mode(name: str, service: Tree, context: RuleContext) -> Iterator[Diagnostic]:
    mode = service.get("network_mode")
    if not mode:
        return
    path = ("services", name, "network_mode")
    if service.get("networks"):
        text = f"service {name} declares mutually exclusive `network_mode` and `networks`"
        yield Diagnostic(path=path, message=text)
    other = mode.removeprefix(SERVICE_PREFIX)
    known = (*context.services, *(service.get("depends_on") or ()))
    if other != mode and other not in known:
        text = f"service \"{other}\" not found for network_mode '{mode}'"
        yield Diagnostic(path=path, message=text, hint=did_you_mean(other, context.services))


def _named_resources(name: str, service: Tree, context: RuleContext) -> Iterator[Diagnostic]:
    """Check that networks, volumes, configs, secrets and models are defined."""
    used: list[tuple[str, str | int, str]] = []
    used += [("networks", key, key) for key in service.get("networks") or {}]
    used += [("models", key, key) for key in service.get("models") or {}]
    for section in ("configs", "secrets"):
        mounts = enumerate(service.get(section) or ())
        used += [(section, index, mount.get("source", "")) for index, mount in mounts]
    for index, mount in enumerate(service.get("volumes") or ()):
        if mount.get("type") == "volume" and mount.get("source"):
            used.append(("volumes", index, mount["source"]))
    for section, step, key in used:
        defined = _section(context.tree, section)
        if key not in defined:
            text = f'service "{name}" refers to undefined {section[:-1]} {key}'
            hint = did_you_mean(key, defined) or f"define it under {section}:"
            yield Diagnostic(path=("services", name, section, step), message=text, hint=hint)


def _healthcheck(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    test = (service.get("healthcheck") or {}).get("test")
    if test and isinstance(test, list) and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        yield Diagnostic(
            path=("services", name, "healthcheck", "test"),
            message='healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"',
            hint='a command in a list begins with "CMD"',
        )


def _dependencies(name: str, service: Tree, context: RuleContext) -> Iterator[Diagnostic]:
    for other, dependency in (service.get("depends_on") or {}).items():
        if other in context.services:
            continue
        hint = did_you_mean(other, context.services)
        if other in context.disabled:
            if not (dependency or {}).get("required", True):
                continue
            profiles = ", ".join(context.disabled[other].get("profiles") or ())
            hint = f'"{other}" is disabled; it is enabled by profile {profiles}'
        yield Diagnostic(
            path=("services", name, "depends_on", other),
            message=f'service "{name}" depends on undefined service "{other}"',
            hint=hint,
        )


def _scale(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    deploy = service.get("deploy") or {}
    scale, replicas = _integer(service.get("scale")), _integer(deploy.get("replicas"))
    path = ("services", name)
    if scale is not None and replicas is not None and scale != replicas:
        yield _distinct_values(name, "scale", "deploy.replicas")
    for below, count in ((("scale",), scale), (("deploy", "replicas"), replicas)):
        if count is not None and count < 0:
            message = "must be greater than or equal to 0"
            yield Diagnostic(path=(*path, *below), message=message)
    count = replicas if scale is None else scale
    if service.get("container_name") and count is not None and count > 1:
        key = "deploy.replicas" if scale is None else "scale"
        yield Diagnostic(
            path=(*path, *key.split(".")),
            message=f"can't set container_name and {key} as container name must be unique",
        )


def _limits(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    resources = (service.get("deploy") or {}).get("resources") or {}
    for key, section, deploy_key, parse in LIMITS:
        limit, limits = parse(service.get(key)), resources.get(section)
        if limit and limits is not None and parse(limits.get(deploy_key)) != limit:
            yield _distinct_values(name, key, f"deploy.resources.{section}.{deploy_key}")


def _distinct_values(name: str, key: str, other: str) -> Diagnostic:
    text = f"can't set distinct values on '{key}' and '{other}'"
    return Diagnostic(path=("services", name, *key.split(".")), message=text)


def _mounts(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    mounted: dict[str, str] = {}
    tmpfs = enumerate(service.get("tmpfs") or ())
    targets = [("tmpfs", index, str(entry).partition(":")[0]) for index, entry in tmpfs]
    for index, mount in enumerate(service.get("volumes") or ()):
        targets.append(("volumes", index, normpath(mount.get("target") or "")))
    for section, index, target in targets:
        if target in mounted:
            text = f"target {target} already mounted as {mounted[target]}"
            yield Diagnostic(path=("services", name, section, index), message=text)
        mounted.setdefault(target, f"services.{name}.{section}[{index}]")


def _watch(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    for index, rule in enumerate((service.get("develop") or {}).get("watch") or ()):
        if rule.get("action") not in ("rebuild", "restart") and not rule.get("target"):
            path = ("services", name, "develop", "watch", index)
            text = f"target is required for non-rebuild actions: {rule.get('action')}"
            yield Diagnostic(path=path, message=text)


RULES: tuple[ReferenceRule, ...] = (
    _has_image,
    _build,
    _network_mode,
    _named_resources,
    _healthcheck,
    _dependencies,
    _scale,
    _limits,
    _mounts,
    _watch,
)


def _container_names(services: Tree) -> Iterator[Diagnostic]:
    owners: dict[str, str] = {}
    for name, service in services.items():
        container_name = service.get("container_name")
        if not container_name:
            continue
        first = owners.setdefault(container_name, name)
        if first != name:
            text = f'container name "{container_name}" is already in use by service {first}'
            yield Diagnostic(path=("services", name, "container_name"), message=text)


def _secrets_without_source(tree: Tree) -> Iterator[Diagnostic]:
    for name, secret in _section(tree, "secrets").items():
        if not (secret.get("external") or secret.get("file") or secret.get("environment")):
            text = f'secret "{name}" must declare either `file` or `environment`'
            yield Diagnostic(path=("secrets", name), message=text)


def _dependency_cycles(services: Tree) -> Iterator[Diagnostic]:
    edges = {
        name: [other for other in service.get("depends_on") or {} if other in services]
        for name, service in services.items()
    }
    for cycle in find_cycles(edges):
        text = f"dependency cycle detected: {' -> '.join(cycle)}"
        yield Diagnostic(path=("services", cycle[0], "depends_on", cycle[1]), message=text)


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0


def _size(value: Any) -> float:
    """Parse a size roughly, to compare it: the decoder has refused what is none."""
    text = str(value or "").strip().lower().removesuffix("b").removesuffix("i")
    power = "kmgtp".find(text[-1:]) + 1 if text[-1:] else 0
    return _number(text[:-1] if power else text) * float(1024**power)


LIMITS: tuple[tuple[str, str, str, Callable[[Any], float]], ...] = (
    ("cpus", "limits", "cpus", _number),
    ("mem_limit", "limits", "memory", _size),
    ("mem_reservation", "reservations", "memory", _size),
    ("pids_limit", "limits", "pids", _number),
)
