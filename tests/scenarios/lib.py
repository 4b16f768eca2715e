"""The stage that scenarios play on: an ordinary user, projects, and what is left behind."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import login

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
# A service that publishes a port, to be filled in: image, port.
WEB = """
services:
  web:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    ports: ["127.0.0.1:{port}:80"]
"""


@dataclass(frozen=True)
class Result:
    """How a command ended and what it said."""

    argv: list[str]
    returncode: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return (
            f"$ {' '.join(self.argv)}\n[status {self.returncode}]\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )

    def ok(self) -> "Result":
        """Give the result back, or fail the test where the status is not 0."""
        if self.returncode != 0:
            pytest.fail(str(self), pytrace=True)
        return self

    @property
    def json(self) -> Any:
        """Read the output as JSON."""
        return json.loads(self.stdout)

    @property
    def json_lines(self) -> list[Any]:
        """Read the output as one JSON value per line."""
        return [json.loads(line) for line in self.stdout.splitlines() if line]


@dataclass(frozen=True)
class User:
    """The unprivileged user that scenarios run as, and where its files lie."""

    name: str
    uid: int
    gid: int
    base: Path  # of this session, on tmpfs where there is room
    venv: Path
    tree: Path  # a work tree that this user can read
    session: Path | None  # its XDG_RUNTIME_DIR; None where it is not logged in

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def data(self) -> Path:
        return self.base / "data/cntnr"

    @property
    def runtime(self) -> Path:
        return self.session / "cntnr" if self.session else Path(f"/tmp/cntnr-{self.uid}")

    def inside(self, name: str) -> Path | None:
        """Give where a path of the holder's own tmpfs is, seen from here; None where none runs."""
        try:
            held = json.loads((self.runtime / "holder/holder.json").read_text())
        except FileNotFoundError:
            return None
        return Path(f"/proc/{held['child']}/root/run/cntnr", name)

    def bundles(self) -> list[str]:
        """List the bundles that there are, by the beginning of their container's id."""
        place = self.inside("b")
        return sorted(path.name for path in place.glob("*")) if place else []

    def env(self) -> dict[str, str]:
        """Make the environment of this user's commands."""
        session = {"XDG_RUNTIME_DIR": str(self.session)} if self.session else {}
        return {
            **session,
            "HOME": str(self.home),
            "USER": self.name,
            "LANG": "C.UTF-8",
            "PATH": f"{self.venv}/bin:/usr/local/bin:/usr/bin:/bin",
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.data.parent),
        }

    def popen(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        lasting: bool = False,
        **more: Any,
    ) -> "subprocess.Popen[str]":
        """Start a command as this user, in a process group of its own; the test's end is its, too.

        One that is ``lasting`` serves several tests, and is ended by whoever started it.
        """
        if os.getuid() != self.uid:
            more |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        process = subprocess.Popen(
            argv,
            cwd=cwd or self.home,
            env={**self.env(), **(env or {})},
            text=True,
            errors="replace",
            start_new_session=True,
            **more,
        )
        if not lasting:
            self.started.append(process)
        return process

    started: "list[subprocess.Popen[str]]" = field(default_factory=list, compare=False)

    def end_started(self) -> None:
        """End all that a test has started and, since it failed, not waited for.

        Otherwise Python would complain when it forgets them, and fail whichever test runs then.
        """
        while self.started:
            process = self.started.pop()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):  # what was not written yet has no reader
                        stream.close()

    def run(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float = 120,
    ) -> Result:
        """Run a command as this user to its end; kill it and fail after ``timeout`` seconds."""
        pipe = subprocess.PIPE
        process = self.popen(*argv, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            try:
                out, err = process.communicate(timeout=2)
            except subprocess.TimeoutExpired:
                out, err = "", "(something else still holds the command's output open)"
            ended = Result(list(argv), process.returncode or -9, out, err)
            pytest.fail(f"took longer than {timeout} s: {ended}", pytrace=True)
        return Result(list(argv), process.returncode, out, err)

    def own(self, path: Path) -> Path:
        """Give a path (and all below) to this user."""
        if os.getuid() == 0:
            for folder, _, files in os.walk(path):
                for name in (".", *files):
                    os.lchown(os.path.join(folder, name), self.uid, self.gid)
            if not path.is_dir():
                os.lchown(path, self.uid, self.gid)
        return path

    def ids(self) -> list[range]:
        """Give the user ids that are this user's: its own and its subordinate ones."""
        mine = [range(self.uid, self.uid + 1)]
        for line in Path("/etc/subuid").read_text().splitlines():
            who, _, rest = line.partition(":")
            if who in (self.name, str(self.uid)):
                start, count = map(int, rest.split(":"))
                mine.append(range(start, start + count))
        return mine


@dataclass
class Project:
    """A compose project in a folder of its own."""

    user: User
    folder: Path
    name: str

    def write(self, name: str, text: str, *, mode: int = 0o644) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        self.user.own(self.folder)
        return path

    def cntnr(self, *words: str, **more: Any) -> Result:
        """Run ``cntnr WORDS`` in the project's folder."""
        return self.user.run("cntnr", *words, cwd=more.pop("cwd", self.folder), **more)

    def compose(self, *words: str, **more: Any) -> Result:
        """Run ``cntnr compose WORDS`` in the project's folder."""
        return self.cntnr("compose", *words, **more)

    def up(self, *words: str, **more: Any) -> Result:
        """Run ``up -d`` and insist that it works."""
        return self.compose("up", "-d", *words, **more).ok()

    def down(self, *words: str, **more: Any) -> Result:
        """Run ``down -t 1`` and insist that it works."""
        return self.compose("down", "-t", "1", *words, **more).ok()

    def ps(self, *words: str) -> list[dict[str, Any]]:
        """Give the containers as ``ps -a --format json`` tells them."""
        return self.compose("ps", "-a", "--format", "json", *words).ok().json_lines

    def states(self) -> dict[str, str]:
        """Give the state of each container by name."""
        return {row["Name"]: row["State"] for row in self.ps()}

    def exec(self, service: str, *words: str, **more: Any) -> Result:
        """Run a command in a service's container, without a terminal."""
        return self.compose("exec", "-T", service, *words, **more)

    def logs_count(self, text: str) -> int:
        """Count the log lines that hold a text."""
        logs = self.compose("logs", "--no-color", "--no-log-prefix").ok().stdout
        return sum(text in line for line in logs.splitlines())

    def published(self, service: str, port: int) -> str:
        """Give the ``ADDRESS:PORT`` under which a container's port is published."""
        return self.compose("port", service, str(port)).ok().stdout.strip()

    def story(self) -> str:
        """Collect what a developer wants to read when a scenario failed."""
        parts = [
            str(self.compose(*words.split(), timeout=30))
            for words in ("config", "ps -a", "logs --no-color --tail 200")
        ]
        for log in sorted(self.user.runtime.rglob("*.log")):
            text = log.read_text(errors="replace").splitlines()[-60:]
            parts.append(f"--- {log}\n" + "\n".join(text))
        return "\n\n".join(parts)


@dataclass(frozen=True)
class Snapshot:
    """What of a user's can be seen on the machine at one moment."""

    processes: frozenset[str] = field(default_factory=frozenset)
    mounts: frozenset[str] = field(default_factory=frozenset)
    listeners: frozenset[str] = field(default_factory=frozenset)
    files: frozenset[str] = field(default_factory=frozenset)

    def beyond(self, before: "Snapshot") -> list[str]:
        """List what is here and was not there before."""
        return [
            *sorted(self.processes - before.processes),
            *sorted(self.mounts - before.mounts),
            *sorted(self.listeners - before.listeners),
            *sorted(self.files - before.files),
        ]


def snapshot(user: User) -> Snapshot:
    """Look for the user's processes, mounts, listening ports and files."""
    return Snapshot(
        processes=frozenset(_processes(user)),
        mounts=frozenset(
            f"mount {line.split()[4]}"
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if str(user.base) in line
        ),
        listeners=frozenset(_listeners(user)),
        files=frozenset(_files(user)),
    )


def _processes(user: User) -> Iterable[str]:
    mine, own_namespace = user.ids(), os.readlink("/proc/self/ns/user")
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            uid = entry.stat().st_uid
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if not any(uid in ids for ids in mine) or int(entry.name) == os.getpid():
                continue
            # Whoever runs the suite as himself has other processes, which are none of ours.
            if os.getuid() == user.uid and str(user.base) not in words:
                try:
                    if os.readlink(entry / "ns/user") == own_namespace:
                        continue
                except PermissionError:
                    continue
            if words:  # not a zombie nor a kernel thread
                yield f"process {entry.name} of uid {uid}: {words.strip()[:200]}"
        except (FileNotFoundError, ProcessLookupError):
            continue


def _listeners(user: User) -> Iterable[str]:
    mine = user.ids()
    for kind, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == state and any(int(words[7]) in ids for ids in mine):
                yield f"{kind} port {int(words[1].rpartition(':')[2], 16)} is listened on"


def _files(user: User) -> Iterable[str]:
    # Images and their layers stay after `down -v`, and locks are worth nothing to anybody else.
    places = [user.runtime, *(user.data / name for name in ("containers", "projects", "volumes"))]
    places += filter(None, (user.inside(name) for name in ("b", "s", "u")))
    for place in places:
        for folder, _, files in os.walk(place):
            for name in files:
                if not name.endswith("lock"):
                    yield f"file {os.path.join(folder, name)}"


def wait_until(
    met: Callable[[], Any], *, timeout: float = 15, what: str = "", every: float = 0.05
) -> Any:
    """Ask ``met`` until it gives something true, and give that; fail after ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while True:
        found = met()
        if found:
            return found
        if time.monotonic() > end:
            pytest.fail(f"not within {timeout} s: {what or met}; last answer: {found!r}")
        time.sleep(every)


def rounds(usual: int) -> range:
    """Give the seeds of a test that takes chances; CNTNR_TEST_ROUNDS asks for more of them."""
    return range(int(os.environ.get("CNTNR_TEST_ROUNDS", usual)))


def free_port() -> int:
    """Find a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def http_get(url: str, *, timeout: float = 5) -> str:
    """Ask for a page once and give its text; raise `OSError` where there is none."""
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return str(answer.read().decode(errors="replace"))


def http_answers(url: str, *, within: float = 15) -> str:
    """Ask for a page until it comes."""

    def ask() -> str:
        try:
            return http_get(url) or " "
        except OSError:
            return ""

    return str(wait_until(ask, timeout=within, what=f"{url} answers"))


def find_user() -> User:
    """Choose the user for the scenarios, and make its folders and its copy of the tree."""
    if os.getuid() == 0:
        name = os.environ.get("CNTNR_TEST_USER", "cntnr-test")
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            pytest.exit(f"there is no user {name}: run `make setup`", returncode=1)
        made = subprocess.run(
            [sys.executable, ROOT / "contrib/setup/mirror.py", name],
            check=True,
            capture_output=True,
            text=True,
        )
        copy = Path(made.stdout.strip())
        venv, tree = copy / "venv", copy / "tree"
    else:
        found = pwd.getpwuid(os.getuid())
        venv, tree = ROOT / ".venv", ROOT
    base = _room() / f"cntnr-test-{found.pw_uid}" / str(os.getpid())
    session = _session(found, base)
    user = User(found.pw_name, found.pw_uid, found.pw_gid, base, venv, tree, session)
    for path in (base, user.home / ".config/containers", base / "projects", base / "data"):
        path.mkdir(parents=True, exist_ok=True)
    base.chmod(0o755)
    if os.getuid() == 0:
        os.chown(base.parent, user.uid, user.gid)
    user.own(base)
    return user


def _session(found: pwd.struct_passwd, base: Path) -> Path | None:
    if os.getuid() == 0:
        return login.log_in(found.pw_uid, found.pw_gid)
    if not login.is_wanted():
        pytest.exit("only root can take a login away: run the suite as root", returncode=1)
    session = base / "run"
    session.mkdir(mode=0o700, parents=True)
    return session


def _room() -> Path:
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > 3000 * MIB
    return shared if roomy and os.access(shared, os.W_OK) else Path("/var/tmp")


def remove(user: User) -> None:
    """Remove a session's folder, with the files of subordinate ids in it, and end its processes."""
    for line in _processes(user):
        if str(user.base) in line:
            os.kill(int(line.split()[1]), signal.SIGKILL)
    if os.getuid() != 0 and user.base.exists():
        inside = ["rootlesskit", "--net=host", "rm", "-rf", str(user.base)]
        subprocess.run(inside, check=False, capture_output=True)
    # Deeper than shutil goes, some of it.
    subprocess.run(["rm", "-rf", str(user.base)], check=False, capture_output=True)


def refused(ended: Result, *said: str, code: int = 1) -> str:
    """Check that a command failed as it should, and give what it said."""
    assert ended.returncode == code, str(ended)
    assert "Traceback" not in ended.stderr, ended.stderr
    assert "internal error" not in ended.stderr, ended.stderr
    assert ended.stderr.count("error: ") == 1, ended.stderr
    for part in said:
        assert part in ended.stderr, ended.stderr
    return ended.stderr
