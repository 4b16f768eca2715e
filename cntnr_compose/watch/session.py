"""Watch the files of services, and take the actions of their rules, until it is interrupted."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from cntnr_compose.builder.create_request import read_dockerignore
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.watch.actions import Reporter, WatchActions
from cntnr_compose.watch.changes import FileChanges
from cntnr_compose.watch.file_tree import FileTree
from cntnr_compose.watch.rules import Actions, CompiledRule, Rules, is_bind_mounted

# Without a change, before what takes longer than the copy of a few files.
SETTLE_TIME: Seconds = 0.2
LONGEST_SETTLING: Seconds = 2
FEW_CHANGES = 20


class WatchSession:
    """One `watch`: rules, files and actions of the selected services."""

    def __init__(
        self,
        project: Project,
        actions: WatchActions,
        reporter: Reporter,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take the project with the services to watch only, and look at their files."""
        self._actions = actions
        self._reporter = reporter
        self._is_stopped = is_stopped
        self._unreadable: set[str] = set()  # folders that were told of
        self._rules = Rules(self._compile(project.services.values()))
        # A copy into a container changes files in there, which would be copied again.
        self._own_folders = {os.path.realpath(folder) for folder in (paths.data(), paths.runtime())}
        self._tree = FileTree(self._rules.paths, self._looks_into, self._warn_unreadable)

    def run(self) -> None:
        """Copy what is to be there at first, then wait for changes.

        Raises the `CntnrError` of the first copies.
        """
        self._sync_initially()
        changes = FileChanges(
            self._tree, is_stopped=self._is_stopped, on_polling=self._warn_polling
        )
        with contextlib.closing(changes):
            self._reporter.message("Watch enabled")
            while not self._is_stopped():
                batch = changes.next_batch()
                actions = self._rules.decide_actions(batch)
                if len(batch) > FEW_CHANGES or actions.rebuild or actions.restart or actions.exec:
                    batch |= self._settle(changes)
                    actions = self._rules.decide_actions(batch)
                if actions:
                    self._take(actions)

    def _settle(self, changes: FileChanges) -> set[str]:
        """Wait until no more changes come, if that is soon: a build of half of them would be in vain."""
        batch: set[str] = set()
        end = time.monotonic() + LONGEST_SETTLING
        while time.monotonic() < end:
            more = changes.next_batch(SETTLE_TIME)
            if not more:
                break
            batch |= more
        return batch

    def _take(self, actions: Actions) -> None:
        """Take all actions of a batch; one that fails is told, and does not keep others from being taken."""
        if actions.rebuild and self._try(partial(self._actions.rebuild, actions.rebuild)):
            self._try(partial(self._sync_initially, actions.rebuild))
        for service, synced in actions.sync.items():
            text = f'Syncing service "{service}" after {len(synced)} changes were detected'
            self._reporter.message(text)
            self._try(partial(self._actions.sync, service, synced))
        if actions.restart:
            self._try(partial(self._actions.restart, actions.restart))
        for service, hook in actions.exec:
            self._try(partial(self._actions.run_command, service, hook))

    def _try(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except CntnrError as error:
            self._reporter.warning(f"Error handling changed files: {error}")
            return False
        return True

    def _sync_initially(self, services: Iterable[str] | None = None) -> None:
        for service, synced in self._rules.initial_syncs(self._tree.files, services).items():
            self._actions.sync(service, synced)

    def _compile(self, services: Iterable[Service]) -> Iterable[CompiledRule]:
        for service in services:
            context, ignored = _dockerignore(service)
            for rule in service.develop:
                if rule.is_sync and is_bind_mounted(rule.path, service):
                    self._reporter.warning(
                        f"path '{rule.path}' also declared by a bind mount volume, "
                        "this path won't be monitored!"
                    )
                else:
                    yield CompiledRule(service.name, rule, context, ignored)

    def _looks_into(self, folder: str) -> bool:
        return folder not in self._own_folders and self._rules.may_match_below(folder)

    def _warn_unreadable(self, folder: str) -> None:
        if folder in self._unreadable:
            return
        self._unreadable.add(folder)
        self._reporter.warning(f"cannot read {folder}: changes in it are not seen")

    def _warn_polling(self, why: str) -> None:
        self._reporter.warning(
            f"the kernel does not notify of changes ({why}): files are compared each second instead"
        )


def _dockerignore(service: Service) -> tuple[str, tuple[str, ...]]:
    """Return the build context of a service, and the patterns of its .dockerignore."""
    if service.build is None:
        return "", ()
    context = Path(service.build.context).resolve()
    return str(context), read_dockerignore(service.build, context)
