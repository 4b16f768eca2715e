"""Images: from a registry, from layouts and archives; real services; and what a bundle is without us."""

import base64
import contextlib
import hashlib
import json
import shutil
import socket
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, free_port, http_answers, wait_until
from tests.scenarios.reach import is_refused
from tests.scenarios.registry import Registry, make_image

Blob: TypeAlias = dict[str, Any]
WAITS = 'command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]'

STACK = """
services:
  cache:
    image: redis:7
    command: ["redis-server", "--appendonly", "yes"]
    volumes: ["cache:/data"]
    healthcheck: {test: ["CMD", "redis-cli", "ping"], interval: 1s, start_period: 20s, start_interval: 200ms}
  db:
    image: postgres:15
    environment: {POSTGRES_PASSWORD_FILE: /run/secrets/pw, POSTGRES_DB: shop, POSTGRES_USER: clerk}
    secrets: [pw]
    volumes: ["db:/var/lib/postgresql/data"]
    healthcheck:
      test: ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", "clerk"]
      interval: 1s
      start_period: 60s
      start_interval: 300ms
  page:
    image: nginx:1
    ports: ["127.0.0.1:${PORT}:80"]
    volumes: ["./site:/usr/share/nginx/html:ro"]
    healthcheck: {test: ["CMD", "true"], interval: 1s, start_period: 5s, start_interval: 200ms}
  client:
    image: redis:7
    entrypoint: ["sleep"]
    command: ["infinity"]
    init: true
    depends_on:
      cache: {condition: service_healthy}
      db: {condition: service_healthy}
      page: {condition: service_healthy}
volumes: {cache: , db: }
secrets: {pw: {file: ./pw.txt}}
"""


def test_real_services_work_and_keep_their_data(
    make_project: MakeProject, debian_images: dict[str, str]
) -> None:
    assert debian_images["redis"] == "redis:7"
    port = free_port()
    project = make_project(
        STACK,
        files={"site/index.html": "a page of ours", "pw.txt": "s3cret\n", ".env": f"PORT={port}\n"},
    )
    pulled = project.up("--wait", timeout=240)
    assert "redis:7" in pulled.stderr
    assert "Pulled" in pulled.stderr

    def cache(*words: str) -> str:
        return project.exec("client", "redis-cli", "-h", "cache", *words).ok().stdout.strip()

    def db(query: str) -> str:
        words = ("psql", "-At", "postgresql://clerk:s3cret@127.0.0.1/shop", "-c", query)
        return project.exec("db", *words).ok().stdout.strip()

    assert cache("set", "key", "value") == "OK"
    db(
        "create table sold (what text); insert into sold select 'thing ' || n from generate_series(1, 500) n"
    )
    assert http_answers(f"http://127.0.0.1:{port}/") == "a page of ours"
    # Each under its own user, who may write to its own volume.
    whose = "for p in /proc/[0-9]*; do stat -c %U $p; done | sort -u"
    for service, user in (("cache", "redis"), ("db", "postgres"), ("page", "www-data")):
        assert user in project.exec(service, "sh", "-c", whose).ok().stdout.split()
    # glibc's resolver is content with what it is told, and asks nothing that takes seconds.
    output = project.exec("client", "getent", "ahosts", "db").ok().stdout
    assert "STREAM" in output
    assert project.exec("client", "getent", "hosts", "nobody").returncode == 2

    project.down()
    project.up("--wait", timeout=120)
    assert cache("get", "key") == "value"
    assert db("select count(*) from sold") == "500"


REFERENCES = (
    "oci:{place}/layout:box",
    "oci-archive:{place}/box.tar:box",
    "docker-archive:{place}/docker.tar",
    "dir:{place}/folder",
)


def copies(project: Project) -> None:
    """Copy the busybox image into the project in every form that can be named."""
    layout = make_image("busybox")
    source = project.folder / "layout"
    shutil.copytree(layout, source)
    index = json.loads((source / "index.json").read_text())
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "box"
    (source / "index.json").write_text(json.dumps(index))
    project.user.own(project.folder)
    for target in ("oci-archive:box.tar:box", "docker-archive:docker.tar:box:1", "dir:folder"):
        project.user.run(
            "skopeo",
            "--insecure-policy",
            "copy",
            "-q",
            "oci:layout:box",
            target,
            cwd=project.folder,
        ).ok()


def test_images_come_from_layouts_and_archives(make_project: MakeProject) -> None:
    services = "".join(
        f"  s{number}: {{image: '{name.format(place=place)}', {WAITS}}}\n"
        for number, (name, place) in enumerate(
            [*((name, ".") for name in REFERENCES), (REFERENCES[0], "${PWD}")]
        )
    )
    project = make_project(f"services:\n{services}")
    copies(project)
    project.up(env={"PWD": str(project.folder)})
    assert list(project.states().values()) == ["running"] * 5
    # A relative name means another image in another folder.
    there = make_project(f"services:\n  a: {{image: 'oci:./layout:box', {WAITS}}}\n")
    missing = there.compose("up", "-d")
    assert missing.returncode == 1
    assert "cannot get image oci:" in missing.stderr
    assert "layout" in missing.stderr


