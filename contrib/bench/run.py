"""Time the same compose projects under cntnr, docker compose and podman-compose, interleaved."""

import argparse
import contextlib
import importlib.util
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from contrib.bench.watch import SERVICE, time_watch
from tests.scenarios.lib import ROOT, User, find_user, remove, wait_until
from tests.scenarios.registry import make_image, served_registry

SIZES = (1, 10, 30)
FILES = (5, 300, 1000)  # services in files that are only read
EVENTS_WARM_UP = 1.0  # seconds until `events` listens
COPIED_FILES = 1000  # in the folder that is copied
SLEEP = "86399"  # so that containers can be told from everything else by their command line
Timings = dict[tuple[str, str], list[float]]  # (task, tool) to seconds


def compose_text(services: int) -> str:
    """Write a project: every second service waits for the one before it."""
    lines = ["services:"]
    for number in range(1, services + 1):
        lines += [
            f"  s{number}:",
            "    image: busybox:latest",
            "    pull_policy: missing",
            f"    command: [sleep, '{SLEEP}']",
        ]
        if number % 2 == 0:
            lines.append(f"    depends_on: [s{number - 1}]")
    return "\n".join(lines) + "\n"


def rich_text(services: int) -> str:
    """Write a file as people do: anchors, variables, short syntaxes. It is read, never brought up."""
    lines = [
        "x-common: &common",
        "  restart: unless-stopped",
        "  environment: {TZ: UTC}",
        "services:",
    ]
    for number in range(1, services + 1):
        lines += [
            f"  s{number}:",
            "    <<: *common",
            "    image: ${REGISTRY:-docker.io}/library/busybox:${TAG:-latest}",
            "    command: sh -c 'echo $$HOSTNAME; sleep 1000'",
            f"    ports: ['127.0.0.1:{20000 + number}:80', '443']",
            f"    volumes: ['data{number}:/data', './conf:/conf:ro']",
            "    networks: [front, back]",
            "    healthcheck: {test: curl -f localhost, interval: 1m30s, retries: 3}",
            "    deploy: {resources: {limits: {cpus: '0.50', memory: 512M}}}",
        ]
        if number > 1:
            lines.append(f"    depends_on: [s{number - 1}]")
    lines += ["networks:", "  front:", "  back: {internal: true}", "volumes:"]
    return "\n".join([*lines, *(f"  data{number}:" for number in range(1, services + 1))]) + "\n"


class Tool:
    """One compose tool: how it is called, and which processes it needs beside the containers."""

    def __init__(
        self,
        name: str,
        call: Callable[..., "subprocess.Popen[str]"],
        argv: list[str],
        owns: Callable[[int, str], bool],
    ) -> None:
        self.name = name
        self._call = call
        self._argv = argv
        self._owns = owns

    @property
    def slug(self) -> str:
        """The name as a part of a file name."""
        return self.name.replace(" ", "-")

    def timed(self, folder: Path, *words: str) -> float:
        """Run one command in a project's folder and give the seconds it took."""
        pipe = subprocess.PIPE
        for attempt in range(3):
            begun = time.perf_counter()
            process = self._call(*self._argv, *words, cwd=folder, stdout=pipe, stderr=pipe)
            _, err = process.communicate(timeout=300)
            took = time.perf_counter() - begun
            if process.returncode == 0:
                return took
            # dockerd at times finds endpoints of containers that it has just removed.
            if "has active endpoints" not in err or attempt == 2:
                break
            print(
                f"bench: {self.name} {' '.join(words)} failed and is repeated:\n{err}",
                file=sys.stderr,
            )
            time.sleep(1)
        sys.exit(f"bench: {self.name} {' '.join(words)} failed:\n{err}")

    def start(self, folder: Path, *words: str) -> "subprocess.Popen[str]":
        """Start one command in a project's folder."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        return self._call(*self._argv, *words, cwd=folder, **streams)

    def timed_to_event(self, folder: Path, *words: str) -> float:
        """Give the seconds from the start of a command until `events` prints something."""
        events = self.start(folder, "events", "--json")
        try:
            time.sleep(EVENTS_WARM_UP)
            begun = time.perf_counter()
            process = self.start(folder, *words)
            assert events.stdout is not None
            if not events.stdout.readline():
                sys.exit(f"bench: {self.name} events ended")
            took = time.perf_counter() - begun
            process.communicate(timeout=300)
            return took
        finally:
            events.send_signal(signal.SIGINT)
            events.communicate(timeout=30)

    def memory(self) -> float:
        """Add up the proportional set sizes, in MB, of what runs beside the containers."""
        total = 0
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if f"sleep {SLEEP}" in words and "conmon" not in words:
                    continue
                if self._owns(entry.stat().st_uid, words):
                    lines = (entry / "smaps_rollup").read_text().splitlines()
                    total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1000


@contextlib.contextmanager
def docker_daemon(folder: Path) -> Iterator[Path]:
    """Run a Docker daemon in a network namespace of its own, and give its socket."""
    socket = folder / "docker.sock"
    argv = [
        "unshare", "--net", "--mount", "--fork", "--kill-child",
        "sh", "-c", 'ip link set lo up; exec "$@"', "sh",
        "dockerd", "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"),
        "--pidfile", str(folder / "pid"), "--host", f"unix://{socket}",
    ]  # fmt: skip
    with (folder / "dockerd.log").open("w") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until(socket.exists, timeout=60, what="dockerd listens")
            yield socket
        finally:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


def docker_compose() -> Path:
    """Find docker compose itself, which the package starts through a Python script."""
    found = importlib.util.find_spec("compose")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "docker-compose"


def root_call(socket: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Return what starts a command as root that uses the Docker daemon at a socket."""

    def call(*argv: str, **more: object) -> "subprocess.Popen[str]":
        env = {"PATH": os.environ["PATH"], "HOME": "/root", "DOCKER_HOST": f"unix://{socket}"}
        # A change of user makes Popen fork a slower way, by 1 ms: both are started that way.
        same = {"user": 0, "group": 0, "extra_groups": [], "start_new_session": True}
        return subprocess.Popen(argv, env=env, text=True, **same, **more)  # type: ignore[call-overload]

    return call


