"""Limits of services from a plain login: what the file says, the kernel enforces."""

import json
import re

from contrib.vm.rows import Person, require, row

MEMORY = """
services:
  a:
    image: machine:1
    mem_limit: 64m
    memswap_limit: 64m
    command: [dd, if=/dev/zero, of=/dev/null, bs=200M, count=1]
"""
TIGHT = """
services:
  a:
    image: machine:1
    init: true
    cpus: 0.25
    pids_limit: 20
    mem_limit: 64m
"""
BUSY = "'while :; do :; done'"


def check_memory(person: Person) -> None:
    """Have a service of 64 MB take 200 MB."""
    with person.project("memory", MEMORY) as project:
        up = project.run("up -d")
        require(up.status == 0, up)
        project.wait("ps -a --format json | grep -q '\"exited\"'", limit=120)
        [container] = project.containers()
        status = container["ExitCode"]
        note = next((line for line in up.stderr.splitlines() if "not honoured" in line), "")
        require(status == 137, f"it ended with status {status}; up said: {note or 'nothing'}")


for name in ("dev", "other", "root"):
    row(
        f"limits-memory-{name}",
        user=name,
        promise="a service of 64 MB that takes 200 MB ends with 137",
    )(check_memory)


@row("limits-oom-told", user="dev", promise="`ps`, `why` and `inspect` say that memory ran out")
def oom_is_told(person: Person) -> None:
    """Look for the word in what is said of the service."""
    with person.project("told", MEMORY) as project:
        project.ok("up -d")
        project.wait("ps -a --format json | grep -q '\"exited\"'", limit=120)
        [container] = project.containers()
        described = json.loads(person.ok(f"cntnr inspect {container['ID']}"))[0]
        require(described["State"]["OOMKilled"], "inspect: OOMKilled is false")
        for words in ("ps -a", "why a"):
            said = project.ok(words)
            require(re.search(r"OOM|out of memory", said), f"{words} says {said!r}")


@row("limits-cpus", user="dev", promise="a service with `cpus: 0.25` gets a quarter of a core")
def cpus_are_held(person: Person) -> None:
    """Count what four busy seconds come to."""
    with person.project("cpus", TIGHT) as project:
        project.ok("up -d")
        said = project.ok(
            f'exec -T a sh -c "timeout 8 sh -c {BUSY}; cat /proc/self/cgroup; '
            'grep usage_usec /sys/fs/cgroup/cpu.stat; cat /sys/fs/cgroup/cpu.max"'
        )
        spent = re.search(r"usage_usec (\d+)", said)
        require(spent, f"the container has no group of its own: {said!r}")
        assert spent is not None
        seconds = int(spent[1]) / 1e6
        require(1 <= seconds <= 3.5, f"8 busy seconds took {seconds:.1f} s of a core: {said!r}")


@row("limits-pids", user="dev", promise="`pids_limit: 20` stops a service that forks on and on")
def pids_are_held(person: Person) -> None:
    """Start forty processes."""
    with person.project("pids", TIGHT) as project:
        project.ok("up -d")
        project.run(
            "exec -T a sh -c 'for i in $(seq 40); do sleep 300 >/dev/null 2>&1 & done; sleep 1'"
        )
        count = int(person.ok("cntnr stats --no-stream --format '{{.PIDs}}' pids-a-1") or 0)
        require(10 < count <= 20, f"{count} processes run")  # nor is there room for `exec`


INSIDE = """
services:
  a:
    image: machine:1
    init: true
    mem_limit: 64m
    mem_reservation: 32m
    cpu_shares: 512
    oom_score_adj: 500
    ulimits: {nofile: 300}
    command: [sleep, "100000"]
    post_start: [{command: [sh, -c, cat /proc/self/cgroup >/hook]}]
    healthcheck: {test: cat /proc/self/cgroup >/check, interval: 2s, timeout: 60s}
"""


@row(
    "limits-inside",
    user="dev",
    promise="`exec`, hooks and checks run in the container's group; reservations, shares, ulimits hold",
)
def all_run_in_the_group(person: Person) -> None:
    """Ask each where it is: the group of the container is the root of what it sees."""
    with person.project("inside", INSIDE) as project:
        project.ok("up -d --wait")
        said = project.ok(
            "exec -T a sh -c 'cat /proc/self/cgroup /hook /check; cd /sys/fs/cgroup;"
            " cat memory.max memory.low cpu.weight /proc/1/oom_score_adj; ulimit -n'"
        ).split()
        expected = [*["0::/"] * 3, str(64 << 20), str(32 << 20), "20", "500", "300"]
        require(said == expected, f"{said} is not {expected}")
        stats = project.ok("stats --no-stream")
        require("/ 64MiB" in stats, f"stats says {stats!r}")


