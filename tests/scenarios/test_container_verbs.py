"""`cntnr VERB` and `cntnr container VERB` act on the containers of all projects."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, assert_refused

SLEEPERS = """
services:
  web: {{image: {image}, command: sleep 1000, stop_signal: KILL, restart: always}}
  slow:
    image: {image}
    stop_signal: USR1
    command: [sh, -c, "trap 'exit 3' USR1; trap 'exit 4' USR2; trap : TERM; while :; do sleep 0.1; done"]
"""


def cntnr(user: User, *words: str, stdin: str = "") -> Result:
    return user.run("cntnr", *words, stdin=stdin)


def identity(project: Project, name: str) -> str:
    return next(each["ID"] for each in project.ps() if each["Name"] == name)


def test_containers_of_several_projects_are_stopped_each_also_where_another_fails(
    make_project: MakeProject, busybox_image: str
) -> None:
    first, second = (make_project(SLEEPERS.format(image=busybox_image), name=name) for name in "ab")
    user = first.user
    first.up()
    second.up()
    short = identity(second, "b-web-1")
    stopped = cntnr(user, "stop", "a-web-1", "nosuch", short, "/a-slow-1")
    assert (stopped.returncode, stopped.stdout) == (1, f"a-web-1\n{short}\n/a-slow-1\n")
    assert_refused(stopped, "error: No such container: nosuch")
    assert first.states() == {"a-web-1": "exited", "a-slow-1": "exited"}
    assert second.states() == {"b-web-1": "exited", "b-slow-1": "running"}
    stopped = cntnr(user, "container", "stop", "-s", "USR2", "-t", "-1", "b-slow-1", "b-slow-1")
    assert (stopped.ok().stdout, stopped.stderr) == ("b-slow-1\nb-slow-1\n", "")
    codes = {each["Name"]: each["ExitCode"] for each in second.ps()}
    assert codes == {"b-web-1": 137, "b-slow-1": 4}
    assert_refused(cntnr(user, "stop", "-s", "NONE", "b-slow-1"), "error: invalid signal: NONE")
    assert_refused(cntnr(user, "stop", ""), 'error: invalid name or ID supplied: ""')