def pack(folder: Path, archive: Path, owner: int, form: str) -> None:
    """Pack files into an archive with another owner and without entries for folders."""

    def owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = owner
        return entry

    with tarfile.open(archive, form) as out:
        for path in sorted(folder.rglob("*")):
            if not path.is_dir():
                out.add(path, str(path.relative_to(folder)), filter=owned)


@pytest.mark.parametrize(("owner", "form"), [(0, "w"), (0, "w:gz"), (2_000_000, "w:gz")])
def test_an_archive_may_be_somebody_else_s(
    make_project: MakeProject, owner: int, form: str
) -> None:
    project = make_project(
        f"""
        services:
          named: {{image: "oci-archive:box.tar:box", pull_policy: always, {WAITS}}}
          alone: {{image: "oci-archive:./box.tar", {WAITS}}}
          docker: {{image: "docker-archive:other.tar", pull_policy: always, {WAITS}}}
          built: {{build: {{dockerfile_inline: "FROM oci-archive:${{PWD}}/box.tar:box"}}, {WAITS}}}
        """
    )
    copies(project)
    pack(project.folder / "layout", project.folder / "box.tar", owner, form)
    other = str(project.folder / "other")
    project.user.run(
        "sh", "-c", f"mkdir {other} && tar -xf docker.tar -C {other}", cwd=project.folder
    ).ok()
    pack(project.folder / "other", project.folder / "other.tar", owner, form)
    project.up(env={"PWD": str(project.folder)})
    assert list(project.states().values()) == ["running"] * 4
    assert list(project.user.data.glob("images/.draft-*")) == []


def test_policies_decide_whether_the_registry_is_asked(
    make_project: MakeProject, registry: Registry, tmp_path: Path
) -> None:
    layout = make_image("busybox")
    registry.push(layout, "busybox", "team/app:1")
    text = f"services:\n  a: {{image: 'team/app:1', {WAITS}}}\n"
    project = make_project(text)

    never = project.compose("up", "-d", "--pull", "never")
    assert never.returncode == 1
    assert "no such image: team/app:1" in never.stderr
    assert "Pulled" in project.up().stderr
    first = image_of(project)

    # The name means something else now.
    changed = tmp_path / "layout"
    shutil.copytree(layout, changed)
    relabel(changed)
    registry.push(changed, "busybox", "team/app:1")
    for words in ((), ("--pull", "missing"), ("--pull", "never")):
        same = project.up(*words)
        assert "Pulled" not in same.stderr
        assert image_of(project) == first
    fresh = project.up("--pull", "always", "-t", "1")
    assert "Recreated" in fresh.stderr
    second = image_of(project)
    assert second != first
    project.write(
        "compose.yaml", text.replace("'team/app:1'", "'team/app:1', pull_policy: every_1h")
    )
    assert "Pulled" not in project.up("-t", "1").stderr
    project.write("compose.yaml", text.replace("'team/app:1'", "'team/app:1', pull_policy: always"))
    assert "Pulled" in project.up("-t", "1").stderr
    # `pull` always asks; what it brings is used by the next up.
    registry.push(layout, "busybox", "team/app:1")
    project.write("compose.yaml", text)
    project.compose("pull").ok()
    project.up("-t", "1")
    assert image_of(project) == first


def relabel(layout: Path) -> None:
    """Replace a layout's only image by one with a label more."""

    def put(descriptor: Blob, content: Blob) -> Blob:
        text = json.dumps(content).encode()
        digest = hashlib.sha256(text).hexdigest()
        (layout / "blobs/sha256" / digest).write_bytes(text)
        return {**descriptor, "digest": f"sha256:{digest}", "size": len(text)}

    def get(descriptor: Blob) -> Blob:
        path = layout / "blobs" / descriptor["digest"].replace(":", "/")
        return dict(json.loads(path.read_text()))

    index = json.loads((layout / "index.json").read_text())
    manifest = get(index["manifests"][0])
    config = get(manifest["config"])
    config["config"]["Labels"] = {"edition": "second"}
    manifest["config"] = put(manifest["config"], config)
    index["manifests"] = [put(index["manifests"][0], manifest)]
    (layout / "index.json").write_text(json.dumps(index))


def image_of(project: Project) -> str:
    return str(project.compose("images", "--format", "json").ok().json[0]["ID"])


@pytest.mark.usefixtures("registry")
def test_images_that_cannot_be_had_are_told(make_project: MakeProject) -> None:
    project = make_project(
        f"services:\n  a: {{image: 'nobody/nothing:9', {WAITS}}}\n  b: {{image: busybox, {WAITS}}}\n"
    )
    missing = project.compose("up", "-d")
    assert missing.returncode == 1
    assert "cannot get image nobody/nothing:9" in missing.stderr
    assert project.ps() == []

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    down = make_project(f"services:\n  a: {{image: '127.0.0.1:{closed}/team/app', {WAITS}}}\n")
    refusal = down.compose("up", "-d")
    assert refusal.returncode == 1
    assert f"the registry 127.0.0.1:{closed} cannot be reached" in refusal.stderr
    assert down.ps() == []