@row("limits-events", user="dev", promise="`events` say `oom` before `die`")
def events_tell(person: Person) -> None:
    """Look into what is kept of the events of a service that had too little memory."""
    with person.project("events", MEMORY) as project:
        project.ok("up -d")
        project.wait("ps -a --format json | grep -q '\"exited\"'", limit=120)
        actions = project.ok("events --since 10m --until 0s --json")
        require(re.search(r'"oom".*"die"', actions, re.DOTALL), f"events say {actions!r}")


@row("limits-build", user="dev", promise="`build --memory` holds what RUN starts")
def builds_are_held(person: Person) -> None:
    """Build with too little memory for a step."""
    person.ensure_image()
    text = b"FROM machine:1\nRUN dd if=/dev/zero of=/dev/null bs=200M count=1\n"
    person.machine.put(person.user, "rows/build/Dockerfile", text)
    build = person.run("cntnr build --memory 64m rows/build")
    require(build.status != 0 and "exit code: 137" in build.stderr, build)


@row("limits-logout", user="other", promise="without linger, limits stay in force at a logout")
def limits_stay(person: Person) -> None:
    """Stay away for longer than the user's systemd would by itself."""
    with person.project("away", TIGHT) as project:
        project.ok("up -d")
        person.log_out()
        person.another("root").ok("sleep 30")
        said = project.ok("exec -T a cat /sys/fs/cgroup/memory.max /proc/self/cgroup").split()
        require(said == [str(64 << 20), "0::/"], f"afterwards it says {said}")


UNIT = """
[Service]
Type=notify
NotifyAccess=all
KillMode=process
TimeoutStartSec=300
ExecStart=cntnr run -d --name unit -m 64m --sdnotify conmon machine:1 sleep 100000
ExecStop=cntnr rm -f unit
"""


@row(
    "limits-unit",
    user="dev",
    promise="a unit has its container's conmon as its main process, and limits hold",
)
def a_unit_has_limits(person: Person) -> None:
    """Run a container as a service of the user's systemd."""
    person.ensure_image()
    place = ".config/systemd/user/row.service"
    person.machine.put(person.user, place, UNIT.encode())
    try:
        person.ok("systemctl --user daemon-reload && systemctl --user start row")
        shown = person.ok("ps -o comm= -p $(systemctl --user show row -P MainPID)")
        require(shown.strip() == "conmon", f"the main process is {shown!r}")
        said = person.ok("cntnr exec unit cat /sys/fs/cgroup/memory.max")
        require(said.strip() == str(64 << 20), f"memory.max is {said!r}")
    finally:
        person.run(f"systemctl --user stop row; rm {place}; systemctl --user daemon-reload")


CPUSET = """
services:
  a:
    image: machine:1
    init: true
    cpuset: "0"
    blkio_config: {weight: 300}
    command: [sleep, "100000"]
"""
SHOW_DELEGATED = "cd /sys/fs/cgroup; cat cpuset.cpus io.bfq.weight io.weight 2>/dev/null; true"
# By BFQ where the kernel has it, up to 1000; else up to 10000, as OCI runtimes convert.
WEIGHTS = (["0", "default", "300"], ["0", "default", "2930"])
DROP_IN = "/etc/systemd/system/user@.service.d/row.conf"


@row(
    "limits-delegated",
    user="dev",
    promise="cpuset and weights of I/O hold where they are delegated, and are told where not",
)
def what_is_delegated_holds(person: Person) -> None:
    """Delegate all controllers, and take that back."""
    root = person.another("root")
    with person.project("delegated", CPUSET) as project:
        up = project.run("up -d")
        require("a.cpuset: not honoured" in up.stderr, f"up says {up.stderr!r}")
        project.ok("down -t 0")
    root.machine.put("root", DROP_IN, b"[Service]\nDelegate=cpu cpuset io memory pids\n")
    try:
        root.ok("systemctl daemon-reload")
        person.log_out()  # it counts from the next start of the user's systemd
        with person.project("delegated", CPUSET) as project:
            up = project.run("up -d")
            require("not honoured" not in up.stderr, f"up says {up.stderr!r}")
            said = project.ok(f"exec -T a sh -c '{SHOW_DELEGATED}'").split()
            require(said[:3] in WEIGHTS, f"cpuset.cpus and the weight are {said}")
    finally:
        root.ok(f"rm {DROP_IN}; systemctl daemon-reload")
        person.log_out()
