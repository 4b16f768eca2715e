"""Reboots in order, and the plug pulled."""

import contextlib
from collections.abc import Iterator

from contrib.vm.rows import Person, Project, require, row
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


STARTED = "'{{.State.StartedAt}}'"
# The one that others wait for is healthy only after a while, in each of its runs.
BOOT = """
services:
  web:
    image: machine:1
    init: true
    restart: always
    depends_on: {db: {condition: service_healthy}}
  db:
    image: machine:1
    init: true
    restart: unless-stopped
    command: [sh, -c, "rm -f /ready; sleep 5; touch /ready; exec sleep 100000"]
    healthcheck: {test: test -e /ready, interval: 1s, timeout: 60s, retries: 60}
  stopped:
    image: machine:1
    init: true
    restart: unless-stopped
  never:
    image: machine:1
    init: true
"""
FRESH = """
services:
  a:
    init: true
    build:
      context: .
      dockerfile_inline: |
        FROM machine:1
        RUN head -c 4000000 /dev/urandom >/data && sha256sum /data >/sum
"""
# As where a command takes a second: the kernel writes nothing by itself meanwhile. A boot undoes it.
LAZY_DISK = "sysctl -q vm.dirty_writeback_centisecs=0 vm.dirty_expire_centisecs=360000"
TOLD = "~/.local/share/cntnr/told-of-reboots"  # else it is not told again
# Without the file there is no polkit (customize.sh).
POLKIT = "/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service"
RULE = "/etc/polkit-1/rules.d/10-row.rules"
FORBID = b"""polkit.addRule(function(action, subject) {
  if (action.id == "org.freedesktop.login1.set-self-linger") return polkit.Result.NO;
});
"""


@row(
    "reboot",
    user="dev",
    promise="after a reboot, before any login, what `up` and `run` began is back in order, as restart"
    " policies say; what was stopped or disabled is not",
)
def reboot(person: Person) -> None:
    """Reboot with two projects and a container that run, one project disabled, one service stopped."""
    root = person.another("root")
    root.ok("loginctl enable-linger dev")
    try:
        with person.project("reboot", BOOT) as project, person.project("off", STACK) as off:
            project.ok("up -d")
            off.ok("up -d")
            off.ok("disable")
            project.ok("stop -t 0 stopped")
            person.ok("cntnr run -d --init --restart always --name solo machine:1")
            person.machine.reboot()
            root.wait("test $(pgrep -u dev -c conmon) -ge 3", limit=600)
            project.wait("ps --services --status running | grep -q web", limit=600)
            check_order(project)
            require(off.states().get("always") == "exited", f"disabled: {off.states()}")
            person.ok("cntnr inspect solo | grep -q '\"Running\": true'")
            person.ok("cntnr rm -f solo")
            person.ok("! test -e ~/.config/systemd/user/cntnr-_.service")
        person.ok("! ls ~/.config/systemd/user/cntnr-*.service")
    finally:
        person.run("cntnr rm -f solo")
        root.ok("loginctl disable-linger dev")


def check_order(project: Project) -> None:
    """Check which services are back, and that one began after another was healthy."""
    ended = {"stopped": "exited", "never": "exited"}
    require(project.states() == {**ended, "web": "running", "db": "running"}, project.states())
    web, db = (
        int(project.person.ok(f'date +%s -d "$(cntnr inspect -f {STARTED} reboot-{name}-1)"'))
        for name in ("web", "db")
    )
    require(web - db >= 5, f"web began {web - db} s after db, which was not ready by then")
    require("healthy" in project.ok("ps db"), project.ok("ps db"))


@row(
    "reboot-cron",
    user="other",
    promise="where linger cannot be turned on, `up` names `enable`, by which cron starts containers at boot,"
    " before any login; `down` takes the line away",
)
def reboot_by_cron(person: Person) -> None:
    """Enable a project without linger and polkit, stop a service, and reboot."""
    root = person.another("root")
    with person.project("cron", STACK) as project:
        person.ok(f"rm -f {TOLD}")
        told = project.run("up -d").stderr
        require("or `cntnr compose enable`, by cron" in told, f"up says {told}")
        said = project.ok("enable")
        require("(by cron)" in said, f"enable says {said}")
        project.ok("stop -t 0 unless")
        person.machine.reboot()
        root.wait("pgrep -u other conmon", limit=600)
        root.ok("! test -e /run/user/$(id -u other)")
        project.wait("ps --services --status running | grep -q always", limit=600)
        ended = {"unless": "exited", "never": "exited"}
        require(project.states() == {"always": "running", **ended}, project.states())
        project.take_down()
        person.ok("! crontab -l | grep cntnr")
    require_nothing_left(person)


