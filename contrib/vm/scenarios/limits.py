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
        project.run("exec -T a sh -c 'for i in $(seq 40); do sleep 300 & done; sleep 1'")
        count = int(project.ok("exec -T a sh -c 'ls -d /proc/[0-9]* | wc -l'") or 0)
        require(count <= 20, f"{count} processes run")
