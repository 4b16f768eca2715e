"""Time ten services on a virtual machine of contrib.vm with systemd's scope, without it, and with Docker.

    python -m contrib.bench.scope bookworm --rounds 8 [--docker]

The machine runs and has cntnr installed (`python -m contrib.vm.run --keep`). The scope is switched off by
renaming the socket of the user's systemd: then limits are not honoured, and everything stays in the session's
group. Docker comes from Debian's package, which is installed where it is missing.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from contrib.bench.run import Timings, compose_text, docker_compose, table
from contrib.vm.machine import Machine
from contrib.vm.rows import IMAGE, Person
from contrib.vm.settings import SUITES, read_settings

USER = "dev"
SOCKET = "/run/user/$(id -u)/systemd/private"
AWAY = f"{SOCKET}.away"
SERVICES = 10
FOLDER = "/var/tmp/bench10"
WITH, WITHOUT, DOCKER = "with the scope", "without it", "docker compose"
INSTALL_DOCKER = """
get() { apt-get -qq -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false "$@" >/dev/null; }
command -v dockerd >/dev/null || { get update && get install --no-install-recommends docker.io; } &&
command -v docker >/dev/null || get install --no-install-recommends docker-cli
"""
# Each part of an entry, in ms, in a child whose end removes the scope; with an attachment beside it.
ENTRY = """
import json, os, sys, time
from cntnr_compose.host import cgroups
from cntnr_compose.host.systemd import scope

now, path = time.perf_counter, scope._socket_path()
def enter():
    times = [now()]
    from cntnr_compose.host.systemd.manager import Manager
    times.append(now())
    manager = Manager.connect(path)
    times.append(now())
    scope._send_start(manager)
    assert manager.receive(), manager.error
    times.append(now())
    while scope.NAME not in cgroups.read_group("self"):
        time.sleep(0.0005)
    times.append(now())
    assert scope._go_into_leaf()
    times.append(now())
    if os.fork() == 0:
        time.sleep(30)
        os._exit(0)
    return [round(1000 * (b - a), 2) for a, b in zip(times, times[1:])]
def attach():
    begun = now()
    assert scope.join()
    return [round(1000 * (now() - begun), 2)]
print(json.dumps(attach() if sys.argv[1:] else enter()))
"""
PARTS = ("import", "connect", "StartTransientUnit", "until it is moved", "leaf", "attach another")


def qemu_cpu(machine: Machine) -> float:
    """Return the processor time that the machine has taken so far, in seconds of this one."""
    fields = Path(f"/proc/{machine.qemu.pid()}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Bench:
    """One machine, and what was measured there."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.person = Person(machine, USER)
        self.timings: Timings = {}

    def time(self, tool: str, task: str, user: str, command: str, *, counts: bool) -> None:
        """Run a command there, and note its seconds and what the emulator took for it."""
        cpu = qemu_cpu(self.machine)
        words = f"cd {FOLDER} && TIMEFORMAT=%R && time {command} >/dev/null 2>/tmp/said-{user}"
        done = self.machine.run(user, words)
        if done.status != 0:
            sys.exit(f"bench: {done}: {self.machine.run(user, f'cat /tmp/said-{user}').stdout}")
        if counts:
            took = float(done.stderr.split()[-1])
            self.timings.setdefault((task, tool), []).append(took)
            row = (f"{task}: processor time of qemu", tool)
            self.timings.setdefault(row, []).append(qemu_cpu(self.machine) - cpu)

    def round_of(self, tool: str, *, counts: bool) -> None:
        """Time `up` and `down` once."""
        user, call = (
            ("root", "./docker-compose") if tool == DOCKER else (USER, "cntnr compose -p ten")
        )
        if tool != DOCKER:
            self.switch(on=tool == WITH)
        self.time(tool, f"up -d, {SERVICES} services", user, f"{call} up -d", counts=counts)
        if tool != DOCKER:
            state = self.person.run("systemctl --user is-active cntnr.scope").stdout.strip()
            assert (state == "active") == (tool == WITH), f"{tool}: the scope is {state}"
        self.time(tool, f"down -t 0, {SERVICES} services", user, f"{call} down -t 0", counts=counts)
        if tool != DOCKER:
            self.person.wait("! pgrep -u $(id -u) -f [r]ootlesskit >/dev/null")

    def switch(self, *, on: bool) -> None:
        """Let cntnr find the systemd of the user, or not."""
        source, target = (AWAY, SOCKET) if on else (SOCKET, AWAY)
        self.person.ok(f"if [ -e {source} ]; then mv {source} {target}; fi; test -e {target}")

    def entries(self, rounds: int) -> str:
        """Time the parts of an entry alone; return a line of medians."""
        self.switch(on=True)
        self.machine.put(USER, f"{FOLDER}/entry.py", ENTRY.encode())
        stop = "systemctl --user stop cntnr.scope"
        found = []
        for _ in range(rounds):
            call = f"/opt/cntnr/bin/python {FOLDER}/entry.py"
            said = self.person.ok(f"{call} </dev/null && {call} attach; {stop}")
            found.append([part for line in said.splitlines() for part in json.loads(line)])
        medians = [statistics.median(values) for values in zip(*found, strict=True)]
        return "; ".join(f"{name} {value:.1f}" for name, value in zip(PARTS, medians, strict=True))


def set_up(bench: Bench, *, docker: bool) -> None:
    """Put the project there, and the image where each tool finds it."""
    person, machine = bench.person, bench.machine
    person.ensure_image()
    text = compose_text(SERVICES).replace("busybox:latest", IMAGE)
    machine.run("root", f"mkdir -p {FOLDER} && chown {USER} {FOLDER}")
    machine.put(USER, f"{FOLDER}/compose.yaml", text.encode())
    if docker:
        root = person.another("root")
        root.ok(INSTALL_DOCKER, limit=3600)
        root.ok("docker build -q -t machine:1 /opt/cntnr-vm/base")
        machine.put("root", f"{FOLDER}/docker-compose", docker_compose().read_bytes())
        root.ok(f"chmod +x {FOLDER}/docker-compose")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--docker", action="store_true")
    chosen = parser.parse_args()
    bench = Bench(Machine(read_settings(chosen.suite)))
    tools = [WITH, WITHOUT, *([DOCKER] if chosen.docker else [])]
    set_up(bench, docker=chosen.docker)
    try:
        print(f"ms: {bench.entries(chosen.rounds)}", flush=True)
        for number in range(chosen.rounds + 1):
            for tool in tools:
                bench.round_of(tool, counts=number > 0)  # the first warms every cache up
            print(f"round {number} of {chosen.rounds}", file=sys.stderr, flush=True)
    finally:
        bench.switch(on=True)
        print(table(bench.timings, tools, chosen.rounds))


if __name__ == "__main__":
    main()
