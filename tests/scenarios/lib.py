"""Helpers of the scenarios: an unprivileged user, projects, snapshots of processes and files."""

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
# A service that publishes a port; `format` with image and port.
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
    """Exit status and output of a command."""

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
        """Return this result; fail the test if the status is not 0."""
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
    """The unprivileged user that runs the scenarios, and its folders."""

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
        """Return a path of the holder's tmpfs as seen from outside; None if no holder runs."""
        try:
            held = json.loads((self.runtime / "holder/holder.json").read_text())
        except FileNotFoundError:
            return None
        return Path(f"/proc/{held['child']}/root/run/cntnr", name)

    def bundles(self) -> list[str]:
        """List the names of the existing bundles: each the beginning of a container's id."""
        place = self.inside("b")
        return sorted(path.name for path in place.glob("*")) if place else []

    def env(self) -> dict[str, str]:
        """Return the environment for this user's commands."""
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
        """Start a command as this user, in a process group of its own; end it with the test.

        A ``lasting`` command serves several tests; its caller ends it.
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
        """Kill the commands that a failed test has started and not waited for.

        Otherwise Python warns when it collects them, and the test that runs then fails.
        """
        while self.started:
            process = self.started.pop()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):  # the reader of unwritten input is gone
                        stream.close()

    def run(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float = 120,
    ) -> Result:
        """Run a command as this user and return its result; kill it and fail after ``timeout`` seconds."""
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
        """Change the owner of a path and everything below it to this user."""
        if os.getuid() == 0:
            for folder, _, files in os.walk(path):
                for name in (".", *files):
                    os.lchown(os.path.join(folder, name), self.uid, self.gid)
            if not path.is_dir():
                os.lchown(path, self.uid, self.gid)
        return path

    def ids(self) -> list[range]:
        """List the ranges of this user's ids: its own and its subordinate ones."""
        ranges = [range(self.uid, self.uid + 1)]
        for line in Path("/etc/subuid").read_text().splitlines():
            who, _, rest = line.partition(":")
            if who in (self.name, str(self.uid)):
                start, count = map(int, rest.split(":"))
                ranges.append(range(start, start + count))
        return ranges


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
        """Run ``up -d``; fail the test if it fails."""
        return self.compose("up", "-d", *words, **more).ok()

    def down(self, *words: str, **more: Any) -> Result:
        """Run ``down -t 1``; fail the test if it fails."""
        return self.compose("down", "-t", "1", *words, **more).ok()

    def ps(self, *words: str) -> list[dict[str, Any]]:
        """List the containers as ``ps -a --format json`` prints them."""
        return self.compose("ps", "-a", "--format", "json", *words).ok().json_lines

    def states(self) -> dict[str, str]:
        """Return the state of each container by name."""
        return {row["Name"]: row["State"] for row in self.ps()}

    def exec(self, service: str, *words: str, **more: Any) -> Result:
        """Run a command in a service's container, without a terminal."""
        return self.compose("exec", "-T", service, *words, **more)

    def logs_count(self, text: str) -> int:
        """Count the log lines that contain a text."""
        logs = self.compose("logs", "--no-color", "--no-log-prefix").ok().stdout
        return sum(text in line for line in logs.splitlines())

    def published(self, service: str, port: int) -> str:
        """Return the ``ADDRESS:PORT`` under which a container's port is published."""
        return self.compose("port", service, str(port)).ok().stdout.strip()

    def story(self) -> str:
        """Collect what helps to understand a failed scenario: config, ps, logs, log files."""
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
    """Processes, mounts, listening ports and files of a user at one moment."""

    processes: frozenset[str] = field(default_factory=frozenset)
    mounts: frozenset[str] = field(default_factory=frozenset)
    listeners: frozenset[str] = field(default_factory=frozenset)
    files: frozenset[str] = field(default_factory=frozenset)

    def beyond(self, before: "Snapshot") -> list[str]:
        """List what is in this snapshot and not in an earlier one."""
        return [
            *sorted(self.processes - before.processes),
            *sorted(self.mounts - before.mounts),
            *sorted(self.listeners - before.listeners),
            *sorted(self.files - before.files),
        ]


def snapshot(user: User) -> Snapshot:
    """Take a snapshot of the user's processes, mounts, listening ports and files."""
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
    ranges, own_namespace = user.ids(), os.readlink("/proc/self/ns/user")
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            uid = entry.stat().st_uid
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if not any(uid in ids for ids in ranges) or int(entry.name) == os.getpid():
                continue
            # A developer who runs the suite as himself has other processes: pass over them.
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
    ranges = user.ids()
    for kind, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == state and any(int(words[7]) in ids for ids in ranges):
                yield f"{kind} port {int(words[1].rpartition(':')[2], 16)} is listened on"