@row(
    "linger-polkit",
    user="other",
    promise="`up` turns linger on where polkit allows it, and tells how to undo it; where polkit does not,"
    " one line names the command",
)
def linger_by_polkit(person: Person) -> None:
    """Bring a project up where polkit forbids linger, and where it allows it."""
    root = person.another("root")
    mark = f"/var/lib/systemd/linger/{person.user}"
    with polkit(root), person.project("linger", STACK) as project:
        root.machine.put("root", RULE, FORBID)
        told = check_told(project, "not at boot, until `loginctl enable-linger other`")
        require("\n" not in told.strip(), f"up says more than a line: {told}")
        root.ok(f"! test -e {mark}; rm {RULE}")
        project.take_down()
        check_told(project, "undo: `loginctl disable-linger other`")
        root.ok(f"test -e {mark}")
        person.ok("loginctl disable-linger other")
        root.ok(f"! test -e {mark}")
    require_nothing_left(person)


def check_told(project: Project, words: str) -> str:
    """Bring a project up, and check and return the line about reboots."""
    project.person.ok(f"rm -f {TOLD}")
    up = project.run("up -d")
    require(up.status == 0, up)
    told = "\n".join(line for line in up.stderr.splitlines() if "level=warning" in line)
    require(words in told, f"up says {up.stderr}")
    return told


@contextlib.contextmanager
def polkit(root: Person) -> Iterator[None]:
    """Have polkit on the machine, as if it were installed."""
    root.ok(f"mv {POLKIT}.off {POLKIT} && systemctl reload dbus")
    try:
        yield
    finally:
        root.ok(
            f"mv {POLKIT} {POLKIT}.off; rm -f {RULE}; systemctl reload dbus; systemctl stop polkit"
        )
        root.ok("rm -f /var/lib/systemd/linger/other")


@row(
    "plug-pulled",
    user="other",
    promise="after the plug was pulled, `ps`, `logs`, `up` and `down` are right at once",
)
def plug_pulled(person: Person) -> None:
    """Pull the plug a moment after `up` and a write to a volume."""
    with person.project("plug", STACK) as project:
        project.ok("up -d")
        project.ok("disable")  # else the next login starts it, and it is not known when
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
        project.take_down()
    require_nothing_left(person)


@row("plug-then-down", user="dev", promise="after the plug was pulled, `down` alone leaves nothing")
def plug_then_down(person: Person) -> None:
    """Pull the plug right after `up`, and take the project down."""
    with person.project("torn", STACK) as project:
        project.ok("up -d")
        person.machine.pull_plug()
        project.take_down()
    require_nothing_left(person)


@row(
    "plug-next-login",
    user="other",
    promise="what was done a moment before the plug was pulled is not lost: a stop, a new container; without"
    " linger the rest comes back at the next login",
)
def plug_next_login(person: Person) -> None:
    """Stop a service, start a container, pull the plug at once, and log in."""
    with person.project("last", STACK) as project:
        project.ok("up -d")
        project.ok("stop -t 0 unless; cntnr run -d --init --restart always --name solo machine:1")
        person.machine.pull_plug()
        try:
            project.wait("ps --services --status running | grep -q always", limit=600)
            states = project.states()
            require(states["unless"] == "exited", f"what was stopped is {states['unless']}")
            require(states["never"] == "exited", f"what is not restarted is {states['never']}")
            person.wait("cntnr ps --format '{{.Names}}' | grep -q solo", limit=600)
        finally:
            person.run("cntnr rm -f solo")
    require_nothing_left(person)


@row(
    "plug-image",
    user="other",
    promise="what of an image was not on the disk when the plug was pulled is found, and unpacked or"
    " built again by `up`",
)
def plug_image(person: Person) -> None:
    """Build an image, pull the plug at once, bring it up, and look at its files."""
    with person.project("fresh", FRESH) as project:
        person.another("root").ok(LAZY_DISK)
        project.ok("build -q")
        person.machine.pull_plug()
        project.ok("up -d")
        project.ok("exec -T a sha256sum -c /sum")
        project.take_down()
        person.ok("cntnr rmi fresh-a && cntnr image fsck --repair && cntnr image fsck")
    require_nothing_left(person)
