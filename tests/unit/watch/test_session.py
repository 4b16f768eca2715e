"""From changed files to actions, in their order, and what is told."""

import pytest

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Build, Hook, Mount, Service, WatchRule
from cntnr_compose.watch import session as session_module
from cntnr_compose.watch.session import WatchSession

HOOK = Hook(command=("true",))


class Failed(CntnrError):
    """An action failed."""

    def __init__(self, what):
        super().__init__(f"{what} failed")


class Stage:
    """A project in a folder; actions and messages are noted in one list."""

    def __init__(self, top, monkeypatch):
        self.top = top
        self.noted = []
        self.batches = []
        self.failing = set()
        (top / "src").mkdir()
        (top / "src/a").write_text("")
        monkeypatch.setattr(session_module, "FileChanges", lambda *_, **__: self)
        self.is_stopped = lambda: not self.batches

    def next_batch(self, timeout=None):
        return set() if timeout else self.batches.pop(0)

    def close(self):
        self.noted.append("closed")

    def run(self, *services, batches=()):
        self.batches = [{str(self.top / name) for name in batch} for batch in batches]
        project = Project(
            name="p", working_dir=str(self.top), services={each.name: each for each in services}
        )
        WatchSession(project, self, self, self.is_stopped).run()
        return self.noted

    def rule(self, action, path="src", **more):
        return WatchRule(path=str(self.top / path), action=action, target="/app", **more)

    def message(self, text):
        self.noted.append(text)

    def warning(self, text):
        self.noted.append(f"warning: {text}")

    def rebuild(self, services):
        self._act("rebuild", services)

    def restart(self, services):
        self._act("restart", services)

    def sync(self, service, files):
        self._act("sync", service, *(each.target for each in files))

    def run_command(self, service, hook):
        self._act("exec", service, hook.command)

    def _act(self, *what):
        if what[0] in self.failing:
            raise Failed(what[0])
        self.noted.append(what)


@pytest.fixture
def stage(tmp_path, monkeypatch):
    return Stage(tmp_path, monkeypatch)


def test_the_actions_of_a_batch_in_their_order(stage):
    web = Service(
        name="web",
        build=Build(context=str(stage.top)),
        develop=(
            stage.rule("sync+restart"), stage.rule("sync+exec", exec=HOOK),
            stage.rule("rebuild", "other"),
        ),
    )  # fmt: skip
    noted = stage.run(web, batches=[["src/a", "other"]])
    assert noted == [
        "Watch enabled",
        ("rebuild", ("web",)),
        'Syncing service "web" after 1 changes were detected',
        ("sync", "web", "/app/a"),
        ("restart", ("web",)),
        ("exec", "web", ("true",)),
        "closed",
    ]


def test_initial_copies_come_first_and_after_each_rebuild(stage):
    web = Service(
        name="web",
        build=Build(context=str(stage.top)),
        develop=(stage.rule("sync", initial_sync=True), stage.rule("rebuild", "other")),
    )
    copy = ("sync", "web", "/app", "/app/a")
    assert stage.run(web, batches=[["other"]]) == [
        copy, "Watch enabled", ("rebuild", ("web",)), copy, "closed",
    ]  # fmt: skip


def test_a_failure_is_told_and_the_rest_goes_on(stage):
    web = Service(
        name="web", develop=(stage.rule("sync+restart"), stage.rule("sync+exec", exec=HOOK))
    )
    stage.failing = {"sync", "exec"}
    assert stage.run(web, batches=[["src/a"], ["src/unknown"]])[2:] == [
        "warning: Error handling changed files: sync failed",
        ("restart", ("web",)),
        "warning: Error handling changed files: exec failed",
        'Syncing service "web" after 1 changes were detected',
        "warning: Error handling changed files: sync failed",
        ("restart", ("web",)),
        "warning: Error handling changed files: exec failed",
        "closed",
    ]


def test_bind_mounted_paths_are_not_copied(stage):
    mount = Mount(type="bind", source=str(stage.top), target="/bound")
    web = Service(name="web", volumes=(mount,), develop=(stage.rule("sync"), stage.rule("restart")))
    noted = stage.run(web, batches=[["src/a"]])
    assert noted[0] == (
        f"warning: path '{stage.top}/src' also declared by a bind mount volume, "
        "this path won't be monitored!"
    )
    assert noted[1:] == ["Watch enabled", ("restart", ("web",)), "closed"]


def test_the_dockerignore_of_the_dockerfile_holds(stage):
    (stage.top / ".dockerignore").write_text("src/a\n")
    web = Service(name="web", build=Build(context=str(stage.top)), develop=(stage.rule("rebuild"),))
    assert stage.run(web, batches=[["src/a"]]) == ["Watch enabled", "closed"]
    (stage.top / "Dockerfile.dockerignore").write_text("")
    assert ("rebuild", ("web",)) in stage.run(web, batches=[["src/a"]])


def test_files_of_containers_are_not_copied_into_containers(stage, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(stage.top / "src"))
    (stage.top / "src/cntnr").mkdir()
    (stage.top / "src/cntnr/file").write_text("")
    web = Service(name="web", develop=(stage.rule("sync", initial_sync=True),))
    assert stage.run(web)[0] == ("sync", "web", "/app", "/app/a", "/app/cntnr")
