"""Images to and from daemons, registries with certificates, several platforms, and other compressions."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, free_port, wait_until
from tests.scenarios.registry import Registry, make_image

INDEX = "application/vnd.oci.image.index.v1+json"
SLEEPS = "command: sleep 1000, stop_signal: KILL"
WARNING = (
    "The requested image's platform (linux/arm64) does not match the detected host platform "
    "(linux/amd64) and no specific platform was requested"
)


@pytest.fixture
def project(make_project: MakeProject, busybox_image: str) -> Iterator[Project]:
    project = make_project(f"services: {{box: {{image: {busybox_image}, {SLEEPS}}}}}")
    project.cntnr("image", "import", busybox_image, "--tag", "box:1").ok()
    yield project
    project.cntnr("image", "rm", "-f", "box:1", "again:1")


def layers(project: Project, name: str) -> list[str]:
    text = project.cntnr("image", "inspect", "-f", "{{json .RootFS.Layers}}", name).ok().stdout
    return list(json.loads(text))


def test_podman_s_storage(project: Project) -> None:
    """The user's own: skopeo enters a user namespace for it."""
    project.cntnr("image", "export", "box:1", "containers-storage:lab/box").ok()
    again = project.cntnr("image", "import", "containers-storage:lab/box", "--tag", "again:1").ok()
    assert again.stdout == project.cntnr("image", "import", "box:1").stdout or layers(
        project, "again:1"
    ) == layers(project, "box:1")
    project.write(
        "compose.yaml",
        f"services: {{box: {{image: 'containers-storage:lab/box', {SLEEPS}}}}}",
    )
    project.compose("run", "--rm", "box", "true").ok()
    missing = project.cntnr("image", "import", "containers-storage:lab/none")
    assert missing.returncode == 1
    assert "cannot get image containers-storage:lab/none:latest" in missing.stderr
    assert "Traceback" not in missing.stderr


@contextlib.contextmanager
def docker_daemon(user: User) -> Iterator[str]:
    """Run a docker daemon in a network namespace of its own; yield its address, which the user may use."""
    if os.getuid() != 0 or shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("only root can start a docker daemon, where there is one")
    folder = Path("/dev/shm", f"cntnr-dockerd-{os.getpid()}")
    folder.mkdir()
    place = folder / "docker.sock"
    argv = [
        "unshare", "--net", "--mount", "--fork", "--kill-child",
        "sh", "-c", 'ip link set lo up; exec "$@"', "sh",
        "dockerd", "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"),
        "--pidfile", str(folder / "pid"), "--host", f"unix://{place}", "--iptables=false",
    ]  # fmt: skip
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(
            argv, stdout=log, stderr=log, start_new_session=True, env={**os.environ, "PATH": path}
        )
        try:
            wait_until(place.exists, timeout=60, what="dockerd listens")
            os.chown(place, user.uid, user.gid)
            yield f"unix://{place}"
        finally:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
            try:
                daemon.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait(10)
            shutil.rmtree(folder, ignore_errors=True)


def test_a_docker_daemon(project: Project, user: User) -> None:
    with docker_daemon(user) as address:
        env = {"DOCKER_HOST": address}
        project.cntnr("image", "export", "box:1", "docker-daemon:", env=env).ok()
        imported = ("image", "import", "docker-daemon:box:1", "--tag", "again:1")
        project.cntnr(*imported, env=env).ok()
        assert layers(project, "again:1") == layers(project, "box:1")
        missing = project.cntnr("image", "import", "docker-daemon:none", env=env)
        assert missing.returncode == 1
        assert "cannot get image docker-daemon:none:latest" in missing.stderr
    down = project.cntnr("image", "import", "docker-daemon:box:1", env=env)
    assert down.returncode == 1
    assert "DOCKER_HOST" in down.stderr


def own_address() -> str:
    """Return an address of this machine that is not on the loopback: there TLS is verified."""
    listed = subprocess.run(
        ["ip", "-4", "-o", "addr", "show", "scope", "global"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return listed.stdout.split("inet ")[1].partition("/")[0]


@contextlib.contextmanager
def registry_with_certificate(user: User) -> Iterator[tuple[str, Path]]:
    """Serve a registry over TLS with a certificate of its own; yield its address and the certificate."""
    host, port, folder = own_address(), free_port(), user.base / "tls"
    folder.mkdir(exist_ok=True)
    user.own(folder)
    user.run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab",
        "-addext", f"subjectAltName=IP:{host}", "-keyout", f"{folder}/key", "-out", f"{folder}/crt",
    ).ok()  # fmt: skip
    (folder / "settings.yml").write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: '{host}:{port}', tls: {{certificate: {folder}/crt, key: {folder}/key}}}}\n"
    )
    with (folder / "log").open("w") as log:
        argv = ("docker-registry", "serve", str(folder / "settings.yml"))
        process = user.popen(*argv, lasting=True, stdout=log, stderr=log)
        try:
            with socket.socket() as probe:
                wait_until(lambda: probe.connect_ex((host, port)) == 0, what="it listens")
            yield f"{host}:{port}", folder / "crt"
        finally:
            process.terminate()
            process.wait(10)


