"""What a schema cannot say: whether the parts of a canonical, merged tree go together.

Sentences carry the words of docker compose's own; unlike it, all of them are told, not the first.
"""

from collections.abc import Callable, Iterator
from posixpath import normpath
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import Diagnostic, did_you_mean
from cntnr_compose.compose.validation.cycles import find_cycles
from cntnr_compose.core.frozen import Frozen, Tree

SERVICE = "service:"


class RuleContext(Frozen):
    """What a rule may look at beside the service it is about."""

    tree: Tree
    services: Tree  # those that are enabled
    disabled: Tree


ReferenceRule: TypeAlias = Callable[[str, Tree, RuleContext], Iterator[Diagnostic]]


def check_references(tree: Tree, *, disabled: Tree | None = None) -> list[Diagnostic]:
    """Tell all that does not go together; ``disabled`` are the services that no profile enables."""
    off = disabled or {}
    on = {name: one for name, one in _section(tree, "services").items() if name not in off}
    scene = RuleContext(tree=tree, services=on, disabled=off)
    findings: list[Diagnostic] = []
    for name, service in on.items():
        for rule in RULES:
            findings.extend(rule(name, service, scene))
    findings.extend(_container_names(on))
    findings.extend(_secrets_without_source(tree))
    findings.extend(_cycles(on))
    return list(dict.fromkeys(findings))


def _section(tree: Tree, name: str) -> Tree:
    return tree.get(name) or {}


