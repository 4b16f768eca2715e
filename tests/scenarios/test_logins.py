"""Where people work from: logins with and without variables, cleaners of old files, homes of all kinds."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.scenarios import login, parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import (
    WEB,
    Result,
    User,
    assert_refused,
    free_port,
    http_answers,
    wait_until,
)

# Answers on a published port, and keeps a file of its own.
SERVER = """
services:
  web:
    image: {image}
    command: [sh, -c, "echo hello >/srv/index.html; exec httpd -f -p 80 -h /srv"]
    stop_signal: KILL
    ports: ["127.0.0.1:{port}:80"]
    volumes: ["kept:/srv"]
volumes:
  kept: {{}}
"""


def test_a_stack_lives_in_the_environment_of_the_suite(
    make_project: MakeProject, busybox_image: str
) -> None:
    """By default that is a login: XDG_RUNTIME_DIR below /run, which the holder has a copy of."""
    port = free_port()
    project = make_project(SERVER.format(image=busybox_image, port=port))
    project.up()
    assert http_answers(f"http://127.0.0.1:{port}/") == "hello\n"
    project.compose("restart", "-t", "0").ok()
    assert http_answers(f"http://127.0.0.1:{port}/") == "hello\n"
    assert project.exec("web", "cat", "/srv/index.html").ok().stdout == "hello\n"
    if project.user.session:
        assert (project.user.session / "cntnr/holder/holder.json").exists()
    if login.is_wanted() and os.getuid() == 0:  # who is not has the machine's own mounts
        shared = Path("/proc/self/mountinfo").read_text().splitlines()
        assert any(line.split()[4] == "/" and " shared:" in line for line in shared)


def test_commands_with_and_without_the_variable_are_the_same_user_s(
    make_project: MakeProject, busybox_image: str
) -> None:
    """`su` and cron know nothing of XDG_RUNTIME_DIR; what runs is found all the same."""
    project = make_project(SERVER.format(image=busybox_image, port=free_port()))
    project.up()
    web = f"{project.name}-web-1"
    bare = {"XDG_RUNTIME_DIR": ""}
    rows = project.compose("ps", "--format", "json", env=bare).ok().json_lines
    assert [(row["Name"], row["State"]) for row in rows] == [(web, "running")]
    project.exec("web", "true", env=bare).ok()
    assert f"Container {web}  Running" in project.compose("up", "-d", env=bare).ok().stderr
    project.compose("down", "-t", "0", env=bare).ok()
    assert project.ps() == []


def empty(folder: Path) -> None:
    """Remove all files below a folder, as a cleaner of old files does that ignores locks."""
    for place, _, names in os.walk(folder):
        for name in names:
            Path(place, name).unlink()


@pytest.mark.parametrize("how", ["files", "folder"])
def test_what_runs_is_found_where_the_runtime_folder_was_emptied(
    make_project: MakeProject, busybox_image: str, how: str
) -> None:
    """systemd-tmpfiles and the like remove old files; a logout takes the whole folder away."""
    port = free_port()
    project = make_project(SERVER.format(image=busybox_image, port=port))
    project.up()
    before = parts.supervisor(project)
    if how == "files":
        empty(project.user.runtime)
    else:
        shutil.rmtree(project.user.runtime)
    web = f"{project.name}-web-1"
    assert project.states() == {web: "running"}
    project.exec("web", "true").ok()
    assert f"Container {web}  Running" in project.up().stderr
    assert parts.supervisors(project) == [before], "there is one supervisor"
    project.compose("restart", "-t", "0").ok()  # ports are withdrawn and published again
    assert http_answers(f"http://127.0.0.1:{port}/") == "hello\n"
    parts.kill_supervisor(project)
    assert project.states() == {web: "running"}
    project.down("-v")
    assert parts.find(project.user, "holder's child") == []


def test_cleaners_of_old_files_are_kept_off(make_project: MakeProject, busybox_image: str) -> None:
    """systemd-tmpfiles passes over a folder that is locked (tmpfiles.d(5), "Age")."""
    project = make_project(SERVER.format(image=busybox_image, port=free_port()))
    project.up()
    folder = os.open(project.user.runtime, os.O_RDONLY)
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        project.down("-v")
        # rootlesskit is a zombie by now, but its threads may still have the folder open.
        wait_until(partial(try_lock, folder), timeout=2, what="the folder is unlocked")
    finally:
        os.close(folder)


def try_lock(folder: int) -> bool:
    """Lock a folder, unless another process has it locked; tell whether it is."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture
