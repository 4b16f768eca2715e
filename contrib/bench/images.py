"""Time how images arrive: pull and first start, a layer on top of what is there, the disk of 20 containers.

    python -m contrib.bench.images [--rounds 3]      as root, for a Docker daemon of its own

Each round begins with an empty store. The floor is `skopeo copy` and `tar -x` of the same layers.
"""

import argparse
import contextlib
import functools
import gzip
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from contrib.bench.run import SLEEP, Timings, Tool, docker_compose, docker_daemon, machine
from tests.scenarios.layered import LayeredImages, archive, entry
from tests.scenarios.lib import Project, User, find_user, remove, wait_until
from tests.scenarios.registry import Registry, make_image, served_registry

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))

CONTAINERS = 20
PARTS = ("usr/lib/x86_64", "usr/lib", "usr/share", "usr/bin", "usr", "var", "")
TAGS = {"one": "one layer", "several": f"{len(PARTS)} layers"}


def split(content: bytes) -> list[bytes]:
    """Split the archive of a layer by its folders; entries for hard links stay with what they link to."""
    outs = [io.BytesIO() for _ in PARTS]
    with contextlib.ExitStack() as undo:
        parts = [undo.enter_context(tarfile.open(fileobj=out, mode="w")) for out in outs]
        for member in (source := undo.enter_context(tarfile.open(fileobj=io.BytesIO(content)))):
            name = (member.linkname if member.islnk() else member.name).removeprefix("./")
            number = next(number for number, part in enumerate(PARTS) if name.startswith(part))
            parts[number].addfile(member, source.extractfile(member) if member.isreg() else None)
    return [out.getvalue() for out in outs]


def debian_layer() -> bytes:
    """Return the archive of the Debian image's layer."""
    layout = make_image("debian")
    index = json.loads((layout / "index.json").read_text())
    read = (layout / "blobs/sha256").joinpath
    manifest = json.loads(read(index["manifests"][0]["digest"].partition(":")[2]).read_text())
    return gzip.decompress(read(manifest["layers"][0]["digest"].partition(":")[2]).read_bytes())


def push_images(user: User, registry: Registry) -> int:
    """Push Debian as one layer and as several, and with a tiny layer on top; return its size."""
    folder = user.base / "projects/images"
    folder.mkdir(parents=True)
    images, content = LayeredImages(Project(user, folder, "images")), debian_layer()
    tiny = archive(entry("etc/tiny", b"x"))
    for tag, layers in (
        ("one", [content]),
        ("several", split(content)),
        ("above", [content, tiny]),
    ):
        images.add(tag, layers)
        registry.push(images.path, tag, f"bench/debian:{tag}")
    shutil.rmtree(images.path)
    return len(content)


@contextlib.contextmanager
def registry_for_docker(user: User, folder: Path, address: str) -> Iterator[None]:
    """Serve the same images at the same address in the daemon's network namespace."""
    pid = (folder / "pid").read_text().strip()
    argv = ["nsenter", "-n", "-t", pid, "docker-registry", "serve", str(user.base / "registry.yml")]
    with (folder / "registry.log").open("w") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
        script = f": < /dev/tcp/{address.replace(':', '/')}"
        probe = ["nsenter", "-n", "-t", pid, "bash", "-c", script]
        try:
            wait_until(
                lambda: subprocess.run(probe, capture_output=True, check=False).returncode == 0,
                what="docker's registry answers",
            )
            yield
        finally:
            process.terminate()
            process.wait(10)


def write_projects(folder: Path, address: str) -> None:
    """Write a project for each image, and one of many containers."""
    command = f"command: [sleep, '{SLEEP}'], stop_grace_period: 0s"
    for tag in ("one", "several", "above"):
        service = f"image: '{address}/bench/debian:{tag}', {command}"
        (folder / f"{tag}.yaml").write_text(f"services:\n  s: {{{service}}}\n")
    services = "".join(
        f"  s{number}: {{image: '{address}/bench/debian:one', {command}}}\n"
        for number in range(CONTAINERS)
    )
    (folder / "many.yaml").write_text(f"services:\n{services}")


class Side:
    """One tool, with a store that can be emptied and measured."""

    def __init__(
        self, tool: Tool, folder: Path, empty: Callable[[], None], store: Callable[[], Path]
    ) -> None:
        self.tool, self.folder, self.empty, self._store = tool, folder, empty, store

    def timed(self, file: str, *words: str) -> float:
        """Time a command of the project in a file."""
        return self.tool.timed(self.folder, "-f", f"{file}.yaml", *words)

    def disk(self) -> float:
        """Measure what the store takes, in MB."""
        argv = ["du", "-sxm", "--exclude=registry*", str(self._store())]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return float(done.stdout.split()[0])


