"""Decide which changed files take which actions, by the rules of ``develop.watch``. Pure.

Patterns are those of a .dockerignore: relative to the rule's path, and those of the .dockerignore to the
build context.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import replace
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Hook, Service, WatchRule

# Of git, and of editors while they save: never anybody's source.
_EPHEMERAL = re.compile(
    r"(?:^|/)(?:\.git|\.idea|4913|[^/]*~|\.[^/]*\.(?:sw[pxon]|kate-swp)|\.#[^/]*|#[^/]*#"
    r"|[^/]*-go-tmp-umask|[^/]*___jb_(?:old|tmp)___)(?:/|$)"
)


class NothingToWatch(CntnrError):
    """No selected service has a rule to watch by."""

    def __init__(self) -> None:
        super().__init__(
            "none of the selected services is configured for watch, consider setting a 'develop' section"
        )


class CannotRebuild(CntnrError):
    """A service without build context has a rule that rebuilds it."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f'can\'t watch service "{service}" with action rebuild without a build context'
        )


class RebuildForbidden(CntnrError):
    """A service is rebuilt by its rules, but --no-build forbids that."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f"--no-build is incompatible with watch action rebuild in service {service}"
        )


class Sync(NamedTuple):
    """One file to copy into a container, or to remove there where it is gone."""

    source: str
    target: str


class Actions(NamedTuple):
    """What a batch of changes takes, by service."""

    rebuild: tuple[str, ...] = ()
    sync: Mapping[str, tuple[Sync, ...]] = {}
    restart: tuple[str, ...] = ()
    exec: tuple[tuple[str, Hook], ...] = ()  # service and command, once a batch

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.rebuild or self.sync or self.restart)


class CompiledRule:
    """A rule of a service with its patterns compiled."""

    def __init__(
        self, service: str, rule: WatchRule, context: str = "", ignored: Iterable[str] = ()
    ) -> None:
        """Take a rule, and the patterns of the .dockerignore of the service's build context."""
        self.service = service
        self.rule = rule
        self._context = context
        self._dockerignore = IgnorePatterns(ignored)
        self._ignore = IgnorePatterns(rule.ignore)
        self._include = IgnorePatterns(rule.include)

    def matches(self, path: str) -> bool:
        """Return whether the rule acts when a path changes."""
        inside = relative_path(self.rule.path, path)
        if inside is None or (self._include and not self._include.ignores(inside)):
            return False
        return not self._is_ignored(path, inside)

    def may_match_below(self, folder: str) -> bool:
        """Return whether the rule could act on something in a folder."""
        inside = relative_path(self.rule.path, folder)
        if inside is None:
            return False
        if _EPHEMERAL.search(inside):
            return False
        if self._ignore.ignores(inside) and self._ignore.ignores_all_below(inside):
            return False
        in_context = relative_path(self._context, folder) if self._context else None
        return not (
            in_context
            and self._dockerignore.ignores(in_context)
            and self._dockerignore.ignores_all_below(in_context)
        )

    def target_of(self, path: str) -> str:
        """Return where in the container a path is copied to."""
        inside = relative_path(self.rule.path, path)
        return posixpath.normpath(posixpath.join("/", self.rule.target, inside or "."))

    def _is_ignored(self, path: str, inside: str) -> bool:
        if _EPHEMERAL.search(inside) or self._ignore.ignores(inside):
            return True
        in_context = relative_path(self._context, path) if self._context else None
        return bool(in_context) and self._dockerignore.ignores(in_context or "")


class Rules:
    """All rules that are watched by."""

    def __init__(self, compiled: Iterable[CompiledRule]) -> None:
        self.compiled = tuple(compiled)

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths to watch."""
        return tuple(dict.fromkeys(each.rule.path for each in self.compiled))

    def may_match_below(self, folder: str) -> bool:
        """Return whether any rule could act on something in a folder."""
        return any(each.may_match_below(folder) for each in self.compiled)

    def decide_actions(self, changes: Iterable[str]) -> Actions:
        """Decide what a batch of changed paths takes; each action is taken once a batch."""
        rebuild: set[str] = set()
        restart: set[str] = set()
        syncs: dict[str, dict[Sync, None]] = {}
        commands: dict[int, tuple[str, Hook]] = {}
        for path in sorted(changes):
            for number, each in enumerate(self.compiled):
                if not each.matches(path):
                    continue
                rule = each.rule
                if rule.action == "rebuild":
                    rebuild.add(each.service)
                if rule.is_sync:
                    synced = syncs.setdefault(each.service, {})
                    synced[Sync(path, each.target_of(path))] = None
                if rule.action in ("restart", "sync+restart"):
                    restart.add(each.service)
                if rule.action == "sync+exec" and rule.exec is not None:
                    commands[number] = (each.service, rule.exec)
        return Actions(
            rebuild=tuple(sorted(rebuild)),
            sync={service: tuple(synced) for service, synced in sorted(syncs.items())},
            restart=tuple(sorted(restart)),
            exec=tuple(commands[number] for number in sorted(commands)),
        )

    def initial_syncs(
        self, paths: Iterable[str], services: Iterable[str] | None = None
    ) -> dict[str, tuple[Sync, ...]]:
        """Return what rules with ``initial_sync`` copy at first, by service, of all existing paths."""
        chosen = [
            each
            for each in self.compiled
            if each.rule.initial_sync
            and each.rule.is_sync
            and (services is None or each.service in services)
        ]
        syncs: dict[str, dict[Sync, None]] = {}
        for path in sorted(paths) if chosen else ():
            for each in chosen:
                if each.matches(path):
                    synced = syncs.setdefault(each.service, {})
                    synced[Sync(path, each.target_of(path))] = None
        return {service: tuple(synced) for service, synced in syncs.items()}


def relative_path(top: str, path: str) -> str | None:
    """Return a path relative to a folder that it is in, '' for the folder itself, or None."""
    if path == top:
        return ""
    prefix = top.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def is_bind_mounted(path: str, service: Service) -> bool:
    """Return whether a path is in a bind mount of a service, which sees its changes anyway."""
    return any(
        mount.type == "bind" and relative_path(posixpath.normpath(mount.source), path) is not None
        for mount in service.volumes
    )


def check_rules(project: Project, *, no_build: bool = False) -> None:
    """Raise `NothingToWatch`, `CannotRebuild`, `RebuildForbidden`."""
    watched = [service for service in project.services.values() if service.develop]
    if not watched:
        raise NothingToWatch
    for service in watched:
        if any(rule.action == "rebuild" for rule in service.develop):
            if service.build is None:
                raise CannotRebuild(service.name)
            if no_build:
                raise RebuildForbidden(service.name)


def with_builds(project: Project) -> Project:
    """Return the project with services that are watched to be built of their files as they are now."""
    services = {
        name: replace(service, pull_policy="build")
        if service.build and service.develop
        else service
        for name, service in project.services.items()
    }
    return replace(project, services=services)
