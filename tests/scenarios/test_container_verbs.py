"""`cntnr VERB` and `cntnr container VERB` act on the containers of all projects."""

import subprocess
import time

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, assert_refused
from tests.scenarios.terminal import Terminal

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


def test_every_change_of_state_and_its_refusals(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SLEEPERS.format(image=busybox_image), name="c")
    user = project.user
    project.up()
    web, slow = "c-web-1", "c-slow-1"
    identity_of_web = identity(project, web)

    paused = cntnr(user, "pause", web, slow, web)
    assert (paused.returncode, paused.stdout) == (1, f"{web}\n{slow}\n")
    assert_refused(paused, f"container {web} is already paused")
    assert_refused(
        cntnr(user, "rm", web),
        f'cannot remove container "/{web}": container is paused and must be unpaused first',
    )
    assert_refused(cntnr(user, "start", web), "cannot start a paused container, try unpause")
    assert_refused(cntnr(user, "attach", web), "You cannot attach to a paused container")
    assert cntnr(user, "container", "unpause", web, slow).ok().stdout == f"{web}\n{slow}\n"
    assert_refused(cntnr(user, "unpause", web), f"container {web} is not paused")

    for signal, code in (("USR2", 4), ("sigusr1", 3), ("12", 4)):
        waiting = user.popen("cntnr", "wait", slow, stdout=subprocess.PIPE)
        time.sleep(0.5)  # so that it waits; that it may not is no mistake
        assert cntnr(user, "kill", "-s", signal, slow).ok().stdout == f"{slow}\n"
        assert waiting.communicate(timeout=10)[0] == f"{code}\n"
        assert project.states()[slow] == "exited"
        assert cntnr(user, "wait", slow).ok().stdout == f"{code}\n"
        cntnr(user, "start", slow).ok()
    assert_refused(cntnr(user, "kill", "-s", "NONE", slow), "invalid signal: NONE")
    # It counts as stopped by the user, in spite of `restart: always`.
    assert cntnr(user, "kill", web).ok().stdout == f"{web}\n"
    assert project.states()[web] == "exited"
    not_running = f"cannot kill container: {web}: container {identity_of_web}"
    assert_refused(cntnr(user, "kill", web), not_running, " is not running")
    assert_refused(cntnr(user, "pause", web), f"container {web} is not running")

    assert cntnr(user, "restart", "-t", "0", web, slow).ok().stdout == f"{web}\n{slow}\n"
    assert project.states() == {web: "running", slow: "running"}
    assert cntnr(user, "container", "restart", "-s", "USR2", slow).ok().stdout == f"{slow}\n"
    events = project.compose("events", "--since", "5m", "--until", "0s").ok().stdout
    assert events.count("exitCode=4") == 3  # by USR2, 12 and the restart

    refused = cntnr(user, "rm", web)
    why = "container is running: stop the container before removing or force remove"
    assert_refused(refused, f'cannot remove container "/{web}": {why}')
    assert_refused(cntnr(user, "rm", "-l", web), "--link")
    removed = cntnr(user, "rm", "-f", "-v", "nosuch", web)
    assert (removed.ok().stdout, removed.stderr) == (
        f"{web}\n",
        "error: No such container: nosuch\n",
    )
    assert_refused(cntnr(user, "rm", "nosuch"), "No such container: nosuch")
    assert project.states() == {slow: "running"}


def test_a_stop_under_way_is_cut_short_by_kill(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SLEEPERS.format(image=busybox_image), name="d")
    user = project.user
    project.up("slow")
    stopping = user.popen(
        "cntnr", "stop", "-s", "TERM", "-t", "60", "d-slow-1", stdout=subprocess.PIPE
    )
    time.sleep(1)
    assert stopping.poll() is None
    cntnr(user, "kill", "d-slow-1").ok()
    assert stopping.communicate(timeout=10)[0] == "d-slow-1\n"