def _has_image(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    if service.get("image") or "build" in service or "provider" in service:
        return
    text = f'service "{name}" has neither an image nor a build context specified'
    yield Diagnostic(path=("services", name), message=text)


def _build(name: str, service: Tree, scene: RuleContext) -> Iterator[Diagnostic]:
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
    secrets = _section(scene.tree, "secrets")
    for index, one in enumerate(build.get("secrets") or ()):
        source = one.get("source", "")
        if source not in secrets:
            text = f'service "{name}" refers to undefined build secret {source}'
            hint = did_you_mean(source, secrets)
            yield Diagnostic(path=(*path, "secrets", index), message=text, hint=hint)
    for key, value in (build.get("additional_contexts") or {}).items():
        other = str(value).removeprefix(SERVICE)
        if other == value:
            continue
        if other not in scene.services:
            text = (
                f'service "{name}" declares unknown service "{other}" as additional contexts {key}'
            )
        elif "build" not in scene.services[other]:
            text = f'service "{name}" declares non-buildable service "{other}" as additional contexts {key}'
        else:
            continue
        yield Diagnostic(path=(*path, "additional_contexts", key), message=text)


def _network_mode(name: str, service: Tree, scene: RuleContext) -> Iterator[Diagnostic]:
    mode = service.get("network_mode")
    if not mode:
        return
    path = ("services", name, "network_mode")
    if service.get("networks"):
        text = f"service {name} declares mutually exclusive `network_mode` and `networks`"
        yield Diagnostic(path=path, message=text)
    other = mode.removeprefix(SERVICE)
    if (
        other != mode
        and other not in scene.services
        and other not in (service.get("depends_on") or {})
    ):
        text = f"service \"{other}\" not found for network_mode '{mode}'"
        yield Diagnostic(path=path, message=text, hint=did_you_mean(other, scene.services))


def _named_things(name: str, service: Tree, scene: RuleContext) -> Iterator[Diagnostic]:
    """Check that networks, volumes, configs, secrets and models are defined."""
    used: list[tuple[str, str | int, str]] = []
    used += [("networks", one, one) for one in service.get("networks") or {}]
    used += [("models", one, one) for one in service.get("models") or {}]
    for section in ("configs", "secrets"):
        listed = enumerate(service.get(section) or ())
        used += [(section, index, one.get("source", "")) for index, one in listed]
    for index, one in enumerate(service.get("volumes") or ()):
        if one.get("type") == "volume" and one.get("source"):
            used.append(("volumes", index, one["source"]))
    for section, step, wanted in used:
        defined = _section(scene.tree, section)
        if wanted not in defined:
            text = f'service "{name}" refers to undefined {section[:-1]} {wanted}'
            hint = did_you_mean(wanted, defined) or f"define it under {section}:"
            yield Diagnostic(path=("services", name, section, step), message=text, hint=hint)


def _healthcheck(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    test = (service.get("healthcheck") or {}).get("test")
    if test and isinstance(test, list) and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        yield Diagnostic(
            path=("services", name, "healthcheck", "test"),
            message='healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"',
            hint='a command in a list begins with "CMD"',
        )


def _dependencies(name: str, service: Tree, scene: RuleContext) -> Iterator[Diagnostic]:
    for other, how in (service.get("depends_on") or {}).items():
        if other in scene.services:
            continue
        hint = did_you_mean(other, scene.services)
        if other in scene.disabled:
            if not (how or {}).get("required", True):
                continue
            profiles = ", ".join(scene.disabled[other].get("profiles") or ())
            hint = f'"{other}" is disabled; it is enabled by profile {profiles}'
        yield Diagnostic(
            path=("services", name, "depends_on", other),
            message=f'service "{name}" depends on undefined service "{other}"',
            hint=hint,
        )


def _scale(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    deploy = service.get("deploy") or {}
    scale, replicas = _whole(service.get("scale")), _whole(deploy.get("replicas"))
    path = ("services", name)
    if scale is not None and replicas is not None and scale != replicas:
        yield _distinct(name, "scale", "deploy.replicas")
    for step, count in ((("scale",), scale), (("deploy", "replicas"), replicas)):
        if count is not None and count < 0:
            message = "must be greater than or equal to 0"
            yield Diagnostic(path=(*path, *step), message=message)
    count = replicas if scale is None else scale
    if service.get("container_name") and count is not None and count > 1:
        word = "deploy.replicas" if scale is None else "scale"
        yield Diagnostic(
            path=(*path, *word.split(".")),
            message=f"can't set container_name and {word} as container name must be unique",
        )


def _limits(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    resources = (service.get("deploy") or {}).get("resources") or {}
    for key, section, word, read in LIMITS:
        ours, theirs = read(service.get(key)), resources.get(section)
        if ours and theirs is not None and read(theirs.get(word)) != ours:
            yield _distinct(name, key, f"deploy.resources.{section}.{word}")


def _distinct(name: str, one: str, other: str) -> Diagnostic:
    text = f"can't set distinct values on '{one}' and '{other}'"
    return Diagnostic(path=("services", name, *one.split(".")), message=text)


def _mounts(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    taken: dict[str, str] = {}
    tmpfs = service.get("tmpfs") or ()
    places = [("tmpfs", i, str(one).partition(":")[0]) for i, one in enumerate(tmpfs)]
    for index, one in enumerate(service.get("volumes") or ()):
        places.append(("volumes", index, normpath(one.get("target") or "")))
    for section, index, target in places:
        here = f"services.{name}.{section}[{index}]"
        if target in taken:
            text = f"target {target} already mounted as {taken[target]}"
            yield Diagnostic(path=("services", name, section, index), message=text)
        taken.setdefault(target, here)


def _watch(name: str, service: Tree, _: RuleContext) -> Iterator[Diagnostic]:
    for index, one in enumerate((service.get("develop") or {}).get("watch") or ()):
        if one.get("action") not in ("rebuild", "restart") and not one.get("target"):
            path = ("services", name, "develop", "watch", index)
            text = f"target is required for non-rebuild actions: {one.get('action')}"
            yield Diagnostic(path=path, message=text)


RULES: tuple[ReferenceRule, ...] = (
    _has_image,
    _build,
    _network_mode,
    _named_things,
    _healthcheck,
    _dependencies,
    _scale,
    _limits,
    _mounts,
    _watch,
)


def _container_names(services: Tree) -> Iterator[Diagnostic]:
    taken: dict[str, str] = {}
    for name, service in services.items():
        wanted = service.get("container_name")
        if not wanted:
            continue
        first = taken.setdefault(wanted, name)
        if first != name:
            text = f'container name "{wanted}" is already in use by service {first}'
            yield Diagnostic(path=("services", name, "container_name"), message=text)


def _secrets_without_source(tree: Tree) -> Iterator[Diagnostic]:
    for name, one in _section(tree, "secrets").items():
        if not (one.get("external") or one.get("file") or one.get("environment")):
            text = f'secret "{name}" must declare either `file` or `environment`'
            yield Diagnostic(path=("secrets", name), message=text)


def _cycles(services: Tree) -> Iterator[Diagnostic]:
    edges = {
        name: [other for other in service.get("depends_on") or {} if other in services]
        for name, service in services.items()
    }
    for cycle in find_cycles(edges):
        text = f"dependency cycle detected: {' -> '.join(cycle)}"
        yield Diagnostic(path=("services", cycle[0], "depends_on", cycle[1]), message=text)


def _whole(value: Any) -> int | None:
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
    """Read a size; whoever reads sizes for good has refused by now what is none."""
    text = str(value or "").strip().lower().removesuffix("b").removesuffix("i")
    power = "kmgtp".find(text[-1:]) + 1 if text[-1:] else 0
    return _number(text[:-1] if power else text) * float(1024**power)


LIMITS: tuple[tuple[str, str, str, Callable[[Any], float]], ...] = (
    ("cpus", "limits", "cpus", _number),
    ("mem_limit", "limits", "memory", _size),
    ("mem_reservation", "reservations", "memory", _size),
    ("pids_limit", "limits", "pids", _number),
)
