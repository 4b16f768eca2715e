"""Eight processes work on one store at once, and many are killed; nothing is lost that a name refers to.

`CNTNR_STRESS_SECONDS=60` loads it for longer.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User
from tests.scenarios.registry import make_image

SECONDS = float(os.environ.get("CNTNR_STRESS_SECONDS", "10"))
PROCESSES = 8
KILLED_SHARE = 1 / 3
HANGS_AFTER = 90  # seconds, on two busy processors
OTHERS_WERE_KILLED = ("ended unexpectedly",)  # the builder of a command, or its supervisor
# Images of this label are nobody's: they may be removed at any time.
DOCKERFILE = """
FROM busybox:latest
LABEL disposable={disposable}
RUN echo {text} > /base && chown 3:3 /base
COPY text /text
"""
COMPOSE = """
name: {name}
services:
  app:
    image: {image}
    build: .
    command: sleep 1000
    stop_signal: KILL
    stop_grace_period: 0s
"""


class Worker:
    """One of those who work on the store: a project of its own, and names that only it gives."""

    def __init__(self, number: int, project: Project, layout: Path, deadline: float) -> None:
        self.number, self.project, self.layout, self.deadline = number, project, layout, deadline
        self.random = random.Random(number)
        self.kept: dict[str, str] = {}  # what /text says in images that have to stay, by name
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.count = 0

    def work(self) -> None:
        """Do one thing after the other."""
        actions: list[Callable[[], None]] = [
            self.build, self.build, self.tag, self.run, self.up_and_down,
            self.import_image, self.remove, self.collect, self.collect,
        ]  # fmt: skip
        try:
            while time.monotonic() < self.deadline:
                self.random.choice(actions)()
        except Exception as error:  # noqa: BLE001 - the test reports it
            self.failures.append(f"{type(error).__name__}: {error}")

    def build(self) -> None:
        """Build an image, for good or to be thrown away."""
        self.count += 1
        disposable = self.random.random() < 0.5
        text = f"{self.number} {self.count}"
        kind = "gone" if disposable else "kept"
        name = f"{kind}-{self.number}:{self.count % 3}"
        base = self.random.randrange(3)  # steps that several share
        self.project.write("text", text)
        self.project.write("Dockerfile", DOCKERFILE.format(disposable=disposable, text=base))
        self.write_compose(name)
        before = self.kept.pop(name, None)
        if self.cntnr("compose", "build") and not disposable:
            self.kept[name] = text
        elif before is not None:
            self.cntnr("image", "rm", name, kill=False, ok=(0, 1))  # nobody knows which it is

    def write_compose(self, image: str) -> None:
        self.project.write("compose.yaml", COMPOSE.format(name=self.project.name, image=image))

    def tag(self) -> None:
        """Give an image that stays one more name."""
        if self.kept:
            name, text = self.random.choice(list(self.kept.items()))
            other = f"kept-{self.number}:tag{self.random.randrange(2)}"
            self.kept.pop(other, None)
            if self.cntnr("image", "tag", name, other, ok=(0,)):
                self.kept[other] = text

    def run(self) -> None:
        """Run a container that tells what is in its image."""
        if self.kept:
            name, text = self.random.choice(list(self.kept.items()))
            self.write_compose(name)
            words = ("compose", "run", "--rm", "-T", "app", "cat", "/text")
            self.cntnr(*words, expected=text)

    def up_and_down(self) -> None:
        """Bring a container up; collect while it runs; see that it has its files; take it away."""
        if not self.kept:
            return
        name, text = self.random.choice(list(self.kept.items()))
        self.write_compose(name)
        if self.cntnr("compose", "up", "-d", "--no-build"):
            self.collect()
            self.cntnr("compose", "exec", "-T", "app", "cat", "/text", expected=text)
        self.cntnr("compose", "down", "-t", "0", kill=False)

    def import_image(self) -> None:
        """Import an image, which others remove again."""
        name = f"imported-{self.random.randrange(2)}:1"
        self.cntnr("image", "import", f"oci:{self.layout}:busybox", "--tag", name)

    def remove(self) -> None:
        """Remove a name: one's own, or one that all share."""
        own = [name for name in self.kept if self.random.random() < 0.2]
        for name in own:
            del self.kept[name]
        names = [*own, f"imported-{self.random.randrange(2)}:1", f"gone-{self.number}:0"]
        self.cntnr("image", "rm", "-f", *names, ok=(0, 1))

    def collect(self) -> None:
        """Remove what is not needed, in one of the ways there are."""
        words = self.random.choice((
            ("image", "prune", "-f"),
            ("image", "prune", "-a", "-f", "--filter", "label=disposable=True"),
            ("image", "gc", "--ttl", "0"),
            ("builder", "prune", "-f"),
            ("builder", "prune", "-a", "-f", "--filter", "until=1s"),
            ("image", "fsck", "--quick", "--repair"),
        ))  # fmt: skip
        self.cntnr(*words)

    def cntnr(
        self, *words: str, kill: bool = True, ok: tuple[int, ...] = (0,), expected: str = ""
    ) -> bool:
        """Run a command, and kill it in a third of all cases; return whether it came to its end."""
        pipe = subprocess.PIPE
        process = self.project.user.popen(
            "cntnr", *words, cwd=self.project.folder, stdin=subprocess.DEVNULL, stdout=pipe,
            stderr=pipe, lasting=True,
        )  # fmt: skip
        is_killed = kill and self.random.random() < KILLED_SHARE
        with contextlib.suppress(subprocess.TimeoutExpired):
            if is_killed:
                process.wait(self.random.random() ** 2 * 1.5)
        if is_killed and process.poll() is None:
            self.counts["killed"] += 1
            if self.random.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)  # with skopeo and nsenter
            process.kill()
            process.communicate(timeout=HANGS_AFTER)
            return False
        try:
            out, err = process.communicate(timeout=HANGS_AFTER)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            self.failures.append(f"{words} hangs")
            process.communicate(timeout=HANGS_AFTER)
            return False
        self.counts[" ".join(words[:2])] += 1
        if process.returncode not in ok and any(text in err for text in OTHERS_WERE_KILLED):
            return False
        if process.returncode not in ok or "Traceback" in err:
            self.failures.append(f"{words}: {process.returncode}\n{out}\n{err}")
            return False
        if expected and out.strip() != expected:
            self.failures.append(f"{words}: {out!r} instead of {expected!r}\n{err}")
        return process.returncode == 0