def test_a_container_gets_another_name_and_stays_that_of_its_service(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SLEEPERS.format(image=busybox_image), name="e")
    other = make_project(SLEEPERS.format(image=busybox_image), name="f")
    user = project.user
    project.up()
    other.up("web")
    taken = identity(other, "f-web-1")
    for name, why in {
        "f-web-1": f'name "/f-web-1" is already in use by container "{taken}',
        "e-web-1": "Renaming a container with the same name as its current name",
        "a b": "Error when allocating new name: Invalid container name (a b)",
        "": "Neither old nor new names may be empty",
    }.items():
        assert_refused(cntnr(user, "rename", "e-web-1", name), why)
    renamed = cntnr(user, "rename", "e-web-1", "front")
    assert (renamed.ok().stdout, renamed.stderr) == ("", "")
    assert_refused(cntnr(user, "stop", "e-web-1"), "No such container: e-web-1")
    assert project.exec("slow", "nslookup", "front").returncode == 0
    assert project.states() == {"front": "running", "e-slow-1": "running"}
    assert cntnr(user, "container", "rename", "front", "e-front").ok().stdout == ""
    project.up()
    assert project.states() == {"e-front": "running", "e-slow-1": "running"}
    assert cntnr(user, "restart", "-t", "0", "e-front").ok().stdout == "e-front\n"


ECHO = "read line; echo $$line; echo err >&2; exit 5"
STREAMS = """
services:
  echo: {{image: {image}, stdin_open: true, command: [sh, -c, "{program}"]}}
  shell: {{image: {image}, stdin_open: true, tty: true, stop_signal: KILL, command: sh}}
"""


def test_a_container_is_started_and_attached_to(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(STREAMS.format(image=busybox_image, program=ECHO), name="g")
    user = project.user
    project.compose("create").ok()
    echo, shell = "g-echo-1", "g-shell-1"
    assert_refused(
        cntnr(user, "attach", echo), "You cannot attach to a stopped container, start it first"
    )
    assert_refused(cntnr(user, "start", "-a", echo, shell), "you cannot start and attach multiple")
    assert_refused(cntnr(user, "start", "-ai", shell), "the input device is not a TTY")
    started = cntnr(user, "start", "-i", echo, stdin="a line\n")
    assert (started.returncode, started.stdout, started.stderr) == (5, "a line\n", "err\n")
    assert cntnr(user, "start", echo).ok().stdout == f"{echo}\n"
    attached = cntnr(user, "attach", echo, stdin="again\n")
    assert (attached.returncode, attached.stdout, attached.stderr) == (5, "again\n", "err\n")
    with Terminal(project, "cntnr", "start", "-ai", "--detach-keys", "ctrl-x,q", shell) as terminal:
        terminal.sees("#")
        terminal.type("\x18q")
        assert terminal.ends() == 0
    with Terminal(project, "cntnr", "container", "attach", shell) as terminal:
        terminal.type("\r")
        terminal.sees("#")
        terminal.type("exit 4\r")
        assert terminal.ends() == 4


def test_containers_of_no_project_do_not_wait_for_each_other(
    make_project: MakeProject, busybox_image: str
) -> None:
    user = make_project().user
    loop = "trap : TERM; trap 'exit 6' USR1; while :; do sleep 0.1; done"
    created = [
        cntnr(user, "run", "-d", *words, "--name", name, busybox_image, "sh", "-c", loop).ok()
        for name, words in {"deaf": (), "other": ("--rm", "-v", "/anonymous")}.items()
    ]
    deaf, other = (each.stdout.strip() for each in created)
    pipe = subprocess.PIPE
    stopping = user.popen("cntnr", "stop", "-t", "60", deaf[:20], stdout=pipe)
    waiting = user.popen("cntnr", "wait", other[:12], stdout=pipe)
    time.sleep(0.5)
    assert cntnr(user, "rename", "other", "another").ok().stdout == ""
    assert cntnr(user, "stop", "-s", "USR1", "another").ok().stdout == "another\n"
    assert waiting.communicate(timeout=10)[0] == "6\n"
    assert_refused(cntnr(user, "start", "another"), "No such container: another")
    assert stopping.poll() is None
    assert cntnr(user, "kill", "-s", "SIGUSR1", "deaf").ok().stdout == "deaf\n"
    assert stopping.communicate(timeout=10)[0] == f"{deaf[:20]}\n"
    assert cntnr(user, "restart", "deaf").ok().stdout == "deaf\n"
    assert_refused(cntnr(user, "rename", "deaf", "_"), "Invalid container name (_)")
    assert cntnr(user, "rm", "-fv", "deaf").ok().stdout == "deaf\n"
    assert cntnr(user, "volume", "ls", "-q").ok().stdout == ""
