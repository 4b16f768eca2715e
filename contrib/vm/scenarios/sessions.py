"""What logging out does to containers."""

import contextlib
import json
from collections.abc import Iterator

from contrib.vm.rows import Person, Project, require, row
from contrib.vm.scenarios.projects import SLEEPER, require_nothing_left

BACK = """
services:
  a: {image: machine:1, init: true, restart: always}
  b: {image: machine:1, init: true, restart: always}
"""
KILLING = "/etc/systemd/logind.conf.d/row.conf"
TOLD = "~/.local/share/cntnr/told-of-logouts"
ENDS = "containers end when you log out"
RUNNING = "ps --services --status running | grep -q a"


def container_id(project: Project) -> str:
    """Return the id of the one container, which has to run."""
    [container] = project.containers()
    require(container["State"] == "running", f"its state is {container['State']}")
    return str(container["ID"])


def require_doctor(person: Person, state: str, words: str) -> None:
    """Check what `doctor` says of logouts."""
    checks = json.loads(person.ok("cntnr doctor --format json"))
    check = next(check for check in checks if check["name"] == "linger")
    said = f"{check['state']}: {check['found']}: {check.get('loses')}"
    require((check["state"], words in said) == (state, True), f"doctor says {said}")


@contextlib.contextmanager
def linger(person: Person) -> Iterator[None]:
    """Have the user's systemd run without a login."""
    root = person.another("root")
    root.ok(f"loginctl enable-linger {person.user}")
    try:
        yield
    finally:
        root.ok(f"loginctl disable-linger {person.user}")


@contextlib.contextmanager
def killing(person: Person) -> Iterator[None]:
    """Have logind kill what a session leaves."""
    root = person.another("root")
    root.machine.put("root", KILLING, b"[Login]\nKillUserProcesses=yes\n")
    root.ok("systemctl restart systemd-logind")
    try:
        yield
    finally:
        root.ok(f"rm {KILLING}; systemctl restart systemd-logind")


def require_outlasting(person: Person, project: Project) -> None:
    """Log out and in again: the same container runs, also while nobody is logged in."""
    before = container_id(project)
    person.log_out()
    person.another("root").ok(f"pgrep -u {person.user} conmon")
    require(before == container_id(project), "it is another container")
    project.ok("exec -T a true")


@row("logout-linger", user="other", promise="with linger, containers stay when the user logs out")
def logout_with_linger(person: Person) -> None:
    """Log out and in again, with linger."""
    with linger(person):
        require_doctor(person, "ok", "on")
        with person.project("linger", SLEEPER) as project:
            project.ok("up -d")
            require_outlasting(person, project)


@row(
    "logout-linger-killing",
    user="other",
    promise="with linger and KillUserProcesses=yes, containers stay at a logout, `ps` and `doctor` say so,"
    " `down` leaves nothing",
)
def logout_with_linger_and_killing(person: Person) -> None:
    """Log out and in again, with linger, while logind kills what a session leaves."""
    with killing(person), linger(person):
        with person.project("staying", SLEEPER) as project:
            up = project.run("up -d")
            require(up.status == 0 and ENDS not in up.stderr, up)
            require_doctor(person, "ok", "on")
            require_outlasting(person, project)
        require_nothing_left(person)


@row(
    "logout-linger-later",
    user="other",
    promise="with KillUserProcesses=yes, `up` says once what a logout does; linger that comes later counts"
    " from the next `up` on",
)
def linger_that_comes_later(person: Person) -> None:
    """Turn linger on beside a container that runs."""
    with killing(person), person.project("later", SLEEPER) as project:
        person.run(f"rm -f {TOLD}")
        for is_told in (True, False):
            said = project.run("up -d").stderr
            require((ENDS in said) == is_told, f"up says {said!r}")
        with linger(person):
            require_doctor(person, "reduced", f"on, and KillUserProcesses=yes: {ENDS}")
            project.ok("up -d")
            require_doctor(person, "ok", "on")
            require_outlasting(person, project)
            project.ok("down -t 0")


@row(
    "logout",
    user="other",
    promise="without linger, containers stay at a logout, as logind's defaults have it",
)
def logout_without_linger(person: Person) -> None:
    """Log out and in again, without linger."""
    require_doctor(person, "reduced", "containers survive logout")
    with person.project("logout", SLEEPER) as project:
        up = project.run("up -d")
        require(up.status == 0, up)
        require_outlasting(person, project)


@row(
    "logout-killing",
    user="other",
    promise="with KillUserProcesses=yes, `ps` says afterwards what ended, and `up` starts it; `doctor` said"
    " so; what has `restart: always` is back at the next login",
)
def logout_with_killing(person: Person) -> None:
    """Have logind kill what a session leaves, log out and in again."""
    with killing(person):
        require_doctor(person, "reduced", ENDS)
        with person.project("killed", SLEEPER) as project, person.project("back", BACK) as back:
            project.ok("up -d")
            back.ok("up -d")
            back.ok("stop -t 0 b")
            person.log_out()
            person.another("root").ok(f"! pgrep -u {person.user} conmon")
            back.wait(RUNNING, limit=600)
            require(back.states()["b"] == "exited", "what was stopped before the logout is back")
            require(project.states() == {"a": "exited"}, f"ps says {project.states()}")
            project.ok("up -d")
            require(project.states() == {"a": "running"}, f"then ps says {project.states()}")


@row(
    "logout-of-login",
    user="other",
    promise="without linger, what a login has started ends with the last session, which `doctor` says, and is"
    " back at the next login",
)
def logout_of_what_a_login_started(person: Person) -> None:
    """End all of a user's, log in, which starts containers, and out and in again."""
    root = person.another("root")
    with person.project("again", BACK) as project:
        project.ok("up -d")
        root.ok(f"loginctl terminate-user {person.user}")
        person.log_out()
        project.wait(RUNNING, limit=600)
        require_doctor(person, "reduced", f"off: {ENDS}")
        person.log_out()
        root.ok(f"! pgrep -u {person.user} conmon")
        project.wait(RUNNING, limit=600)
