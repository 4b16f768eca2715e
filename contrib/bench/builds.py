"""Time the same builds with cntnr, `docker build` (BuildKit) and `buildah bud`, interleaved.

Needs root for the daemon of this run. CNTNR_ORACLE_ROOT names the root folder of another system whose
dockerd, docker, docker-buildx and buildah are run, as docs/build-conformance.md has it.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path

from contrib.bench.run import docker_compose
from tests.build_conformance.buildah import Buildah
from tests.build_conformance.oracle import PLACE, BuildKit, OracleMissing, tags
from tests.scenarios.lib import User, find_user, remove
from tests.scenarios.registry import Registry, make_image, served_registry

FILES = 10_000
SERVICES = 5
DOCKER, BUILDAH, CNTNR = "docker build", "buildah bud", "cntnr"
COMPOSE = "docker compose build"
GROUPS = ("python", "many", "services")  # the folders of what is built
BUILD = ("build", "-t", "bench", ".")
# 12 instructions; a new number makes every step after the second a new one.
PYTHON = """\
FROM python
ENV ROUND={number}
RUN useradd --create-home app
WORKDIR /srv/app
COPY requirements.txt .
RUN mkdir -p /opt/lib && for n in $(seq 400); do echo "value = $n" >/opt/lib/module$n.py; done
RUN python3 -m compileall -q /opt/lib
COPY lib lib
RUN python3 -m compileall -q lib
COPY --chown=app:app app app
USER app
CMD ["python3", "app/main.py"]
"""
MANY = """\
FROM busybox
ENV ROUND={number}
COPY . /data
"""
Timings = dict[tuple[str, str], list[float]]  # (task, tool) to seconds
Build = Callable[[Path], "subprocess.CompletedProcess[str]"]


def write_python(folder: Path, number: int) -> None:
    """Write the context of the Python image, with a Dockerfile of this round."""
    for name in ("lib", "app"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(PYTHON.format(number=number))
    (folder / "requirements.txt").write_text("nothing\n")
    for index in range(100):
        (folder / "lib" / f"m{index}.py").write_text(f"value = {index}\n" * 20)
    (folder / "app/main.py").write_text(f"print({number})\n")


def write_services(folder: Path, number: int) -> None:
    """Write a project of services that share all steps but the last COPY."""
    services = {}
    for index in range(SERVICES):
        write_python(folder / f"s{index}", -number - 1)  # steps that no other task has built
        (folder / f"s{index}/app/main.py").write_text(f"print({number}, {index})\n")
        services[f"s{index}"] = {"build": f"./s{index}", "image": f"bench-s{index}"}
    (folder / "compose.yaml").write_text(json.dumps({"services": services}))


def write_many(folder: Path, number: int) -> None:
    """Write a context of many files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(MANY.format(number=number))
    if not (folder / "f0").exists():
        for index in range(FILES // 100):
            (folder / f"d{index}").mkdir()
            for file in range(100):
                (folder / f"d{index}/f{file}").write_text(f"{index} {file}\n" * 20)
        (folder / "f0").write_text("first\n")


class Bench:
    """The tools, each with a folder of its own for the same contexts, and what was measured."""

    def __init__(self) -> None:
        self.builds: dict[str, tuple[Path, Build]] = {}
        self.timings: Timings = {}

    def time_build(self, task: str, tool: str, name: str, *, counts: bool) -> None:
        """Build the context of this name with a tool, and note the seconds."""
        folder, build = self.builds[tool]
        begun = time.perf_counter()
        done = build(folder / name)
        took = time.perf_counter() - begun
        if done.returncode:
            sys.exit(f"bench: {tool} fails at {task}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
        if counts:
            self.timings.setdefault((task, tool), []).append(took)

    def round(
        self, number: int, own: Callable[[Path], object], groups: Collection[str], *, counts: bool
    ) -> None:
        """Time every task of the groups once with every tool."""
        for tool, (folder, _) in self.builds.items():
            if tool != COMPOSE and "python" in groups:
                write_python(folder / "python", number)
                own(folder)
                self.time_build("12 steps, cold", tool, "python", counts=counts)
                self.time_build("12 steps, all cached", tool, "python", counts=counts)
                (folder / "python/app/main.py").write_text(f"print('changed', {number})\n")
                own(folder)
                self.time_build("12 steps, last COPY changed", tool, "python", counts=counts)
            if tool != COMPOSE and "many" in groups:
                write_many(folder / "many", number)
                own(folder)
                self.time_build(f"{FILES:,} files, COPY", tool, "many", counts=counts)
                (folder / "many/f0").write_text(f"changed {number}\n")
                own(folder)
                self.time_build(f"{FILES:,} files, one changed", tool, "many", counts=counts)
                self.time_build(f"{FILES:,} files, all cached", tool, "many", counts=counts)
            if tool in (COMPOSE, CNTNR) and "services" in groups:
                write_services(folder / "services", number)
                own(folder)
                self.time_build(
                    f"{SERVICES} services at once, cold", tool, "services", counts=counts
                )
                self.time_build(f"{SERVICES} services, all cached", tool, "services", counts=counts)


def add_cntnr(bench: Bench, user: User, registry: Registry, layout: Path) -> None:
    """Set cntnr up with the base images."""
    for tag in tags(layout):
        registry.push(layout, tag, f"library/{tag}:latest")
    folder = user.base / "projects/bench"
    folder.mkdir()

    def build(context: Path) -> "subprocess.CompletedProcess[str]":
        is_project = (context / "compose.yaml").exists()
        words = ("compose", "build") if is_project else BUILD
        done = user.run("cntnr", *words, cwd=context, timeout=600)
        return subprocess.CompletedProcess([], done.returncode, done.stdout, done.stderr)

    bench.builds[CNTNR] = (folder, build)


def add_docker(bench: Bench, kit: BuildKit) -> None:
    """Set `docker build` and docker compose up in a running daemon's namespaces."""
    folder = kit.folder / "contexts"
    shutil.copy(docker_compose(), kit.folder / "docker-compose")

    def inside(context: Path) -> str:
        return f"{PLACE}/contexts/{context.name}"

    def build(context: Path) -> "subprocess.CompletedProcess[str]":
        return kit.run(
            "docker", "build", "-t", "bench", inside(context), environment={"DOCKER_BUILDKIT": "1"}
        )

    def compose(context: Path) -> "subprocess.CompletedProcess[str]":
        words = ("--project-directory", inside(context), "build")
        return kit.run(f"{PLACE}/docker-compose", *words)

    bench.builds[DOCKER] = (folder, build)
    bench.builds[COMPOSE] = (folder, compose)


def add_buildah(bench: Bench, other: Buildah) -> None:
    """Set `buildah bud` up."""

    def build(context: Path) -> "subprocess.CompletedProcess[str]":
        return other.build_folder(f"{PLACE}/contexts/{context.name}")

    bench.builds[BUILDAH] = (other.folder / "contexts", build)


def report(bench: Bench, rounds: int, versions: list[str]) -> str:
    """Write the medians as a markdown table, with the ratio to docker."""
    names = [CNTNR, DOCKER, BUILDAH]
    lines = [
        f"Medians of {rounds} interleaved rounds (fastest–slowest) in seconds; several services are",
        "built by docker compose. The ratio is cntnr to docker: below 1 is better.",
        "",
        f"| task | {' | '.join(names)} | ratio |",
        f"|---|{'---|' * len(names)}---|",
    ]
    for task in dict.fromkeys(task for task, _ in bench.timings):
        cells, medians = [], {}
        for name in names:
            values = bench.timings.get((task, name))
            if values is None and name == DOCKER:
                values = bench.timings.get((task, COMPOSE))
            if values is None:
                cells.append("none")
                continue
            medians[name] = statistics.median(values)
            cells.append(f"{medians[name]:.3f} ({min(values):.3f}–{max(values):.3f})")
        ratio = f"**{medians[CNTNR] / medians[DOCKER]:.2f}**" if DOCKER in medians else "none"
        lines.append(f"| {task} | {' | '.join(cells)} | {ratio} |")
    load = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end"
    return "\n".join([*lines, "", f"{'; '.join(versions)}; {load}.", ""])


def make_layout(folder: Path) -> Path:
    """Write one layout with the base images."""
    for what, tag in (("busybox", "busybox"), ("debian", "python")):
        subprocess.run(
            ["skopeo", "copy", "-q", f"oci:{make_image(what)}:{tag}", f"oci:{folder}:{tag}"],
            check=True,
        )
    return folder


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=GROUPS, help="time these builds only")
    parser.add_argument("--out", type=Path, help="write the markdown here as well")
    chosen = parser.parse_args()
    root = Path(os.environ.get("CNTNR_ORACLE_ROOT", "/"))
    user, bench, versions = find_user(), Bench(), []
    room = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folders = [tempfile.mkdtemp(prefix="cntnr-bench-", dir=room) for _ in range(3)]
    layout = make_layout(Path(folders[0]))
    others = [BuildKit(Path(folders[1]), root, layout, {}), Buildah(Path(folders[2]), root, layout)]
    try:
        with served_registry(user) as registry:
            add_cntnr(bench, user, registry, layout)
            for other, add in zip(others, (add_docker, add_buildah), strict=True):
                try:
                    other.start()
                    versions.append(other.version())
                    add(bench, other)  # type: ignore[operator]
                except OracleMissing as error:
                    sys.stderr.write(f"bench: {error}: it has no column\n")
            for number in range(chosen.rounds + 1):
                # The first round brings the base images in, and does not count.
                bench.round(number, user.own, chosen.only or GROUPS, counts=number > 0)
                sys.stderr.write(f"round {number} of {chosen.rounds}\n")
    finally:
        for other in others:
            other.stop()
        remove(user)
        for name in folders:
            shutil.rmtree(name, ignore_errors=True)
    text = report(bench, chosen.rounds, versions)
    print(text)
    if chosen.out:
        chosen.out.write_text(text)


if __name__ == "__main__":
    main()