def tools(user: User, layout: Path, docker_folder: Path, socket: Path) -> list[Tool]:
    """Set up each tool with the same image."""
    load = ["skopeo", "copy", "-q", "--dest-daemon-host", f"unix://{socket}"]
    subprocess.run([*load, f"oci:{layout}:busybox", "docker-daemon:busybox:latest"], check=True)

    def is_dockers(_: int, words: str) -> bool:
        return str(docker_folder) in words and "unshare" not in words

    mine = user.ids()

    def is_users(uid: int, words: str) -> bool:
        return any(uid in ids for ids in mine) and "docker-registry" not in words

    found = [
        Tool("cntnr", user.popen, ["cntnr", "compose"], is_users),
        Tool("docker compose", root_call(socket), [str(docker_compose())], is_dockers),
    ]
    if shutil.which("podman") and shutil.which("podman-compose", path=f"{user.venv}/bin"):
        user.run("podman", "pull", "-q", f"oci:{layout}:busybox").ok()
        user.run("podman", "tag", f"oci:{layout}:busybox", "docker.io/library/busybox:latest").ok()
        found.append(Tool("podman-compose", user.popen, ["podman-compose"], is_users))
    else:
        sys.stderr.write("bench: no podman-compose for the test user: it has no column\n")
    return found


def round_of(tool: Tool, folders: dict[int, Path], into: Timings) -> None:
    """Time each task once."""

    def note(task: str, seconds: float) -> None:
        into.setdefault((task, tool.name), []).append(seconds)

    first = next(iter(folders.values()))
    note("--help", tool.timed(first, "--help"))
    for size in FILES:
        note(
            f"config, a file of {size} services",
            tool.timed(first, "-f", f"rich{size}.yaml", "config"),
        )
    for size, folder in folders.items():
        label = f"{size} service{'s' if size > 1 else ''}"
        note(f"up -d, {label}", tool.timed(folder, "up", "-d"))
        if size == 10:
            note("ps, 10 services", tool.timed(folder, "ps"))
            note("config, 10 services", tool.timed(folder, "config"))
            note("logs, 10 services", tool.timed(folder, "logs"))
            note("memory beside 10 containers, MB", tool.memory())
            round_of_looks(tool, folder, note)
        note(f"down -t 0, {label}", tool.timed(folder, "down", "-t", "0"))
    if tool.name != "podman-compose":  # it has no such verb
        time_watch(tool, first, note)
        tool.timed(first, "-f", "watch.yaml", "down", "-t", "0")
    note("run --rm", tool.timed(first, "run", "--rm", "-T", "s1", "true"))
    tool.timed(first, "down", "-t", "0")


