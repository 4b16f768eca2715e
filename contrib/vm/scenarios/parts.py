"""Parts that other rows do not need: crun, umoci, registries by skopeo."""

import contextlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from contrib.vm.rows import IMAGE, Person, Project, Skipped, require, row
from contrib.vm.scenarios.limits import MEMORY

SETTINGS = ".config/cntnr/config.toml"
HELD = """
services:
  a:
    image: machine:1
    init: true
    mem_limit: 64m
    command: [sh, -c, "echo begun; exec sleep 100000"]
    healthcheck: {test: cat /proc/self/cgroup >/check, interval: 2s, timeout: 60s}
    volumes: [data:/data]
    tmpfs: [/scratch]
volumes: {data: {}}
"""
ASK_ID = """import json
with open("config.json", "r+") as file:
    spec = json.load(file)
    spec["process"] |= {"args": ["id", "-u"], "terminal": False}
    file.seek(0)
    json.dump(spec, file)
    file.truncate()
"""
REGISTRY = "/usr/bin/docker-registry"
ADDRESS = "127.0.0.1:15000"
SERVED = f"""version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: /tmp/row-registry}}}}
http: {{addr: '{ADDRESS}'}}
"""
TRUSTED = ".config/containers/registries.conf"
PLAIN_HTTP = f'[[registry]]\nlocation = "{ADDRESS}"\ninsecure = true\n'


@contextlib.contextmanager
def crun_by_default(person: Person) -> Iterator[None]:
    """Have the user's settings name crun."""
    person.machine.put(person.user, SETTINGS, b'[containers]\nruntime = "crun"\n')
    try:
        yield
    finally:
        person.ok(f"rm {SETTINGS}")


def require_crun(person: Person, project: Project) -> None:
    """Check with which runtime the one container was made."""
    [container] = project.containers()
    form = "{{.HostConfig.Runtime}}"
    said = person.ok(f"cntnr inspect -f '{form}' {container['ID']}").strip()
    require(said == "crun", f"the runtime is {said!r}")


@row(
    "crun", user="dev", promise="crun runs containers: `up --wait`, `exec`, limits, `stop`, `start`"
)
def containers_of_crun(person: Person) -> None:
    """Go through a service's life, with crun as the default runtime."""
    with crun_by_default(person), person.project("crun", HELD) as project:
        project.ok("up -d --wait")
        require_crun(person, project)
        said = project.ok("exec -T -u 1234:5678 -e A=b a sh -c 'echo $A $(id -u):$(id -g)'")
        require(said.split() == ["b", "1234:5678"], f"exec says {said!r}")
        require(project.run("exec -T a sh -c 'exit 7'").status == 7, "the status is lost")
        said = project.ok("exec -T a cat /proc/self/cgroup /check /sys/fs/cgroup/memory.max")
        require(said.split() == ["0::/", "0::/", str(64 << 20)], f"its group says {said!r}")
        for words, state in (("pause", "paused"), ("unpause", "running"), ("stop -t 1", "exited")):
            project.ok(words)
            require(project.states() == {"a": state}, f"after {words}: {project.states()}")
        project.ok("start")
        require("begun" in project.wait("logs a | grep begun"), "the log is empty")


@row(
    "crun-memory",
    user="other",
    promise="with crun, too, too much memory ends with 137, and is told",
)
def memory_of_crun(person: Person) -> None:
    """Have a service of 64 MB take 200 MB."""
    text = MEMORY.replace("machine:1", "machine:1\n    runtime: crun")
    with person.project("crun-memory", text) as project:
        project.ok("up -d")
        project.wait("ps -a --format json | grep -q '\"exited\"'", limit=120)
        require_crun(person, project)
        [container] = project.containers()
        state = json.loads(person.ok(f"cntnr inspect {container['ID']}"))[0]["State"]
        require((state["ExitCode"], state["OOMKilled"]) == (137, True), f"its state is {state}")


@row("umoci", user="dev", promise="umoci unpacks what `image export` wrote; `bundle run` runs it")
def bundles_of_umoci(person: Person) -> None:
    """Export an image into a layout, unpack it with umoci, run the bundle."""
    person.ensure_image()
    person.ok("rm -rf rows/umoci && mkdir -p rows/umoci")
    try:
        person.ok(f"cd rows/umoci && cntnr image export {IMAGE} oci:layout:tag")
        person.ok("cd rows/umoci && umoci unpack --rootless --image layout:tag theirs")
        person.ok(f"cd rows/umoci/theirs && python3 -c {shlex.quote(ASK_ID)}")
        done = person.run("cd rows/umoci && cntnr bundle run ./theirs")
        require((done.status, done.stdout.strip()) == (0, "0"), done)
    finally:
        person.run("rm -rf rows/umoci")


@row(
    "registry",
    user="other",
    promise="`push` to a registry and `pull` from it; what it lacks is told",
)
def images_of_a_registry(person: Person) -> None:
    """Push an image to a registry at the machine, remove it, pull it, run it."""
    name = f"{ADDRESS}/row/pulled:1"
    person.ensure_image()
    with registry(person):
        person.ok(f"cntnr tag {IMAGE} {name} && cntnr push -q {name} && cntnr image rm {name}")
        try:
            person.ok(f"cntnr pull -q {name}")
            said = person.ok(f"cntnr run --rm {name} echo pulled")
            require(said.strip() == "pulled", f"it says {said!r}")
            missing = person.run(f"cntnr pull {ADDRESS}/row/none:1")
            require(missing.status == 1 and "row/none" in missing.stderr, missing)
        finally:
            person.run(f"cntnr image rm {name}")


@contextlib.contextmanager
def registry(person: Person) -> Iterator[None]:
    """Run this machine's docker-registry at that one, as the user."""
    if not Path(REGISTRY).exists():
        raise Skipped("this machine has no " + REGISTRY)
    machine, user = person.machine, person.user
    machine.put(user, "rows/registry/serve", Path(REGISTRY).read_bytes())
    machine.put(user, "rows/registry/settings.yml", SERVED.encode())
    machine.put(user, TRUSTED, PLAIN_HTTP.encode())
    start = "setsid ./serve serve settings.yml >log 2>&1 </dev/null & echo $!"
    pid = person.ok(f"cd rows/registry && chmod +x serve && {{ {start}; }}").strip()
    try:
        person.wait(f"curl -sSf --max-time 10 http://{ADDRESS}/v2/")
        yield
    finally:
        person.run(f"kill {pid}; rm -rf rows/registry /tmp/row-registry {TRUSTED}")