def test_certificates_are_verified_unless_told_otherwise(project: Project, user: User) -> None:
    with registry_with_certificate(user) as (address, certificate):
        name = f"docker://{address}/lab/box:1"
        refused = project.cntnr("image", "export", "box:1", name)
        assert refused.returncode == 1
        assert "x509" in refused.stderr
        project.cntnr("image", "export", "--tls-verify=false", "box:1", name).ok()
        take = ("image", "import", name, "--tag", "again:1")
        refused = project.cntnr(*take)
        assert refused.returncode == 1
        assert "x509" in refused.stderr
        project.cntnr(*take, "--tls-verify=false").ok()
        trusted = user.home / ".config/containers/certs.d" / address
        trusted.mkdir(parents=True)
        shutil.copy(certificate, trusted / "ca.crt")
        user.own(user.home / ".config")
        try:
            project.cntnr(*take).ok()
        finally:
            shutil.rmtree(trusted.parent)


def foreign_layout(folder: Path) -> Path:
    """Write a layout with one name for two platforms: the busybox image, and the same said to be arm64's."""
    shutil.copytree(make_image("busybox"), folder)
    index = json.loads((folder / "index.json").read_text())
    own = index["manifests"][0]
    manifest = json.loads(blob(folder, own["digest"]))
    config = json.loads(blob(folder, manifest["config"]["digest"]))
    foreign = write(folder, json.dumps(config | {"architecture": "arm64"}))
    manifest["config"] |= foreign
    other = write(folder, json.dumps(manifest)) | {"mediaType": own["mediaType"]}
    platforms = [
        {key: own[key] for key in ("mediaType", "digest", "size")}
        | {"platform": {"os": "linux", "architecture": config["architecture"]}},
        other | {"platform": {"os": "linux", "architecture": "arm64"}},
    ]
    both = write(
        folder, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": platforms})
    )
    named = both | {
        "mediaType": INDEX,
        "annotations": {"org.opencontainers.image.ref.name": "both"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return folder


def blob(folder: Path, digest: str) -> bytes:
    return (folder / "blobs" / digest.replace(":", "/")).read_bytes()


def write(folder: Path, text: str) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / "blobs/sha256" / digest).write_text(text)
    return {"digest": f"sha256:{digest}", "size": len(text)}


def architecture(project: Project, name: str) -> str:
    return project.cntnr("image", "inspect", "-f", "{{.Architecture}}", name).ok().stdout.strip()


def test_platforms_are_chosen(project: Project, registry: Registry) -> None:
    layout = foreign_layout(project.folder / "both")
    project.user.own(project.folder)
    name = f"{registry.address}/lab/both:1"
    project.user.run(
        "skopeo", "--insecure-policy", "copy", "-q", "--all", "--dest-tls-verify=false",
        f"oci:{layout}:both", f"docker://{name}",
    ).ok()  # fmt: skip
    project.cntnr("image", "import", name, "--tag", "again:1").ok()
    assert architecture(project, "again:1") == "amd64"
    for source in (name, f"oci:{layout}:both"):
        project.cntnr(
            "image", "import", "--platform", "linux/arm64", source, "--tag", "again:1"
        ).ok()
        assert architecture(project, "again:1") == "arm64"
    missing = project.cntnr("image", "import", "--platform", "linux/s390x", name)
    assert missing.returncode == 1
    assert "no image found" in missing.stderr
    # What says to be for another machine is told; it runs where it can.
    project.write(
        "compose.yaml",
        f"services:\n  quiet: {{image: '{name}', platform: linux/arm64, {SLEEPS}}}\n"
        f"  told: {{image: 'again:1', {SLEEPS}}}\n",
    )
    quiet = project.up("quiet").stderr
    assert WARNING not in quiet
    assert "programs of linux/arm64" in quiet
    assert WARNING in project.up("told").stderr
    assert architecture(project, name) == "arm64"
    assert WARNING in project.compose("run", "--rm", "told", "true").ok().stderr


def test_a_program_of_another_machine_is_told(project: Project) -> None:
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00\x01\x00\x00\x00" + bytes(44)
    (project.folder / "foreign").write_bytes(header)
    project.write("Dockerfile", 'FROM box:1\nCOPY --chmod=755 foreign /foreign\nCMD ["/foreign"]\n')
    project.write("compose.yaml", "services: {box: {build: .}}")
    project.user.own(project.folder)
    failed = project.compose("up", "--exit-code-from", "box")
    assert failed.returncode == 1
    assert "exec /foreign: exec format error" in failed.stdout + failed.stderr
    platforms = [
        check["found"]
        for check in project.cntnr("doctor", "--format", "json").json
        if check["name"] == "image platforms"
    ]
    assert platforms


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_layers_of_other_compressions(project: Project, compression: str) -> None:
    layout = make_image("busybox")
    project.user.run(
        "skopeo", "--insecure-policy", "copy", "-q", "--dest-compress",
        "--dest-compress-format", compression, f"oci:{layout}:busybox", "dir:squeezed",
        cwd=project.folder,
    ).ok()  # fmt: skip
    project.cntnr("image", "import", "dir:squeezed", "--tag", "again:1").ok()
    project.write("compose.yaml", f"services: {{box: {{image: 'again:1', {SLEEPS}}}}}")
    said = project.compose("run", "--rm", "box", "sh", "-c", "ls /bin/busybox && echo yes").ok()
    assert said.stdout == "/bin/busybox\nyes\n"
    assert layers(project, "again:1") == layers(project, "box:1")