def strange_home(user: User) -> Iterator[Path]:
    """Yield a home reached by a link, on a file system of its own, with a name in two alphabets."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a file system for a home")
    disk = user.base / "other disk"
    disk.mkdir()
    options = f"size=200m,uid={user.uid},gid={user.gid},mode=0755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "homes", disk], check=True)
    try:
        real = disk / "дом, mon: \"cœur\" 'x'"
        real.mkdir()
        user.own(real)
        link = user.base / "der weg"
        link.symlink_to(real)
        yield link
        link.unlink()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
        disk.rmdir()


# Everything that takes a path of the user's: a build, volumes in memory and on disk, binds, files, caches.
HOMELY = """
name: homely
services:
  web:
    build: {{context: ., additional_contexts: {{more: ./more}}}}
    command: [sh, -c, "echo hello >/srv/index.html; exec httpd -f -p 80 -h /srv"]
    stop_signal: KILL
    ports: ["127.0.0.1:{port}:80"]
    volumes:
      - fast:/srv
      - kept:/kept
      - ./more:/more
      - {{type: volume, source: kept, target: /sub, volume: {{subpath: x}}}}
    secrets: [word]
    configs: [{{source: page, uid: "7"}}]
    env_file: [vars.env]
    depends_on: {{first: {{condition: service_completed_successfully}}}}
  first:
    image: {image}
    command: mkdir -p /kept/x
    volumes: ["kept:/kept"]
volumes:
  fast: {{driver_opts: {{type: tmpfs, o: size=4m}}}}
  kept: {{}}
secrets: {{word: {{file: ./more/word}}}}
configs: {{page: {{file: ./more/word}}}}
"""
DOCKERFILE = """
FROM {image}
COPY more/ /copied
RUN --mount=type=cache,target=/cache --mount=type=bind,from=more,target=/mine \\
    cat /mine/word /copied/word >/made
"""


def test_a_home_by_a_link_on_another_disk_with_a_name_of_all_kinds(
    make_project: MakeProject, busybox_image: str, strange_home: Path
) -> None:
    user, port = make_project().user, free_port()
    shutil.copytree(user.home, strange_home, symlinks=True, dirs_exist_ok=True)
    folder = strange_home / "мой: \"one\", 'two'"
    (folder / "more").mkdir(parents=True)
    (folder / "more/word").write_text("xyzzy\n")
    (folder / "vars.env").write_text("SAID=so\n")
    (folder / "Dockerfile").write_text(DOCKERFILE.format(image=busybox_image))
    (folder / "compose.yaml").write_text(HOMELY.format(image=busybox_image, port=port))
    user.own(strange_home.resolve())
    env = {"HOME": str(strange_home), "XDG_DATA_HOME": f"{strange_home}/the data"}
    env["XDG_CONFIG_HOME"] = f"{strange_home}/.config"

    def run(*words: str) -> Result:
        return user.run("cntnr", "compose", *words, cwd=folder, env=env)

    run("up", "-d").ok()
    try:
        assert http_answers(f"http://127.0.0.1:{port}/") == "hello\n"
        run("restart", "-t", "0").ok()
        assert http_answers(f"http://127.0.0.1:{port}/") == "hello\n"
        look = "cat /made /more/word /run/secrets/word /page; echo $SAID; ls -d /kept/x /sub"
        output = run("exec", "-T", "web", "sh", "-c", look).ok().stdout
        assert output == "xyzzy\n" * 5 + "so\n/kept/x\n/sub\n"
        run("run", "--rm", "-T", "web", "true").ok()
        run("build", "--no-cache").ok()
    finally:
        run("down", "-v", "-t", "0").ok()
    data = strange_home / "the data/cntnr"
    left = [
        path for name in ("containers", "volumes", "projects") for path in (data / name).glob("*")
    ]
    assert left == []
    assert parts.find(user, "holder's child") == []


@pytest.fixture
def occupied(user: User) -> Iterator[Path]:
    """Yield a runtime folder of another user, who listens there for every project."""
    if os.getuid() != 0:
        pytest.skip("only root can act as another user")
    place = Path(f"/tmp/cntnr-{user.uid}")
    shutil.rmtree(place, ignore_errors=True)
    stranger = 65534
    script = (
        "import os, socket, sys\n"
        "os.makedirs(sys.argv[1] + '/s', 0o755)\n"
        "os.makedirs(sys.argv[1] + '/holder/inside/s', 0o755)\n"
        "ends = []\n"
        "for name in sys.argv[2:]:\n"
        "    one = socket.socket(socket.AF_UNIX); one.bind(name); os.chmod(name, 0o777); one.listen()\n"
        "    ends.append(one)\n"
        "print('ready', flush=True)\n"
        "import select\n"
        "ready = select.select(ends, [], [], 30)[0]\n"
        "for one in ready: print('heard', one.accept()[0].recv(100), flush=True)\n"
    )
    names = [f"{place}/s/mine.sock", f"{place}/holder/inside/s/mine.sock"]
    argv = ["python3", "-c", script, str(place), *names]
    with subprocess.Popen(
        argv, user=stranger, group=stranger, stdout=subprocess.PIPE, text=True
    ) as there:
        assert there.stdout
        assert there.stdout.readline() == "ready\n"
        yield place
        there.kill()
        assert there.stdout.read() == "", "something was said to a stranger"
    shutil.rmtree(place)


@pytest.mark.parametrize(
    "words", [("up", "-d"), ("ps",), ("exec", "web", "true"), ("down",), ("logs",), ("run", "web")]
)
def test_a_stranger_s_runtime_folder_is_not_trusted(
    make_project: MakeProject, busybox_image: str, occupied: Path, words: tuple[str, ...]
) -> None:
    project = make_project(WEB.format(image=busybox_image, port=free_port()), name="mine")
    env = {"CNTNR_RUNTIME_DIR": str(occupied), "XDG_RUNTIME_DIR": ""}
    ended = project.compose(*words, env=env)
    message = assert_refused(
        ended, f"error: cannot trust the runtime directory {occupied}: not ours alone"
    )
    assert "hint: have it removed" in message


def test_another_user_cannot_talk_to_a_supervisor(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    """Root could open the socket; whoever is not its user is hung up on before he has said a word."""
    if os.getuid() != 0:
        pytest.skip("only root can act as another user")
    project = make_project(SERVER.format(image=busybox_image, port=free_port()))
    project.up()
    inside = user.inside("")
    assert inside
    assert (inside.stat().st_mode & 0o777) == 0o700
    ask = (
        "import socket, sys\n"
        "one = socket.socket(socket.AF_UNIX); one.connect(sys.argv[1])\n"
        "try:\n"
        '    one.sendall(b\'{"type":"hello"}\\n\'); print(one.recv(100))\n'
        "except OSError: print(b'')\n"
    )
    argv = ["python3", "-c", ask, str(inside / f"s/{project.name}.sock")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "b''\n"


ROOT_S = """
set -eu
mount --make-rshared /
mkdir -p "$1/own"
cp /etc/subuid /etc/subgid "$1/own"
for kind in uid gid; do
  grep -v '^root:' "/etc/sub$kind" >"$1/own/sub$kind" || true
  echo root:2000000:65536 >>"$1/own/sub$kind"
  mount --bind "$1/own/sub$kind" "/etc/sub$kind"
