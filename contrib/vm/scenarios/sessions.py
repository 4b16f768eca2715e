"""What logging out does to containers."""

from contrib.vm.rows import Person, Project, require, row
from contrib.vm.scenarios.projects import SLEEPER

KILLING = "/etc/systemd/logind.conf.d/row.conf"


def container_id(project: Project) -> str:
    """Return the id of the one container, which has to run."""
    [container] = project.containers()
    require(container["State"] == "running", f"its state is {container['State']}")
    return str(container["ID"])


@row("logout-linger", user="other", promise="with linger, containers stay when the user logs out")
def logout_with_linger(person: Person) -> None:
    """Log out and in again, with linger."""
    root = person.another("root")
    root.ok("loginctl enable-linger other")
    try:
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
    promise="with KillUserProcesses=yes, `ps` says afterwards what ended, and `up` starts it",
)
def logout_with_killing(person: Person) -> None:
    """Have logind kill what a session leaves, log out and in again."""
    root = person.another("root")
    root.machine.put("root", KILLING, b"[Login]\nKillUserProcesses=yes\n")
    root.ok("systemctl restart systemd-logind")
    try:
        with person.project("killed", SLEEPER) as project:
            project.ok("up -d")
            person.log_out()
            require(project.states() == {"a": "exited"}, f"ps says {project.states()}")
            project.ok("up -d")
            require(project.states() == {"a": "running"}, f"then ps says {project.states()}")
    finally:
        root.ok(f"rm {KILLING}; systemctl restart systemd-logind")
