"""Projects of one name in two directories leave each other alone; a name alone means all of it."""

import shutil

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

pytestmark = pytest.mark.usefixtures("busybox_image")

WAITS = "{image: busybox, command: sleep 900, stop_signal: KILL}"
SHARED = f"""
services:
  web: {WAITS}
  data: {{image: busybox, command: sleep 900, stop_signal: KILL, volumes: ["kept:/kept"]}}
volumes: {{kept: }}
"""


def pair(make_project: MakeProject, first: str, second: str) -> tuple[Project, Project]:
    """Make two projects of one name, in directories of one name."""
    name = "apart"
    return make_project(first, name=name), make_project(second, name=name)


def running(project: Project) -> set[str]:
    return {name for name, state in project.states().items() if state == "running"}


def test_down_leaves_what_came_from_another_directory(make_project: MakeProject) -> None:
    here, there = pair(make_project, SHARED, SHARED)
    here.up()
    every = {"apart-web-1", "apart-data-1"}
    for words in (
        ("down",),
        ("down", "-v", "--remove-orphans"),
        ("down", "--rmi", "all"),
        ("down", "web"),
        ("rm", "-sf", "web"),
        ("wait", "--down-project", "web"),
    ):
        if words[0] == "wait":
            here.compose("kill", "web").ok()
            every = {"apart-data-1"}
        refused = there.compose(*words)
        text = assert_refused(
            refused, f"came from another directory, {here.folder}: nothing was done"
        )
        assert f"cntnr compose -p apart {'rm' if 'rm' in words else 'down'}" in text
        assert running(here) == every
    # Nor does what it left for the next time.
    here.compose("down", "-t", "0").ok()
    assert_refused(there.compose("down", "-v"), "nothing was done to apart_kept")
    assert "apart_kept" in here.compose("volumes", "-q").ok().stdout
    here.up()
    # Both are one directory where a link leads to it.
    link = there.folder.parent / "link" / "apart"
    link.parent.mkdir()
    link.symlink_to(here.folder)
    there.compose("-f", str(link / "compose.yaml"), "down", "-t", "0").ok()
    assert here.states() == {}


def test_orphans_are_those_of_the_directory(make_project: MakeProject) -> None:
    here, there = pair(
        make_project,
        f"services:\n  theirs: {WAITS}\n",
        f"services:\n  ours: {WAITS}\n  old: {WAITS}\n",
    )
    here.up()
    there.up()
    there.write("compose.yaml", f"services:\n  ours: {WAITS}\n")
    spared = f"apart-theirs-1 (from {here.folder})"
    there.compose("kill", "--remove-orphans").ok()
    assert running(there) == {"apart-theirs-1"}
    assert spared in there.up("--remove-orphans").stderr
    assert there.states().keys() == {"apart-theirs-1", "apart-ours-1"}
    ran = there.compose("run", "--rm", "--remove-orphans", "ours", "true").ok()
    assert spared in ran.stderr
    assert spared in there.compose("down", "-t", "0", "--remove-orphans").ok().stderr
    assert running(here) == {"apart-theirs-1"}
    # What it is on stays, too.
    here.compose("restart", "-t", "0").ok()
    assert here.exec("theirs", "nslookup", "theirs").returncode == 0
    here.compose("down", "-t", "0").ok()


def test_up_replaces_nothing_of_another_directory(make_project: MakeProject) -> None:
    changed = SHARED.replace("sleep 900", "sleep 901")
    here, there = pair(make_project, SHARED, changed)
    here.up()
    before = here.ps()
    replaced = f"another directory, {here.folder}: apart-data-1, apart-web-1 would be replaced"
    for words in (("up", "-d"), ("create",), ("plan",)):
        assert_refused(there.compose(*words), replaced, "cntnr compose -p apart up")
    assert_refused(there.compose("up", "-d", "--scale", "web=0", "web"), "apart-web-1 would be")
    assert [row["ID"] for row in here.ps()] == [row["ID"] for row in before]
    # What is as it should be is used as it is.
    there.write("compose.yaml", SHARED)
    assert f"containers of project apart came from {here.folder}; " in there.up().stderr
    assert [row["ID"] for row in here.ps()] == [row["ID"] for row in before]
    there.write("compose.yaml", changed)
    there.compose("-p", "apart", "up", "-d", "-t", "0").ok()
    assert_refused(here.compose("down"), f"another directory, {there.folder}")
    there.compose("down", "-t", "0").ok()


def test_a_folder_may_move_and_a_name_means_all_of_it(make_project: MakeProject) -> None:
    here, there = pair(make_project, SHARED, SHARED)
    here.up()
    moved = here.folder.rename(here.folder.parent / "moved")
    try:
        assert_refused(there.compose("down"), "came from another directory")
        # The folder has no project any more, so that nobody loses anything.
        taken = there.up("--force-recreate", "-t", "0")
        assert f"containers of project apart came from {here.folder}; " in taken.stderr
        there.compose("down", "-t", "0", env={"COMPOSE_PROJECT_NAME": "apart"}).ok()
        assert there.states() == {}
        there.up()
        there.cntnr("compose", "-p", "apart", "down", "-t", "0", "-v", cwd=moved.parent).ok()
        assert there.states() == {}
    finally:
        shutil.move(moved, here.folder)


def test_verbs_work_from_labels_alone(make_project: MakeProject) -> None:
    project = make_project(SHARED, name="alone")
    project.up()
    elsewhere = project.folder.parent

    def by_name(*words: str, code: int = 0) -> str:
        ended = project.compose("-p", "alone", *words, cwd=elsewhere)
        assert ended.returncode == code, ended
        assert "Traceback" not in ended.stderr
        return ended.stdout + ended.stderr

    assert by_name("ps", "--services").split() == ["data", "web"]
    assert "alone-web-1" in by_name("images")
    assert "sleep 900" in by_name("top")
    assert "alone_kept" in by_name("volumes")
    assert by_name("logs") == ""
    by_name("exec", "-T", "web", "true")
    by_name("pause", "web")
    by_name("unpause", "web")
    by_name("kill", "-s", "USR1", "web")
    by_name("restart", "-t", "0", "data")
    by_name("stop", "-t", "0")
    assert running(project) == set()
    by_name("start")
    assert running(project) == {"alone-web-1", "alone-data-1"}
    # Nobody knows whether a service had containers before; who starts it has to know.
    for verb in ("ps", "logs", "stop", "kill", "pause", "unpause", "top", "images", "down"):
        assert "no such service" not in by_name(verb, "former")
    by_name("rm", "-f", "former")
    for verb in ("start", "restart"):
        assert "no such service: former" in by_name(verb, "former", code=1)
    assert 'no containers for project "alone"' in by_name("wait", "former", code=1)
    for verb in ("config", "up", "create", "pull", "build"):
        assert "no configuration file provided: not found" in by_name(verb, code=1)
    by_name("rm", "-sf", "web")
    by_name("down", "-t", "0", "-v")
    assert by_name("ps", "-aq") == by_name("volumes", "-q") == ""