def round_of_looks(tool: Tool, folder: Path, note: Callable[[str, float], None]) -> None:
    """Time what looks into 10 running containers, and copies files, once each."""
    if tool.name == "podman-compose":  # it has few of these
        return
    note("top, 10 services", tool.timed(folder, "top"))
    note("stats --no-stream, 10 services", tool.timed(folder, "stats", "--no-stream"))
    note(
        "kill -s CONT, until `events` shows it",
        tool.timed_to_event(folder, "kill", "-s", "CONT", "s1"),
    )
    files = f"{COPIED_FILES} files"
    note(f"cp, {files} into a container", tool.timed(folder, "cp", "files", "s1:/tmp"))
    note(
        f"cp, {files} out of a container",
        tool.timed(folder, "cp", "s1:/tmp/files", f"out-{tool.slug}"),
    )
    note("cp, one file into a container", tool.timed(folder, "cp", "compose.yaml", "s1:/tmp"))
    shutil.rmtree(folder / f"out-{tool.slug}")


def version_of(*argv: str) -> str:
    """Give the first line of what a program says about its version."""
    path = f"{ROOT}/.venv/bin:{os.environ['PATH']}:/usr/sbin"
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={"PATH": path, "HOME": "/root"}
    )
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def machine(*, with_compose: bool = True) -> str:
    """Describe the machine in a paragraph."""
    with Path("/proc/cpuinfo").open() as lines:
        model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = "unknown"
    programs = (
        ("dockerd", "--version"),
        *([(str(docker_compose()), "version")] if with_compose else []),
        ("runc", "--version"),
        ("conmon", "--version"), ("rootlesskit", "--version"),
    )  # fmt: skip
    versions = "; ".join(version_of(*argv) for argv in programs)
    return (
        f"{system}, kernel {platform.release()}, {os.cpu_count()} cores ({model}), {memory} GB, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end. {versions}."
    )


def table(into: Timings, names: list[str], rounds: int) -> str:
    """Lay the medians out as a markdown table, with the ratio of the first to the second."""
    mine, other, *_ = names
    lines = [
        f"Medians of {rounds} interleaved rounds (fastest–slowest); seconds unless it says MB.",
        f"The ratio is {mine} to {other}: below 1 is better.",
        "",
        f"| task | {' | '.join(names)} | ratio |",
        f"|---|{'---|' * len(names)}---|",
    ]
    for task in dict.fromkeys(task for task, _ in into):
        cells, medians = [], {}
        for name in names:
            values = into.get((task, name))
            if values is None:
                cells.append("none")
                continue
            medians[name] = statistics.median(values)
            form = ".0f" if "MB" in task else ".3f"
            low, high = min(values), max(values)
            cells.append(f"{medians[name]:{form}} ({low:{form}}–{high:{form}})")
        ratio = medians[mine] / medians[other]
        lines.append(f"| {task} | {' | '.join(cells)} | **{ratio:.2f}** |")
    return "\n".join([*lines, ""])


def report(into: Timings, names: list[str], rounds: int) -> str:
    """Return the table, and describe the machine."""
    return f"{table(into, names, rounds)}\n{machine(with_compose='docker compose' in names)}\n"


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--out", type=Path, help="write the markdown here as well")
    chosen = parser.parse_args()
    user, into = find_user(), Timings()
    names: list[str] = []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="cntnr-bench-", ignore_cleanup_errors=True) as name,
            served_registry(user) as registry,
        ):
            docker_folder, layout = Path(name), make_image("busybox")
            registry.push(layout, "busybox", "library/busybox:latest")
            folders = {}
            for size in chosen.sizes:
                folders[size] = user.base / "projects" / f"bench{size}"
                folders[size].mkdir()
                (folders[size] / "compose.yaml").write_text(compose_text(size))
                (folders[size] / "files").mkdir()
                for number in range(COPIED_FILES):
                    (folders[size] / "files" / f"{number}.txt").write_text(f"{number}\n" * 100)
                (folders[size] / "watch.yaml").write_text(SERVICE)
            for size in FILES:
                for folder in folders.values():
                    (folder / f"rich{size}.yaml").write_text(rich_text(size))
            user.own(user.base / "projects")
            with docker_daemon(docker_folder) as socket:
                rivals = tools(user, layout, docker_folder, socket)
                names = [tool.name for tool in rivals]
                for number in range(chosen.rounds + 1):
                    for tool in rivals:
                        # The first round warms every cache up (and pulls), and does not count.
                        round_of(tool, folders, into if number else {})
                    sys.stderr.write(f"round {number} of {chosen.rounds}\n")
    finally:
        remove(user)
    text = report(into, names, chosen.rounds)
    print(text)
    if chosen.out:
        chosen.out.write_text(text)


if __name__ == "__main__":
    main()
