"""Build cases with the builders that this one is compared with: BuildKit in dockerd, and buildah.

Both need root. Where CNTNR_ORACLE_ROOT names the root folder of another system (a newer Debian made by
mmdebstrap, say), its programs are run inside it, else this machine's own.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.build_conformance.bases import base_files
from tests.build_conformance.case import Case, write_context
from tests.build_conformance.image_facts import Facts, facts_of_layout, open_archive

PLACE = "/tmp/oracle"  # where the folder of this run is inside the other root
# Its own network, and its own mounts: nothing of this machine is changed, and nothing stays.
START = """
ip link set lo up
if [ "$1" != / ]; then
  mount --rbind "$1" "$1"; mount -t tmpfs tmpfs "$1/run"
  mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"; mount --rbind /sys "$1/sys"
fi
mount -t tmpfs tmpfs "$1/tmp"
mkdir "$1$3"; mount --rbind "$2" "$1$3"
if [ "$1" != / ]; then
  cd "$1"; mkdir run/before; pivot_root . run/before; umount -l run/before
fi
shift 3
exec "$@"
"""
SETTINGS = {"features": {"containerd-snapshotter": True}}
SECONDS = 120
# What is another one each time, or the machine's.
REFERENCE = re.compile(
    r"\bref \S+::\S+?(?=: )|/\S*cachemounts/buildkit\d+|: failed to do request.*"
)
BASE_REPOSITORY = "docker.io/library"


class OracleMissing(Exception):
    """A builder to compare with cannot be had here."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; docs/build-conformance.md tells how to get the other builders")


class BuildKit:
    """A Docker daemon of this run, and its embedded BuildKit."""

    name = "buildkit"

    def __init__(
        self, folder: Path, root: Path, layout: Path, settings: Mapping[str, object] = SETTINGS
    ) -> None:
        self.folder, self.root, self.layout, self.settings = folder, root, layout, settings
        self.daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the daemon, and load the base images. Raises `OracleMissing`."""
        require(self.root, "dockerd", "docker")
        for name in ("data", "out", "contexts"):
            (self.folder / name).mkdir()
        (self.folder / "daemon.json").write_text(json.dumps(self.settings))
        argv = [
            "dockerd", "--config-file", f"{PLACE}/daemon.json", "--data-root", f"{PLACE}/data",
            "--exec-root", f"{PLACE}/exec", "--pidfile", f"{PLACE}/pid",
            "--host", f"unix://{PLACE}/docker.sock",
        ]  # fmt: skip
        with (self.folder / "daemon.log").open("wb") as log:
            self.daemon = subprocess.Popen(
                in_own_namespaces(argv, self.folder, self.root), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + 60
        while not (self.folder / "docker.sock").exists():
            if self.daemon.poll() is not None or time.monotonic() > end:
                log_text = (self.folder / "daemon.log").read_text()
                why = f"dockerd does not start: {log_text[-500:]}"
                raise OracleMissing(why)
            time.sleep(0.1)
        for name in tags(self.layout):
            archive = self.folder / "image.tar"
            subprocess.run(
                ["skopeo", "copy", "-q", f"oci:{self.layout}:{name}",
                 f"docker-archive:{archive}:{BASE_REPOSITORY}/{name}:latest"],
                check=True,
            )  # fmt: skip
            self.run("docker", "load", "-q", "-i", f"{PLACE}/image.tar").check_returncode()
            archive.unlink()

    def run(
        self, *argv: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a client of the daemon."""
        pid = int((self.folder / "pid").read_text())
        words = [f"{key}={value}" for key, value in (environment or {}).items()]
        return subprocess.run(
            ["nsenter", "--target", str(pid), "--mount", "--net", "--root", "env", "-i", "--chdir=/",
             "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             f"DOCKER_HOST=unix://{PLACE}/docker.sock", "BUILDKIT_PROGRESS=plain", *words, *argv],
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip

    def version(self) -> str:
        """Name the daemon and its version."""
        engine = self.run("docker", "version", "--format", "{{.Server.Version}}").stdout.strip()
        return f"BuildKit of dockerd {engine}"

    def check(self) -> None:
        """Check that it can write OCI images. Raises `OracleMissing` for one that is too old."""
        if "BuildKit version" not in self.run("docker", "buildx", "inspect").stdout:
            why = f"{self.version()} writes no OCI images"
            raise OracleMissing(why)

    def build(self, case: Case) -> Facts:
        """Build a case and describe what came of it."""
        context = self.folder / "contexts" / case.name
        write_context(case, context)
        done = self.run(
            "docker", "buildx", "build", "--no-cache", "--provenance=false", "--sbom=false",
            "--output", f"type=oci,dest={PLACE}/out/image.tar",
            *flags(case, f"{PLACE}/contexts/{case.name}"),
        )  # fmt: skip
        shutil.rmtree(context)
        if done.returncode:
            return {"exit": done.returncode, "message": error_line(done.stderr)}
        return self.read_image()

    def read_image(self) -> Facts:
        """Describe the image that was written last."""
        packed = self.folder / "out/image.tar"
        with tarfile.open(packed) as archive:
            open_blob = open_archive(archive)
            index = json.load(open_blob("index.json"))
            digest = index["manifests"][0]["digest"]
            facts = facts_of_layout(open_blob, digest, base_files(self.layout))
        packed.unlink()
        return facts

    def stop(self) -> None:
        """Stop the daemon."""
        if self.daemon is None:
            return
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.folder / "pid").read_text()), signal.SIGTERM)
        try:
            self.daemon.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.daemon.pid, signal.SIGKILL)
            self.daemon.wait(10)


