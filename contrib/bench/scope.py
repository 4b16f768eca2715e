"""Time what systemd's scope costs: ten services with it, without it, and with Docker, interleaved.

    python -m contrib.bench.scope --image machine:1 [--rounds 8] [--docker "sudo docker-compose"]

For an ordinary user of a machine with systemd and cgroup v2, who is logged in and has the image. The scope is
switched off by renaming the socket of the user's systemd: then limits are not honoured, and everything stays
in the session's group.
"""

import argparse
import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from contrib.bench.run import Timings, compose_text, table

SERVICES = 10
SOCKET = Path(f"/run/user/{os.getuid()}/systemd/private")
AWAY = SOCKET.with_name("private.away")
WITH, WITHOUT, DOCKER = "with the scope", "without it", "docker compose"
GROUPS = f"*.slice/user-{os.getuid()}.slice/user@*/**/cntnr.scope/*/cgroup.procs"


@contextlib.contextmanager
def systemd_hidden(*, hidden: bool) -> Iterator[None]:
    """Keep cntnr from finding the systemd of the user."""
    if hidden:
        SOCKET.rename(AWAY)
    try:
        yield
    finally:
        if hidden:
            AWAY.rename(SOCKET)


def timed(folder: str, *argv: str) -> float:
    """Run a command, and return the seconds that it took."""
    begun = time.perf_counter()
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    took = time.perf_counter() - begun
    if done.returncode != 0:
        sys.exit(f"bench: {shlex.join(argv)} failed:\n{done.stderr}")
    return took


def has_holder() -> bool:
    """Check whether the user's holder runs."""
    argv = ["pgrep", "-u", str(os.getuid()), "-f", "rootlesskit"]
    return subprocess.run(argv, stdout=subprocess.DEVNULL, check=False).returncode == 0


def check_groups(tool: str) -> None:
    """Check that containers have groups of their own in the scope, or none."""
    groups = len(list(Path("/sys/fs/cgroup").glob(GROUPS)))
    wanted = {WITH: SERVICES + 1, WITHOUT: 0}.get(tool, groups)  # and the leaf
    if groups != wanted:
        sys.exit(f"bench: {tool} there are {groups} groups, not {wanted}")


def round_of(tool: str, call: list[str], folder: str, into: Timings) -> None:
    """Time each task once, and wait until nothing is left."""

    def note(task: str, seconds: float) -> None:
        into.setdefault((task, tool), []).append(seconds)

    with systemd_hidden(hidden=tool == WITHOUT):
        note(f"up -d, {SERVICES} services", timed(folder, *call, "up", "-d"))
        check_groups(tool)
        note("compose exec", timed(folder, *call, "exec", "-T", "s1", "true"))
        note(f"down -t 0, {SERVICES} services", timed(folder, *call, "down", "-t", "0"))
    while tool != DOCKER and has_holder():
        time.sleep(0.01)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--docker", type=shlex.split, help="the command that is docker compose")
    chosen = parser.parse_args()
    tools = {WITH: ["cntnr", "compose"], WITHOUT: ["cntnr", "compose"]}
    if chosen.docker:
        tools[DOCKER] = chosen.docker
    into: Timings = {}
    with tempfile.TemporaryDirectory(prefix="cntnr-bench-") as folder:
        text = compose_text(SERVICES).replace("busybox:latest", chosen.image)
        (Path(folder) / "compose.yaml").write_text(text)
        for number in range(chosen.rounds + 1):
            for tool, call in tools.items():
                # The first round warms every cache up, and does not count.
                round_of(tool, call, folder, into if number else {})
    print(table(into, list(tools), chosen.rounds))


if __name__ == "__main__":
    main()
