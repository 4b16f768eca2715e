"""What configs and secrets hold has changed: `up` recreates who uses them, and nobody else."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project

pytestmark = pytest.mark.usefixtures("busybox_image")

TEXT = """
x-waits: &waits {image: busybox, command: sleep 900, stop_signal: KILL}
services:
  content: {<<: *waits, configs: [{source: page, target: /page}]}
  variable: {<<: *waits, configs: [word], secrets: [key]}
  copied: {<<: *waits, secrets: [{source: list, target: /list, mode: 0400}]}
  mounted: {<<: *waits, configs: [{source: live, target: /live}]}
  other: {<<: *waits}
configs:
  page: {content: "first ${WHO} 5$$"}
  word: {environment: WORD}
  live: {file: ./live.txt}
secrets:
  key: {environment: KEY}
  list: {file: ./list.txt}
"""
ENV = {"WHO": "all", "WORD": "w1", "KEY": "k1"}


def ids(project: Project) -> dict[str, str]:
    """Return the ids of containers by service."""
    return {row["Service"]: row["ID"] for row in project.ps()}


def read(project: Project, service: str, path: str) -> str:
    return project.exec(service, "cat", path).ok().stdout.strip()


def changed_by_up(project: Project, env: dict[str, str]) -> set[str]:
    """Bring the project up again; return the services whose containers were recreated."""
    before = ids(project)
    project.up("-t", "0", env=env)
    after = ids(project)
    return {name for name, identity in after.items() if identity != before[name]}


def test_who_uses_what_has_changed_is_recreated(make_project: MakeProject) -> None:
    project = make_project(TEXT, files={"live.txt": "live 1\n", "list.txt": "list 1\n"})
    project.up(env=ENV)
    assert read(project, "content", "/page") == "first all 5$"
    assert changed_by_up(project, ENV) == set()
    hashes = project.compose("config", "--hash", "content", env=ENV).ok().stdout

    project.write("compose.yaml", TEXT.replace("first", "second"))
    plan = project.compose("plan", env=ENV).ok().stdout
    assert f"recreate container {project.name}-content-1: config page changed" in plan
    assert project.compose("config", "--hash", "content", env=ENV).ok().stdout == hashes
    assert changed_by_up(project, ENV) == {"content"}
    assert read(project, "content", "/page") == "second all 5$"

    assert changed_by_up(project, ENV | {"WHO": "none", "KEY": "k2"}) == {"content", "variable"}
    assert read(project, "content", "/page") == "second none 5$"
    assert read(project, "variable", "/run/secrets/key") == "k2"


def test_a_file_counts_where_the_container_has_a_copy_of_it(make_project: MakeProject) -> None:
    project = make_project(TEXT, files={"live.txt": "live 1\n", "list.txt": "list 1\n"})
    project.up(env=ENV)
    for name in ("live.txt", "list.txt"):
        (project.folder / name).write_text("changed\n")
    assert changed_by_up(project, ENV) == {"copied"}
    assert read(project, "copied", "/list") == read(project, "mounted", "/live") == "changed"
    # Another file is another file, whatever is in it.
    project.write("else.txt", "changed\n")
    project.write("compose.yaml", TEXT.replace("./live.txt", "./else.txt"))
    assert changed_by_up(project, ENV) == {"mounted"}


def test_an_orphan_keeps_what_it_was_made_with(make_project: MakeProject) -> None:
    project = make_project(TEXT, files={"live.txt": "live 1\n", "list.txt": "list 1\n"})
    project.up("content", "variable", env=ENV)
    project.write("compose.yaml", TEXT[: TEXT.index("  content:")] + "  other: {<<: *waits}\n")
    project.up()
    project.compose("-p", project.name, "restart", "-t", "0", "content", "variable").ok()
    by_name = ("-p", project.name, "exec", "-T")
    for service, path, text in (
        ("content", "/page", "first all 5$"),
        ("variable", "/run/secrets/key", "k1"),
    ):
        assert project.compose(*by_name, service, "cat", path).ok().stdout == text


def test_a_variable_that_is_not_set_now_changes_nothing(make_project: MakeProject) -> None:
    project = make_project(TEXT, files={"live.txt": "live 1\n", "list.txt": "list 1\n"})
    project.up("variable", env=ENV)
    before = ids(project)
    project.up("variable", env={"WORD": "w1"})
    assert ids(project) == before
    assert read(project, "variable", "/run/secrets/key") == "k1"