def in_own_namespaces(argv: list[str], folder: Path, root: Path) -> list[str]:
    return [
        "unshare", "--net", "--mount", "--fork", "--kill-child", "sh", "-ec", START, "sh",
        str(root), str(folder), PLACE, *argv,
    ]  # fmt: skip


def require(root: Path, *programs: str) -> None:
    """Look for programs in the other root. Raises `OracleMissing`."""
    if os.getuid() != 0:
        why = "only root can run the other builders"
        raise OracleMissing(why)
    folders = ("usr/local/bin", "usr/bin", "usr/local/sbin", "usr/sbin")
    for program in programs:
        if not any((root / folder / program).exists() for folder in folders):
            why = f"there is no {program} in {root}"
            raise OracleMissing(why)


def tags(layout: Path) -> list[str]:
    """List the tags of a layout."""
    index = json.loads((layout / "index.json").read_text())
    return [each["annotations"]["org.opencontainers.image.ref.name"] for each in index["manifests"]]


def flags(case: Case, context: str) -> list[str]:
    """Write what a case has under `build:` as flags of `docker build`, the context last."""
    words: list[str] = []
    for key, value in case.build.items():
        match key:
            case "args":
                words += [f"--build-arg={name}={text}" for name, text in value.items()]
            case "labels":
                words += [f"--label={name}={text}" for name, text in value.items()]
            case "additional_contexts":
                words += [
                    f"--build-context={name}={_context_word(text, context)}"
                    for name, text in value.items()
                ]
            case "secrets":
                words += [
                    f"--secret=id={name},src={context}/{file}" for name, file in value.items()
                ]
            case "dockerfile":
                words.append(f"--file={context}/{value}")
            case "context":
                context = f"{context}/{value}"
            case "extra_hosts":
                words += [f"--add-host={text}" for text in value]
            case "target" | "network":
                words.append(f"--{key}={value}")
            case "shm_size":
                words.append(f"--shm-size={value}")
            case "ulimits":
                words += [f"--ulimit={name}={number}" for name, number in value.items()]
            case _:
                raise KeyError(key)
    return [*words, context]


def _context_word(text: str, context: str) -> str:
    return text if "://" in text else f"{context}/{text}"


def error_line(stderr: str) -> str:
    """Find the line that says why a build failed."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR:", "Error:", "error:"))]
    message = (errors or lines or [""])[-1].partition(": ")[2]
    return REFERENCE.sub("", message.removeprefix("failed to build: failed to solve: "))