@contextlib.contextmanager
def killing(user: User) -> Iterator[Counter[str]]:
    """Kill a builder or a supervisor now and then; count them."""
    killed: Counter[str] = Counter()
    ended = threading.Event()

    def kill() -> None:
        chance = random.Random(0)
        while not ended.wait(0.7):
            part = chance.choice(("builder", "builder", "supervisor"))
            victims = parts.find(user, part)
            if part == "supervisor":
                victims = parts.without_children(victims)
            if victims:
                chance.choice(victims).kill()
                killed[part] += 1

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


def test_a_store_that_many_share_survives_kills(
    make_project: MakeProject,
    busybox_image: str,
    user: User,
) -> None:
    layout = shutil.copytree(make_image("busybox"), user.base / "stress-layout", dirs_exist_ok=True)
    user.own(layout)
    deadline = time.monotonic() + SECONDS
    workers = [
        Worker(number, make_project(files={"text": ""}), layout, deadline)
        for number in range(PROCESSES)
    ]
    workers[0].cntnr("compose", "version", kill=False)
    threads = [threading.Thread(target=worker.work) for worker in workers]
    with killing(user) as killed:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    counts = sum((worker.counts for worker in workers), Counter())
    sys.stdout.write(f"\n{SECONDS:.0f} s: {dict(counts)}; killed, too: {dict(killed)}\n")
    fsck = workers[0].project.cntnr("image", "fsck", timeout=HANGS_AFTER)
    sys.stdout.write(fsck.stdout)
    lost = [text for worker in workers for text in worker.failures]
    assert lost == [], "\n".join(lost)
    fsck.ok()
    check_kept(workers)


def check_kept(workers: list[Worker]) -> None:
    """Check that each name that has to be there is, and that its image can be run."""
    for worker in workers:
        for name, text in worker.kept.items():
            worker.write_compose(name)
            words = ("run", "--rm", "-T", "app", "cat", "/text")
            assert worker.project.compose(*words).ok().stdout.strip() == text
