"""A name that is nearly right is answered with the right one: verbs, flags, services."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project

TEXT = """
services:
  proxy: {{image: {image}, command: sleep 1000, stop_signal: KILL}}
  tests: {{image: {image}, profiles: [dev]}}
"""


def hint(project: Project, *words: str) -> str:
    """Return the hint of a command that fails."""
    ran = project.cntnr(*words)
    assert ran.returncode == 1
    return ran.stderr.splitlines()[-1]


def test_what_could_be_meant_is_named(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image))
    assert hint(project, "up") == "hint: did you mean `cntnr compose up`?"
    assert hint(project, "compose", "strat") == "hint: did you mean stats or start?"
    assert hint(project, "compose", "up", "--detatch").startswith("hint: did you mean --detach")
    for verb in ("up", "ps", "logs", "stop", "config", "run", "top"):
        assert hint(project, "compose", verb, "prox") == "hint: did you mean proxy?", verb
    assert hint(project, "compose", "up", "test") == "hint: did you mean tests?"
    assert hint(project, "compose", "up", "zzz") == "error: no such service: zzz"
    project.up()
    assert hint(project, "compose", "exec", "proxi", "true") == "hint: did you mean proxy?"