def round_of(side: Side, note: Callable[[str, float], None]) -> None:
    """Time each task once, from an empty store."""
    for tag, label in TAGS.items():
        side.empty()
        note(f"up -d with a pull, {label}", side.timed(tag, "up", "-d"))
        if tag == "one":
            before = side.disk()
            note("up -d with a pull, one tiny layer above", side.timed("above", "up", "-d"))
            side.timed("above", "down", "-t", "0")
            side.timed("many", "up", "-d")
            note(f"disk with {CONTAINERS} containers to one", side.disk() / before)
            side.timed("many", "down", "-t", "0")
        side.timed(tag, "down", "-t", "0")


def floor_of(address: str, place: Path, note: Callable[[str, float], None]) -> None:
    """Time `skopeo copy` and `tar -x` of the same layers."""
    for tag, label in TAGS.items():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        begun = time.perf_counter()
        source = f"docker://{address}/bench/debian:{tag}"
        copy = ["skopeo", "copy", "-q", "--src-tls-verify=false", source, f"oci:{place}/layout:x"]
        subprocess.run(copy, check=True)
        (place / "root").mkdir()
        for blob in (place / "layout/blobs/sha256").glob("*"):
            with blob.open("rb") as head:
                is_layer = head.read(2) == b"\x1f\x8b"
            if is_layer:
                subprocess.run(["tar", "-xzf", str(blob), "-C", str(place / "root")], check=True)
        note(f"up -d with a pull, {label}", time.perf_counter() - begun)
    shutil.rmtree(place)


def report(into: Timings, names: list[str]) -> str:
    """Lay the medians out as a markdown table."""
    lines = [f"| task | {' | '.join(names)} | ratio |", f"|---|{'---|' * len(names)}---|"]
    for task in dict.fromkeys(task for task, _ in into):
        cells, medians = [], {}
        for name in names:
            values = into.get((task, name), [])
            if values:
                medians[name] = statistics.median(values)
                low, high = min(values), max(values)
                cells.append(f"{medians[name]:.2f} ({low:.2f}–{high:.2f})")
            else:
                cells.append("")
        ratio = medians[names[0]] / medians[names[1]]
        lines.append(f"| {task} | {' | '.join(cells)} | **{ratio:.2f}** |")
    return "\n".join([*lines, "", machine(), ""])


def sides(user: User, docker_folder: Path, socket: Path, projects: Path) -> list[Side]:
    """Set up both tools."""
    stores = user.base / "stores"
    stores.mkdir()
    user.own(stores)
    current = [stores / "0"]

    def as_user(*argv: str, **more: object) -> "subprocess.Popen[str]":
        return user.popen(*argv, env={"XDG_DATA_HOME": str(current[0])}, **more)  # type: ignore[arg-type]

    def as_root(*argv: str, **more: object) -> "subprocess.Popen[str]":
        env = {"PATH": os.environ["PATH"], "HOME": "/root", "DOCKER_HOST": f"unix://{socket}"}
        same = {"user": 0, "group": 0, "extra_groups": [], "start_new_session": True}
        return subprocess.Popen(argv, env=env, text=True, **same, **more)  # type: ignore[call-overload]

    def next_store() -> None:
        shutil.rmtree(current[0], ignore_errors=True)
        current[0] = stores / str(int(current[0].name) + 1)

    def prune_docker() -> None:
        command = f"docker -H unix://{socket} system prune -af"
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)

    mine = Tool("cntnr", as_user, ["cntnr", "compose"], lambda *_: False)
    theirs = Tool("docker compose", as_root, [str(docker_compose())], lambda *_: False)
    return [
        Side(mine, projects, next_store, lambda: current[0]),
        Side(theirs, projects, prune_docker, lambda: docker_folder / "data"),
    ]


def add(into: Timings, tool: str, task: str, value: float) -> None:
    """Note a value."""
    into.setdefault((task, tool), []).append(value)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    user = find_user()
    into: Timings = {}
    size = 0
    names = ["cntnr", "docker compose", "skopeo copy + tar -x"]
    try:
        with (
            tempfile.TemporaryDirectory(
                prefix="cntnr-bench-", dir=user.base.parent, ignore_cleanup_errors=True
            ) as name,
            served_registry(user) as registry,
        ):
            docker_folder, projects = Path(name), user.base / "projects/bench"
            size = push_images(user, registry)
            projects.mkdir()
            write_projects(projects, registry.address)
            user.own(user.base / "projects")
            with (
                docker_daemon(docker_folder) as socket,
                registry_for_docker(user, docker_folder, registry.address),
            ):
                both = sides(user, docker_folder, socket, projects)
                for number in range(rounds + 1):
                    # The first round warms caches up, and does not count.
                    notes = into if number else {}
                    for side in both:
                        round_of(side, functools.partial(add, notes, side.tool.name))
                    add_floor = functools.partial(add, notes, names[2])
                    floor_of(registry.address, docker_folder / "floor", add_floor)
                    sys.stderr.write(f"round {number} of {rounds}\n")
    finally:
        remove(user)
    print(f"Medians of {rounds} interleaved rounds. Debian, {size / 1e6:.0f} MB unpacked.\n")
    print(report(into, names))


if __name__ == "__main__":
    main()