# The user clerk with the password s3cret, as htpasswd -B writes it.
LOGIN = "clerk:$2b$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n"


@contextlib.contextmanager
def closed_registry(user: User, *, name: str) -> Iterator[str]:
    """Serve a registry that requires a login, with a busybox image of the name; yield its address."""
    place, address = user.base / "closed", f"127.0.0.1:{free_port()}"
    place.mkdir(exist_ok=True)
    (place / "htpasswd").write_text(LOGIN)
    (place / "settings.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {place}/store}}}}\n"
        f"http: {{addr: '{address}'}}\nauth: {{htpasswd: {{realm: ours, path: {place}/htpasswd}}}}\n"
    )
    user.own(place)
    argv = ("docker-registry", "serve", str(place / "settings.yml"))
    with (place / "log").open("w") as log, user.popen(*argv, stdout=log, stderr=log) as process:
        try:
            port = int(address.rpartition(":")[2])
            wait_until(lambda: not is_refused("127.0.0.1", port), what="the registry listens")
            copy = ("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false")
            login = ("--dest-creds", "clerk:s3cret")
            source = f"oci:{make_image('busybox')}:busybox"
            user.run(*copy, *login, source, f"docker://{address}/{name}").ok()
            yield address
        finally:
            process.terminate()


def test_a_closed_registry_is_entered_with_the_usual_files(
    make_project: MakeProject, user: User, registry: Registry
) -> None:
    assert registry.address
    with closed_registry(user, name="team/app:1") as address:
        project = make_project(f"services:\n  a: {{image: '{address}/team/app:1', {WAITS}}}\n")
        shut = project.compose("up", "-d")
        assert shut.returncode == 1
        assert f"{address} wants a login" in shut.stderr
        assert "skopeo login" in shut.stderr
        entry = {"auths": {address: {"auth": base64.b64encode(b"clerk:s3cret").decode()}}}
        project.write("auth.json", json.dumps(entry))
        project.compose("pull", env={"REGISTRY_AUTH_FILE": str(project.folder / "auth.json")}).ok()
        project.up("--pull", "never")
        project.down("--rmi", "all")
        # Where `docker login` writes it.
        folder = user.home / ".docker"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(entry))
        user.own(folder)
        try:
            assert "Pulled" in project.up().stderr
        finally:
            shutil.rmtree(folder)


# These run inside the holder, where a bundle's root file system is mounted.
COPY = """
import json, os, shutil, subprocess, sys

bundle = sys.argv[1]
os.makedirs("/run/mine/cni")
for name in os.listdir(f"{bundle}/cni"):
    if name.endswith(".conf"):
        shutil.copy(f"{bundle}/cni/{name}", "/run/mine/cni")
shutil.copytree(f"{bundle}/etc", "/run/mine/etc")
os.mkdir("/run/mine/rootfs")
subprocess.run(["cp", "-a", f"{bundle}/rootfs/.", "/run/mine/rootfs"], check=True)
spec = json.loads(open(f"{bundle}/config.json").read().replace(bundle, "/run/mine"))
spec["process"]["args"] = ["sh", "-c", "ip -o -4 addr; ip route; ping -c 1 -W 2 b"]
json.dump(spec, open("/run/mine/config.json", "w"))
"""
RUN = """
import os, shutil, subprocess, sys

network = sys.argv[1]
env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
argv = ["runc", "--root", "/run/other", "run", "-b", "/run/mine", "mine"]
ended = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL)
print("leases", *os.listdir(f"/run/cntnr/leases/{network}"))
shutil.rmtree("/run/mine")
sys.exit(ended.returncode)
"""


def test_a_bundle_is_connected_without_us(make_project: MakeProject, busybox_image: str) -> None:
    """Plain `runc run` on a copy of a bundle has the network, and gives its address back."""
    project = make_project(
        f"services:\n  a: {{image: {busybox_image}, {WAITS}}}\n  b: {{image: {busybox_image}, {WAITS}}}\n"
    )
    project.up()
    identity = {row["Service"]: row["ID"] for row in project.ps()}["a"]
    held = json.loads((project.user.runtime / "holder/holder.json").read_text())
    inside = ("nsenter", "-U", "--preserve-credentials", "-m", "-p", "-n", "--wdns=/", "-t")
    python = (*inside, str(held["child"]), str(project.user.venv / "bin/python"), "-c")
    project.user.run(*python, COPY, f"/run/cntnr/b/{identity[:12]}").ok()
    project.compose(
        "stop", "-t", "0", "a"
    ).ok()  # a bundle has an address of its own: one at a time
    ended = project.user.run(*python, RUN, f"{project.name}_default").ok()
    [line] = [line for line in ended.stdout.splitlines() if " eth0    inet " in line]
    address = line.split()[3].partition("/")[0]
    assert "1 packets received" in ended.stdout
    assert "default via" in ended.stdout
    [leases] = [line for line in ended.stdout.splitlines() if line.startswith("leases ")]
    assert address not in leases.split()
