"""Projects from `up` to `down`, as each of the users."""

from contrib.vm.install import FILES
from contrib.vm.rows import Person, Project, require, row

# The example's probes have two seconds, which is not enough without KVM.
PATIENT = """
services:
  web: {healthcheck: {timeout: 60s, interval: 2s}}
  api: {healthcheck: {timeout: 60s, interval: 2s}}
"""
# Brackets, so that the search does not find itself.
PARTS = "[c]onmon|[r]ootlesskit|[s]lirp4netns|[d]nsmasq|[c]ntnr supervisor"
PORTS = {"dev": 18081, "other": 18082, "noids": 18083, "root": 18084}
SLEEPER = """
services:
  a:
    image: machine:1
    init: true
    command: [sh, -c, "echo begun; exec sleep 100000"]
"""


def require_nothing_left(person: Person) -> None:
    """Check that the last `down` has ended all processes, and unmounted everything."""
    person.wait(f"! pgrep -u $(id -u) -fa '{PARTS}'", limit=90)
    root = person.another("root")
    mounts = root.ok(f"grep -c 'cntnr.*{person.user}' /proc/self/mountinfo || true").strip()
    require(mounts == "0", f"{mounts} mounts are left")


def check_hello(person: Person) -> None:
    """Bring the example up, look at it, ask it, take it down."""
    port = PORTS[person.user]
    person.ok(f"mkdir -p rows && cp -rT {FILES}/hello rows/hello && rows/hello/prepare.sh")
    person.machine.put(person.user, "rows/hello/patient.yaml", PATIENT.encode())
    prefix = (
        f"HELLO_PORT={port} cntnr compose -f rows/hello/compose.yaml -f rows/hello/patient.yaml"
    )
    try:
        person.ok(f"{prefix} up -d --build --wait", limit=1800)
        listed = person.ok(f"{prefix} ps")
        require(listed.count("(healthy)") == 2, f"ps says: {listed}")
        page = person.ok(f"curl -sSf --max-time 60 http://127.0.0.1:{port}/")
        require("<title>hello</title>" in page, f"the page is {page[:80]!r}")
        logs = person.run(f"{prefix} logs --no-color")
        require(logs.status == 0, logs)
    finally:
        down = person.run(f"{prefix} down -v -t 2")
    require(down.status == 0, down)
    require(person.ok("cntnr compose ls -aq").strip() == "", "ls still has projects")
    refused = person.run(f"curl -sS --max-time 10 http://127.0.0.1:{port}/")
    require(refused.status != 0, "the port still answers")
    require_nothing_left(person)


for name in PORTS:
    row(
        f"hello-{name}",
        user=name,
        promise="`up --build --wait`, `ps`, `logs`, the published port; `down -v` leaves nothing",
    )(check_hello)


@row("exec", user="dev", promise="`exec`: output, status, environment, another user")
def run_in_containers(person: Person) -> None:
    """Run commands in a container."""
    with person.project("exec", SLEEPER) as project:
        project.ok("up -d")
        said = project.ok("exec -T -e A=b a sh -c 'echo $A $(id -u); cat /proc/1/comm'")
        require(said.split()[:2] == ["b", "0"], f"exec says {said!r}")
        require(project.run("exec -T a sh -c 'exit 7'").status == 7, "the status is lost")
        said = project.ok("exec -T -u 1234:5678 a id")
        require("uid=1234 gid=5678" in said, f"id says {said!r}")
        check_logs(project)


def check_logs(project: Project) -> None:
    """Check that the service's first line is there."""
    require("begun" in project.wait("logs a | grep begun"), "the log is empty")


@row("stop", user="other", promise="`stop`, `start`, `restart`, `kill`: `ps` shows what is so")
def stop_and_start(person: Person) -> None:
    """Go through the states of a service."""
    with person.project("stop", SLEEPER) as project:
        project.ok("up -d")
        for words, state in (
            ("stop -t 1", "exited"),
            ("start", "running"),
            ("restart -t 1", "running"),
            ("kill", "exited"),
            ("up -d", "running"),
        ):
            project.ok(words)
            require(project.states() == {"a": state}, f"after {words}: {project.states()}")
