"""Build cases with buildah, inside the same namespaces as the daemon."""

import os
import shutil
import signal
import subprocess
import time

from tests.build_conformance.case import Case, write_context
from tests.build_conformance.image_facts import Facts
from tests.build_conformance.oracle import (
    BASE_REPOSITORY,
    PLACE,
    BuildKit,
    error_line,
    flags,
    in_own_namespaces,
    require,
    tags,
)


class Buildah(BuildKit):
    """Buildah, which has no daemon: a process sleeps in its namespaces instead."""

    name = "buildah"

    def start(self) -> None:
        """Make the namespaces, and import the base images. Raises `OracleMissing`."""
        require(self.root, "buildah")
        for name in ("data", "out", "contexts"):
            (self.folder / name).mkdir()
        argv = ["sh", "-c", f"echo $$ >{PLACE}/pid; mkdir -p /var/tmp; exec sleep 3600"]
        self.daemon = subprocess.Popen(
            in_own_namespaces(argv, self.folder, self.root), start_new_session=True
        )
        while not (self.folder / "pid").exists() or not (self.folder / "pid").read_text():
            time.sleep(0.05)
        shutil.copytree(self.layout, self.folder / "bases")
        for name in tags(self.layout):
            pulled = self._run_buildah("pull", "-q", f"oci:{PLACE}/bases:{name}")
            pulled.check_returncode()
            image = pulled.stdout.split()[-1]
            self._run_buildah("tag", image, f"{BASE_REPOSITORY}/{name}:latest").check_returncode()

    def _run_buildah(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return self.run(
            "buildah", "--root", f"{PLACE}/data", "--runroot", f"{PLACE}/run",
            "--storage-driver", "overlay", *words,
        )  # fmt: skip

    def check(self) -> None:
        """All versions write OCI images."""

    def build_folder(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Build a context; ``words`` are flags and its path inside the other root."""
        return self._run_buildah(
            "build", "--isolation", "chroot", "--pull=never", "--layers", "--format", "docker",
            "--identity-label=false", "--ulimit=nofile=1024:4096", "--ulimit=nproc=4096:4096",
            "-t", "oracle", *words,
        )  # fmt: skip

    def version(self) -> str:
        """Name the version."""
        return " ".join(self.run("buildah", "--version").stdout.split()[:3])

    def build(self, case: Case) -> Facts:
        """Build a case and describe what came of it."""
        context = self.folder / "contexts" / case.name
        write_context(case, context)
        done = self.build_folder(*flags(case, f"{PLACE}/contexts/{case.name}"))
        shutil.rmtree(context)
        if done.returncode:
            return {"exit": done.returncode, "message": error_line(done.stderr)}
        (self.folder / "out/image.tar").unlink(missing_ok=True)
        self._run_buildah("push", "-q", "oracle", f"oci-archive:{PLACE}/out/image.tar")
        facts = self.read_image()
        del facts["history"]  # its words are its own
        return facts

    def stop(self) -> None:
        """End the process that keeps the namespaces."""
        if self.daemon is not None:
            os.killpg(self.daemon.pid, signal.SIGKILL)
            self.daemon.wait(10)