def _files(user: User) -> Iterable[str]:
    # Images and their layers stay after `down -v`, and so may lock files.
    places = [
        user.runtime,
        *(
            user.data / name
            for name in ("containers", "projects", "volumes", "networks", "history")
        ),
    ]
    places += filter(None, (user.inside(name) for name in ("b", "s", "u")))
    for place in places:
        for folder, _, files in os.walk(place):
            for name in files:
                if not name.endswith("lock"):
                    yield f"file {os.path.join(folder, name)}"


def wait_until(
    met: Callable[[], Any], *, timeout: float = 15, what: str = "", every: float = 0.05
) -> Any:
    """Call ``met`` until it returns a true value, and return that; fail after ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while True:
        answer = met()
        if answer:
            return answer
        if time.monotonic() > end:
            pytest.fail(f"not within {timeout} s: {what or met}; last answer: {answer!r}")
        time.sleep(every)


def rounds(usual: int) -> range:
    """Return the seeds of a random test; CNTNR_TEST_ROUNDS sets their number."""
    return range(int(os.environ.get("CNTNR_TEST_ROUNDS", usual)))


def free_port() -> int:
    """Find a TCP port of 127.0.0.1 that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def http_get(url: str, *, timeout: float = 5) -> str:
    """Fetch a page once and return its text; raise `OSError` if there is none."""
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return str(answer.read().decode(errors="replace"))


def http_answers(url: str, *, within: float = 15) -> str:
    """Fetch a page, again and again until it comes, and return its text."""

    def ask() -> str:
        try:
            return http_get(url) or " "
        except OSError:
            return ""

    return str(wait_until(ask, timeout=within, what=f"{url} answers"))


def find_user(*, one_id: bool = False) -> User:
    """Choose the user for the scenarios; create its folders and its copy of the tree.

    With ``one_id`` it is one who has no subordinate ids, and uses the copy of the other one.
    """
    if os.getuid() == 0:
        owner = os.environ.get("CNTNR_TEST_USER", "cntnr-test") + _worker()
        name = f"{owner}-one" if one_id else owner
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            pytest.exit(f"there is no user {name}: run `make setup`", returncode=1)
        mirror = subprocess.run(
            [sys.executable, ROOT / "contrib/setup/mirror.py", owner],
            check=True,
            capture_output=True,
            text=True,
        )
        copy = Path(mirror.stdout.strip())
        venv, tree = copy / "venv", copy / "tree"
    elif one_id:
        pytest.skip("only root can become a user without subordinate ids")
    else:
        if _worker():
            pytest.exit("two users are needed for two workers: run as root, or with `-n 0`", 1)
        account = pwd.getpwuid(os.getuid())
        venv, tree = ROOT / ".venv", ROOT
    base = _room() / f"cntnr-test-{account.pw_uid}" / str(os.getpid())
    session = _session(account, base)
    user = User(account.pw_name, account.pw_uid, account.pw_gid, base, venv, tree, session)
    for path in (base, user.home / ".config/containers", base / "projects", base / "data"):
        path.mkdir(parents=True, exist_ok=True)
    _choose_runtime(user)
    base.chmod(0o755)
    if os.getuid() == 0:
        os.chown(base.parent, user.uid, user.gid)
    user.own(base)
    return user


def _worker() -> str:
    """Return what the names of the users of this process end with, where pytest runs several."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
    return f"-{number}" if number > 1 else ""


def _choose_runtime(user: User) -> None:
    """Have all containers run with another runtime than runc, where `CNTNR_TEST_RUNTIME` says so."""
    if name := os.environ.get("CNTNR_TEST_RUNTIME"):
        path = user.home / ".config/cntnr/config.toml"
        path.parent.mkdir(parents=True)
        path.write_text(f'[containers]\nruntime = "{name}"\n')


def _session(account: pwd.struct_passwd, base: Path) -> Path | None:
    if os.getuid() == 0:
        return login.log_in(account.pw_uid, account.pw_gid)
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
    """Kill a session's processes and remove its folder, with the files of subordinate ids in it."""
    for line in _processes(user):
        if str(user.base) in line:
            os.kill(int(line.split()[1]), signal.SIGKILL)
    if os.getuid() != 0 and user.base.exists():
        inside = ["rootlesskit", "--net=host", "rm", "-rf", str(user.base)]
        subprocess.run(inside, check=False, capture_output=True)
    # Some folders are too deep for shutil.
    subprocess.run(["rm", "-rf", str(user.base)], check=False, capture_output=True)


def assert_refused(ended: Result, *expected: str, code: int = 1) -> str:
    """Check that a command failed with one error that contains the expected texts; return its stderr."""
    assert ended.returncode == code, str(ended)
    assert "Traceback" not in ended.stderr, ended.stderr
    assert "internal error" not in ended.stderr, ended.stderr
    assert ended.stderr.count("error: ") == 1, ended.stderr
    for part in expected:
        assert part in ended.stderr, ended.stderr
    return ended.stderr
