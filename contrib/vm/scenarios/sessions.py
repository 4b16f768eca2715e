"""What logging out does to containers."""

import json

from contrib.vm.rows import Person, Project, require, row
from contrib.vm.scenarios.projects import SLEEPER

BACK = """
services:
  a: {image: machine:1, init: true, restart: always}
  b: {image: machine:1, init: true, restart: always}
"""
KILLING = "/etc/systemd/logind.conf.d/row.conf"


def container_id(project: Project) -> str:
    """Return the id of the one container, which has to run."""
    [container] = project.containers()
    require(container["State"] == "running", f"its state is {container['State']}")
    return str(container["ID"])


def require_doctor(person: Person, state: str, words: str) -> None:
    """Check what `doctor` says of logouts."""
    checks = json.loads(person.ok("cntnr doctor --format json"))
    check = next(check for check in checks if check["name"] == "linger")
    said = f"{check['state']}: {check['found']}: {check['loses']}"
    require((check["state"], words in said) == (state, True), f"doctor says {said}")


@row("logout-linger", user="other", promise="with linger, containers stay when the user logs out")
def logout_with_linger(person: Person) -> None:
    """Log out and in again, with linger."""
    root = person.another("root")
    root.ok("loginctl enable-linger other")
    try:
        require_doctor(person, "ok", "on")
        with person.project("linger", SLEEPER) as project:
            project.ok("up -d")
            before = container_id(project)
            person.log_out()
            require(before == container_id(project), "it is another container")
            project.ok("exec -T a true")
    finally:
        root.ok("loginctl disable-linger other")


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
        before = container_id(project)
        person.log_out()
        require(before == container_id(project), "it is another container")
        project.ok("exec -T a true")


@row(
    "logout-killing",
    user="other",
    promise="with KillUserProcesses=yes, `ps` says afterwards what ended, and `up` starts it; `doctor` said"
    " so; what has `restart: always` is back at the next login",
)
def logout_with_killing(person: Person) -> None:
    """Have logind kill what a session leaves, log out and in again."""
    root = person.another("root")
    root.machine.put("root", KILLING, b"[Login]\nKillUserProcesses=yes\n")
    root.ok("systemctl restart systemd-logind")
    try:
        require_doctor(person, "reduced", "containers end when you log out")
        with person.project("killed", SLEEPER) as project, person.project("back", BACK) as back:
            project.ok("up -d")
            back.ok("up -d")
            back.ok("stop -t 0 b")
            person.log_out()
            back.wait("ps --services --status running | grep -q a", limit=600)
            require(back.states()["b"] == "exited", "what was stopped before the logout is back")
            require(project.states() == {"a": "exited"}, f"ps says {project.states()}")
            project.ok("up -d")
            require(project.states() == {"a": "running"}, f"then ps says {project.states()}")
    finally:
        root.ok(f"rm {KILLING}; systemctl restart systemd-logind")
