"""What is wrong is said in one sentence: what, where, and what to do. And it leaves nothing behind."""

import contextlib
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, free_port, wait_until

Leftovers = Callable[[], list[str]]


def refused(ended: Result, *said: str, code: int = 1) -> str:
    """Check that a command failed as it should, and give what it said."""
    assert ended.returncode == code, str(ended)
    assert "Traceback" not in ended.stderr, ended.stderr
    assert "internal error" not in ended.stderr, ended.stderr
    assert ended.stderr.count("error: ") == 1, ended.stderr
    for part in said:
        assert part in ended.stderr, ended.stderr
    return ended.stderr


FILES = {
    "an unknown key": (
        """\
        services:
          web:
            image: busybox
            comand: sleep 9
        """,
        """services.web.comand: additional properties 'comand' not allowed (did you mean "command"?)""",
    ),
    "a value of the wrong type": (
        """\
        services:
          web:
            image: busybox
            read_only: [1]
        """,
        "compose.yaml:4:5: services.web.read_only: must be a boolean",
    ),
    "a list that does not end": (
        """\
        services:
          web:
            image: [busybox
        """,
        "compose.yaml:4:1: did not find expected ',' or ']'",
    ),
    "a tab": (
        "services:\n\tweb: {}\n",
        "compose.yaml:2:1: found character that cannot start any token (it is a tab;",
    ),
    "a key twice": (
        """\
        services:
          web: {image: a}
          web: {image: b}
        """,
        "compose.yaml:3:3: ",
    ),
    "a service that is not there": (
        """\
        services:
          web:
            image: busybox
            depends_on: [db]
        """,
        """compose.yaml:4:5: services.web.depends_on.db: service "web" depends on undefined service "db\"""",
    ),
    "a network that is not there": (
        """\
        services:
          web:
            image: busybox
            networks: [back]
        """,
        """compose.yaml:4:5: services.web.networks.back: service "web" refers to undefined network back""",
    ),
    "a volume that is not there": (
        """\
        services:
          web:
            image: busybox
            volumes:
              - data:/data
        """,
        """compose.yaml:5:9: services.web.volumes.0: service "web" refers to undefined volume data""",
    ),
    "a cycle": (
        """\
        services:
          a: {image: busybox, depends_on: [b]}
          b: {image: busybox, depends_on: [c]}
          c: {image: busybox, depends_on: [a]}
        """,
        "compose.yaml:2:23: services.a.depends_on.b: dependency cycle detected: a -> b -> c -> a",
    ),
    "a port that is no number": (
        """\
        services:
          web: {image: busybox, ports: ["80:http"]}
        """,
        "compose.yaml:2:33: services.web.ports.0: ",
    ),
    "a low port": (
        """\
        services:
          web:
            image: busybox
            ports:
              - "80:80"
        """,
        "compose.yaml:5:9: services.web.ports.0.published: cannot be honoured: ordinary users may use ports",
    ),
    "nothing": ("", "compose.yaml: empty compose file"),
    "a list": ("- services\n", "compose.yaml:1:1: top-level object must be a mapping"),
    "neither image nor build": (
        "services: {web: {command: x}}",
        'service "web" has neither an image nor a build context specified',
    ),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_with(project: MakeProject, leftovers: Leftovers, what: str) -> None:
    text, says = FILES[what]
    mine = project(dedent(text) or "\n")
    if not text:
        mine.write("compose.yaml", "")
    said = refused(
        mine.compose("up", "-d"), f"error: {mine.folder}/{says}" if "compose.y" in says else says
    )
    assert said.count("\n") <= 2, said
    assert leftovers() == []
    mine.write("compose.yaml", "services: {}")


def test_a_file_that_is_not_there(project: MakeProject, leftovers: Leftovers) -> None:
    mine = project(name="nothing")
    refused(mine.compose("up", "-d"), "no configuration file provided: not found")
    refused(mine.compose("-f", "other.yaml", "up", "-d"), "other.yaml")
    assert leftovers() == []


def test_several_mistakes_are_all_told_with_their_places(project: MakeProject) -> None:
    mine = project("services:\n  a: {image: x, colour: red}\n  b: {image: y, taste: sour}\n")
    ended = mine.compose("up", "-d")
    assert ended.returncode == 1
    assert "compose.yaml:2:17: services.a.colour" in ended.stderr
    assert "compose.yaml:3:17: services.b.taste" in ended.stderr
    mine.write("compose.yaml", "services: {}")


WEB = """
services:
  web:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    ports: ["127.0.0.1:{port}:80"]
"""


def test_a_port_that_another_program_has(project: MakeProject, busybox_image: str) -> None:
    port = free_port()
    mine = project(WEB.format(image=busybox_image, port=port))
    server = mine.user.popen(
        "python3", "-m", "http.server", "--bind", "127.0.0.1", str(port),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        row = f":{port:04X} "
        wait_until(lambda: row in Path("/proc/net/tcp").read_text(), what="it listens")
        says = f"error: cannot publish port {port} on 127.0.0.1: it is in use by "
        said = refused(mine.compose("up", "-d"), says, "hint: stop what listens there")
        assert re.search(rf"in use by python3\S* \(process {server.pid}\)", said)
        assert mine.states() == {f"{mine.name}-web-1": "created"}
    finally:
        server.kill()
        server.wait()
    mine.up()


def test_a_port_that_a_container_has(project: MakeProject, busybox_image: str) -> None:
    port = free_port()
    first, second = (project(WEB.format(image=busybox_image, port=port)) for _ in range(2))
    first.up()
    by = f"it is in use by container {first.name}-web-1 of project {first.name}"
    refused(second.compose("up", "-d"), f"cannot publish port {port} on 127.0.0.1: {by}")
    first.down()
    second.up()


def test_an_image_that_is_not_there(
    project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    mine = project("services: {a: {image: nosuch:1}, b: {image: 'busybox:nosuch'}}")
    said = refused(mine.compose("up", "-d"), "hint: check the name and the tag")
    assert "cannot get image nosuch:1: the registry has no such image" in said
    assert "cannot get image busybox:nosuch: the registry has no such image" in said
    refused(mine.compose("up", "-d", "--pull", "never"), "no such image: ")
    assert leftovers() == []


def test_a_registry_that_is_down(project: MakeProject, leftovers: Leftovers) -> None:
    address = f"127.0.0.1:{free_port()}"
    mine = project(f"services: {{a: {{image: {address}/a}}}}")
    says = f"cannot get image {address}/a:latest: the registry {address} cannot be reached"
    refused(mine.compose("up", "-d"), says, "hint: check the network")
    assert leftovers() == []


DOCKER = "application/vnd.docker"


class Liar:
    """A registry with one image, of which the layer is not as its digest or its size says."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.content: dict[str, tuple[str, bytes]] = {}
        self.cut: dict[str, int] = {}

    def blob(self, kind: str, content: bytes) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.content[f"blobs/{digest}"] = (kind, content)
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def image(self, name: str, layer: bytes, diff: bytes) -> dict[str, object]:
        """Serve an image of one layer; give the layer's descriptor."""
        kind = f"{DOCKER}.distribution.manifest.v2+json"
        config = {
            "os": "linux", "architecture": os.uname().machine.replace("x86_64", "amd64"),
            "config": {"Cmd": ["/file"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(diff).hexdigest()}"]},
        }  # fmt: skip
        described = self.blob(f"{DOCKER}.image.rootfs.diff.tar.gzip", layer)
        manifest = {
            "schemaVersion": 2, "mediaType": kind, "layers": [described],
            "config": self.blob(f"{DOCKER}.container.image.v1+json", json.dumps(config).encode()),
        }  # fmt: skip
        self.content[f"{name}/manifests/latest"] = (kind, json.dumps(manifest).encode())
        return described


@pytest.fixture
def liar() -> Iterator[Liar]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/v2/")
            key = path if "/manifests/" in path else path.partition("/")[2]
            if not path:
                kind, content = "application/json", b"{}"
            elif key in served.content:
                kind, content = served.content[key]
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if "/manifests/" in path:
                digest = hashlib.sha256(content).hexdigest()
                self.send_header("Docker-Content-Digest", f"sha256:{digest}")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content[: served.cut.get(key, len(content))])

        do_HEAD = do_GET  # noqa: N815 - the library calls it so

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        served = Liar(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def layer(size: int = 1 << 16) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("file")
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    return out.getvalue()


@pytest.mark.parametrize("how", ["another", "truncated", "no archive", "half an archive"])
def test_a_layer_that_lies(
    project: MakeProject, leftovers: Leftovers, liar: Liar, how: str
) -> None:
    diff = layer()
    packed = gzip.compress(diff)
    if how == "no archive":
        diff = packed = b"this is no archive" * 100
    elif how == "half an archive":
        packed = gzip.compress(diff)[: len(packed) // 2]
    described = liar.image("a", packed, diff)
    key = f"blobs/{described['digest']}"
    if how == "another":
        liar.content[key] = ("application/octet-stream", gzip.compress(layer())[: len(packed)])
    elif how == "truncated":
        liar.cut[key] = len(packed) // 2
    mine = project(f"services: {{a: {{image: {liar.address}/a}}}}")
    for _ in range(2):  # what came of the first try does not pass for the image
        says = f"error: cannot get image {liar.address}/a:latest: a layer is damaged"
        refused(mine.compose("up", "-d"), says, "hint: pull it again")
        assert mine.ps() == [] or set(mine.states().values()) == {"created"}
    mine.down("-v")
    assert leftovers() == []


def test_a_bind_source_that_looks_like_a_file(project: MakeProject, busybox_image: str) -> None:
    mine = project(f"""
        services:
          web:
            image: {busybox_image}
            command: sleep 1000
            stop_signal: KILL
            volumes: ["./nginx.conf:/etc/nginx.conf"]
    """)
    source = mine.folder / "nginx.conf"
    says = f"error: cannot mount {source} in service web: it does not exist, and looks like a file"
    refused(mine.compose("up", "-d"), says, "hint: make it, or correct the path")
    assert not source.exists()
    assert mine.states() == {f"{mine.name}-web-1": "created"}
    mine.write("nginx.conf", "here\n")
    mine.up()
    assert mine.exec("web", "cat", "/etc/nginx.conf").ok().stdout == "here\n"


def test_a_program_that_the_image_does_not_have(project: MakeProject, busybox_image: str) -> None:
    mine = project(f"services: {{web: {{image: {busybox_image}, command: nosuch}}}}")
    says = f'error: cannot start container {mine.name}-web-1: exec: "nosuch": executable file not found'
    refused(mine.compose("up", "-d"), says, "hint: the image has no such program")
    refused(
        mine.compose("run", "--rm", "web"), 'exec: "nosuch": executable file not found', code=127
    )


@pytest.mark.parametrize(
    ("condition", "check", "says"),
    [
        (
            "service_healthy",
            '{test: "true"}',
            "dependency failed to start: container {name} exited (3)",
        ),
        ("service_healthy", "{disable: true}", "container {name} has no healthcheck configured"),
        (
            "service_completed_successfully",
            "",
            """service "job" didn't complete successfully: exit 3""",
        ),
    ],
)
def test_a_dependency_that_exits_at_once(
    project: MakeProject, busybox_image: str, condition: str, check: str, says: str
) -> None:
    mine = project(f"""
        services:
          job:
            image: {busybox_image}
            command: sh -c 'exit 3'
            healthcheck: {check or "{}"}
          web:
            image: {busybox_image}
            command: sleep 1000
            stop_signal: KILL
            depends_on: {{job: {{condition: {condition}}}}}
    """)
    job, web = f"{mine.name}-job-1", f"{mine.name}-web-1"
    refused(mine.compose("up", "-d"), says.format(name=job))
    wait_until(
        lambda: mine.states() == {job: "exited", web: "created"}, what="only one was started"
    )
    bundles = [path.name for path in (mine.user.runtime / "b").glob("*")]
    assert bundles == [], "the other waits for nothing any more"


def beneath(user: User, *words: str) -> list[str]:
    """Make a command that runs ``words`` where mounts can be made that nobody else sees."""
    return [
        "unshare",
        "--user",
        "--map-current-user",
        "--keep-caps",
        "--mount",
        "sh",
        "-ec",
        *words,
    ]


def in_another_machine(mine: Project, mounts: str, *words: str) -> Result:
    """Run a command where ``mounts``, lines of shell, have changed the machine."""
    script = f'{mounts}\nexec setpriv --ambient-caps=-all --inh-caps=-all "$@"'
    argv = beneath(mine.user, script, "sh", "cntnr", "compose", *words)
    return mine.user.run(*argv, cwd=mine.folder)


def test_a_user_without_subordinate_ids(
    project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    mine = project(WEB.format(image=busybox_image, port=free_port()))
    ended = in_another_machine(mine, "mount --bind /dev/null /etc/subuid", "up", "-d")
    who = mine.user.name
    refused(
        ended,
        f"error: cannot map the ids of containers: {who} has no range in /etc/subuid and /etc/subgid",
        "hint: an administrator can give one: usermod --add-subuids",
    )
    assert leftovers() == []


@pytest.mark.parametrize("program", ["runc", "conmon", "rootlesskit", "slirp4netns", "newuidmap"])
def test_a_program_that_is_not_installed(
    project: MakeProject, leftovers: Leftovers, busybox_image: str, program: str
) -> None:
    mine = project(WEB.format(image=busybox_image, port=free_port()))
    hidden = f'mount --bind /dev/null "$(PATH=$PATH:/usr/sbin:/sbin command -v {program})"'
    ended = in_another_machine(mine, hidden, "up", "-d")
    refused(ended, f"error: cannot find the program {program}", "hint: run `cntnr doctor`")
    assert leftovers() == []


def test_a_device_for_networks_that_is_closed(
    project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    mine = project(WEB.format(image=busybox_image, port=free_port()))
    closed = "touch closed; chmod 0 closed; mount --bind closed /dev/net/tun"
    ended = in_another_machine(mine, closed, "up", "-d")
    refused(
        ended, "error: cannot open /dev/net/tun", "hint: an administrator can open it: chmod 0666"
    )
    assert leftovers() == []


def test_a_home_that_cannot_be_written(
    project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    mine = project(WEB.format(image=busybox_image, port=free_port()))
    for name in ("XDG_DATA_HOME", "CNTNR_RUNTIME_DIR"):
        env = {name: "/proc/nowhere", "XDG_RUNTIME_DIR": ""}
        refused(mine.compose("up", "-d", env=env), "error: cannot write to /proc/nowhere", "hint: ")
    assert leftovers() == []


def test_a_home_that_others_can_write_to(
    project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    mine = project(WEB.format(image=busybox_image, port=free_port()))
    place = mine.folder / "open"
    place.mkdir()
    place.chmod(0o777)
    mine.user.own(place)
    ended = mine.compose("up", "-d", env={"CNTNR_RUNTIME_DIR": str(place)})
    refused(ended, f"error: cannot trust the runtime directory {place}", "hint: ")
    assert leftovers() == []


MIB = 1 << 20


@pytest.fixture
def small_disk(user: User) -> Iterator[Path]:
    """Mount a disk of a few megabytes, which is soon full, and give where it is."""
    place = user.base / "small"
    place.mkdir()
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    options = f"size=12m,uid={user.uid},gid={user.gid},mode=0700"
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", options, "small", place], check=True)
    try:
        yield place
    finally:
        subprocess.run([*as_root, "umount", "-l", place], check=True)
        place.rmdir()


def fill(user: User, disk: Path) -> Path:
    """Leave no room on a disk; give the file that takes it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(b"\0" * 4096)
    user.own(filler)
    return filler


def test_a_full_disk(
    small_disk: Path, project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    mine = project(f"""
        services:
          web:
            image: {busybox_image}
            command: sleep 1000
            stop_signal: KILL
            restart: always
            volumes: [kept:/kept]
            healthcheck: {{test: "true", interval: 0.1s}}
        volumes: {{kept: {{}}}}
    """)
    env = {"XDG_DATA_HOME": str(small_disk)}
    filler = fill(mine.user, small_disk)
    hint = "hint: free some space"
    full = "error: cannot get image docker.io/library/busybox:latest: no space left on the disk"
    refused(mine.compose("up", "-d", env=env), re.sub("docker.io/library/", "", full), hint)
    assert leftovers() == []
    filler.unlink()
    mine.compose("pull", env=env).ok()

    filler = fill(mine.user, small_disk)
    said = refused(mine.compose("up", "-d", env=env), "no space", hint)
    assert f"{small_disk}" in said or "no space left on the disk" in said
    filler.unlink()
    mine.up("--wait", env=env)
    filler = fill(mine.user, small_disk)
    mine.exec("web", "true", env=env).ok()
    mine.compose("restart", "-t", "0", env=env).ok()
    mine.down("-v", env=env)
    assert leftovers() == []
    assert [path.name for path in (small_disk / "cntnr/containers").glob("*")] == []
    assert [path.name for path in (small_disk / "cntnr/volumes").glob("*")] == []


def test_an_image_that_is_larger_than_the_disk(
    small_disk: Path, project: MakeProject, leftovers: Leftovers, liar: Liar
) -> None:
    diff = layer(8 * MIB)
    liar.image("large", gzip.compress(diff, 1), diff)  # as an image it fits, unpacked it does not
    mine = project(f"services: {{a: {{image: {liar.address}/large}}}}")
    env = {"XDG_DATA_HOME": str(small_disk)}
    says = f"error: cannot get image {liar.address}/large:latest: no space left on the disk"
    refused(mine.compose("up", "-d", env=env), says, "hint: free some space")
    mine.down("-v", env=env)
    assert list(small_disk.glob("cntnr/layers/.draft-*")) == []
    assert leftovers() == []