done
export HOME="$1/home" XDG_DATA_HOME="$1/data" CNTNR_RUNTIME_DIR="$1/run"
cp /proc/self/mountinfo "$1/before"
cd "$1/shop"
"$2" compose up -d --build
"$2" compose exec -T web cat /srv/index.html
"$2" compose build --no-cache
cp /proc/self/mountinfo "$1/during"
"$2" compose down -v -t 0
cp /proc/self/mountinfo "$1/after"
"""


def test_root_s_mounts_are_as_they_were(user: User, leftovers: object) -> None:
    """Where / is shared, what slirp4netns does in its sandbox must not reach the machine."""
    if os.getuid() != 0:
        pytest.skip("only root can be root")
    place = Path(
        "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/var/tmp", f"root-{os.getpid()}"
    )
    shop = place / "shop"
    shop.mkdir(parents=True)
    try:
        shutil.copy("/bin/busybox", shop / "busybox")
        (shop / "Dockerfile").write_text(
            "FROM scratch\nCOPY busybox /bin/busybox\n"
            'RUN ["/bin/busybox", "--install", "-s", "/bin"]\nENV PATH=/bin\n'
        )
        (shop / "compose.yaml").write_text(
            "services:\n  web:\n    build: .\n"
            '    command: [sh, -c, "mkdir -p /srv; echo root >/srv/index.html; exec httpd -f -h /srv"]\n'
        )
        argv = ["unshare", "--mount", "sh", "-c", ROOT_S, "sh", place, user.venv / "bin/cntnr"]
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        done = subprocess.run(
            argv, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "root\n" in done.stdout
        before = (place / "before").read_text()
        assert (place / "during").read_text() == before
        assert (place / "after").read_text() == before
    finally:
        wait_until(lambda: not shutil.rmtree(place, ignore_errors=True) and not place.exists())
