"""Time the verbs of single containers under cntnr and docker, interleaved."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from contrib.bench.run import SLEEP, Timings, Tool, docker_daemon, report, root_call
from tests.scenarios.lib import find_user, remove
from tests.scenarios.registry import make_image, served_registry

NAME = "bench"
COUNT = 10  # of containers that `ps` lists


def round_of(tool: Tool, folder: Path, into: Timings) -> None:
    """Time each verb once."""

    def note(task: str, *words: str) -> None:
        into.setdefault((task, tool.name), []).append(tool.timed(folder, *words))

    note("run --rm busybox true", "run", "--rm", "busybox", "true")
    note(
        "run --rm --network none busybox true",
        "run",
        "--rm",
        "--network",
        "none",
        "busybox",
        "true",
    )
    note("run -d", "run", "-d", "--name", f"{NAME}-more", "busybox", "sleep", SLEEP)
    note("rm -f", "rm", "-f", f"{NAME}-more")
    note("exec CONTAINER true", "exec", f"{NAME}0", "true")
    note("container exec -i CONTAINER cat", "container", "exec", "-i", f"{NAME}0", "cat")
    note(f"ps, {COUNT} containers", "ps")
    note("stop -t 0", "stop", "-t", "0", f"{NAME}1")
    note("start", "start", f"{NAME}1")
    note("logs", "logs", f"{NAME}0")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    user, into = find_user(), Timings()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="cntnr-bench-", ignore_cleanup_errors=True) as name,
            served_registry(user) as registry,
            docker_daemon(Path(name)) as socket,
        ):
            layout = make_image("busybox")
            registry.push(layout, "busybox", "library/busybox:latest")
            load = ["skopeo", "copy", "-q", "--dest-daemon-host", f"unix://{socket}"]
            subprocess.run(
                [*load, f"oci:{layout}:busybox", "docker-daemon:busybox:latest"], check=True
            )
            tools = [
                Tool("cntnr", user.popen, ["cntnr"], lambda *_: False),
                Tool("docker", root_call(socket), ["docker"], lambda *_: False),
            ]
            for tool in tools:
                for number in range(COUNT):
                    words = ("run", "-d", "--name", f"{NAME}{number}", "busybox", "sleep", SLEEP)
                    tool.timed(user.home, *words)
            for number in range(chosen.rounds + 1):
                for tool in tools:
                    # The first round warms every cache up, and does not count.
                    round_of(tool, user.home, into if number else {})
                sys.stderr.write(f"round {number} of {chosen.rounds}\n")
            for tool in tools:
                tool.timed(user.home, "rm", "-f", *(f"{NAME}{n}" for n in range(COUNT)))
    finally:
        remove(user)
    print(report(into, [tool.name for tool in tools], chosen.rounds))


if __name__ == "__main__":
    main()
