"""Reboots in order, and the plug pulled."""

from contrib.vm.rows import Person, require, row
from contrib.vm.scenarios.projects import require_nothing_left

STACK = """
services:
  always:
    image: machine:1
    init: true
    restart: always
    command: [sh, -c, "echo begun; exec sleep 100000"]
    volumes: ["kept:/kept"]
  unless:
    image: machine:1
    init: true
    restart: unless-stopped
  never:
    image: machine:1
    init: true
volumes:
  kept:
"""


@row(
    "reboot",
    user="dev",
    promise="after a reboot, what `enable` knows is back as restart policies say; what was stopped is not",
)
def reboot(person: Person) -> None:
    """Reboot with one project that runs, and one service that was stopped."""
    with person.project("reboot", STACK) as project:
        project.ok("up -d")
        project.ok("stop -t 1 unless")
        enabled = project.run("enable")
        require(enabled.status == 0, enabled)
        person.machine.reboot()
        project.wait("ps --services --status running | grep -q always", limit=300)
        states = project.states()
        require(states["unless"] == "exited", f"what was stopped is {states['unless']}")
        require(states["never"] == "exited", f"what is not restarted is {states['never']}")


@row(
    "plug-pulled",
    user="other",
    promise="after the plug was pulled, `ps`, `logs`, `up` and `down` are right at once",
)
def plug_pulled(person: Person) -> None:
    """Pull the plug a moment after `up` and a write to a volume."""
    with person.project("plug", STACK) as project:
        project.ok("up -d")
        project.ok("exec -T always sh -c 'echo written >/kept/file; sync'")
        project.ok("stop -t 1 never")
        project.wait("logs always | grep -q begun")
        person.machine.pull_plug()
        states = project.states()
        require("running" not in states.values(), f"nothing runs, and ps says {states}")
        require("begun" in project.ok("logs always"), "the log is lost")
        project.ok("up -d")
        states = project.states()
        require(set(states.values()) == {"running"}, f"after up, ps says {states}")
        said = project.ok("exec -T always cat /kept/file")
        require(said.strip() == "written", f"the volume has {said!r}")
        down = project.run("down -v -t 1")
        require(down.status == 0, down)
    require_nothing_left(person)


@row("plug-then-down", user="dev", promise="after the plug was pulled, `down` alone leaves nothing")
def plug_then_down(person: Person) -> None:
    """Pull the plug right after `up`, and take the project down."""
    with person.project("torn", STACK) as project:
        project.ok("up -d")
        person.machine.pull_plug()
        down = project.run("down -v -t 1")
        require(down.status == 0, down)
        require(person.ok("cntnr compose ls -aq").strip() == "", "ls still has projects")
    require_nothing_left(person)
