"""Time single containers under cntnr and docker, interleaved: run, exec, ps, rm.

    contrib/bench/run.sh containers [--rounds 10]      as root, for a Docker daemon of its own

One container runs all the time, so that what both need is there, as dockerd always is; without it the first
`cntnr run` starts its namespaces, which has a row of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from contrib.bench.run import SLEEP, Timings, Tool, docker_daemon, report
from tests.scenarios.lib import User, find_user, remove, wait_until
from tests.scenarios.registry import make_image, served_registry

CONTAINERS = 10
IMAGE = "busybox:latest"
# What docker calls a network that needs no rules of its own, for the share that they have.
WITHOUT_NETWORK = ("--network", "none")


def tools(user: User, layout: Path, socket: Path) -> list[Tool]:
    """Set both up with the same image."""
    load = ["skopeo", "copy", "-q", "--dest-daemon-host", f"unix://{socket}"]
    subprocess.run([*load, f"oci:{layout}:busybox", f"docker-daemon:{IMAGE}"], check=True)

    def as_root(*argv: str, **more: object) -> "subprocess.Popen[str]":
        env = {"PATH": os.environ["PATH"], "HOME": "/root", "DOCKER_HOST": f"unix://{socket}"}
        same = {"user": 0, "group": 0, "extra_groups": [], "start_new_session": True}
        return subprocess.Popen(argv, env=env, text=True, **same, **more)  # type: ignore[call-overload]

    return [
        Tool("cntnr", user.popen, ["cntnr"], lambda _uid, _words: False),
        Tool("docker", as_root, ["docker"], lambda _uid, _words: False),
    ]


def round_of(tool: Tool, folder: Path, into: Timings) -> None:
    """Time each task once."""

    def note(task: str, *words: str) -> None:
        into.setdefault((task, tool.name), []).append(tool.timed(folder, *words))

    note("run --rm busybox true", "run", "--rm", IMAGE, "true")
    note("run --rm --network none busybox true", "run", "--rm", *WITHOUT_NETWORK, IMAGE, "true")
    note("exec, true", "exec", "b0", "true")
    note("ps, 10 containers", "ps")
    note("run -d", "run", "-d", "--name", "more", IMAGE, "sleep", SLEEP)
    note("rm -f", "rm", "-f", "more")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--out", type=Path, help="write the markdown here as well")
    chosen = parser.parse_args()
    user, into = find_user(), Timings()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="cntnr-bench-", ignore_cleanup_errors=True) as name,
            served_registry(user) as registry,
            docker_daemon(Path(name)) as socket,
        ):
            layout, folder = make_image("busybox"), user.home
            registry.push(layout, "busybox", f"library/{IMAGE}")
            both = tools(user, layout, socket)
            for tool in both:
                tool.timed(folder, "run", "--rm", IMAGE, "true")  # pulls
            for _ in range(3):
                wait_until(lambda: user.inside("s") is None, what="its namespaces have ended")
                seconds = both[0].timed(folder, "run", "--rm", IMAGE, "true")
                task = "run --rm, nothing else runs"
                into.setdefault((task, "cntnr"), []).append(seconds)
                into.setdefault((task, "docker"), []).append(
                    both[1].timed(folder, "run", "--rm", IMAGE, "true")
                )
            for tool in both:
                for number in range(CONTAINERS):
                    words = ("run", "-d", "--name", f"b{number}", IMAGE, "sleep", SLEEP)
                    tool.timed(folder, *words)
            for number in range(chosen.rounds + 1):
                for tool in both:
                    round_of(tool, folder, into if number else {})
                sys.stderr.write(f"round {number} of {chosen.rounds}\n")
            for tool in both:
                tool.timed(folder, "rm", "-f", *(f"b{number}" for number in range(CONTAINERS)))
    finally:
        remove(user)
    text = report(into, ["cntnr", "docker"], chosen.rounds)
    print(text)
    if chosen.out:
        chosen.out.write_text(text)


if __name__ == "__main__":
    main()
