"""Serve a real registry in place of docker.io, so that `image: redis:7` works without internet."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.scenarios.lib import ROOT, User, free_port, http_answers

COPY = ("skopeo", "copy", "-q", "--dest-tls-verify=false")
RULE = '[[registry]]\nprefix = "{prefix}"\nlocation = "{address}"\ninsecure = true\n'


def make_image(what: str) -> Path:
    """Return the OCI layout of a fixture image; make it if it does not exist."""
    made = subprocess.run(
        [sys.executable, ROOT / "contrib/fixtures/make.py", what],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.strip())


class Registry:
    """A registry that the user's configuration uses in place of docker.io."""

    def __init__(self, address: str, user: User) -> None:
        self.address = address
        self._user = user

    def push(self, layout: Path, tag: str, *names: str) -> None:
        """Push an image from an OCI layout under names such as ``library/redis:7``."""
        for name in names:
            done = subprocess.run(
                [*COPY, f"oci:{layout}:{tag}", f"docker://{self.address}/{name}"],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "HOME": str(self._user.base)},
            )
            assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def served_registry(user: User) -> Iterator[Registry]:
    """Serve a registry as long as the block runs, and configure the user's tools to use it as docker.io."""
    address = f"127.0.0.1:{free_port()}"
    store, settings = user.base / "registry", user.base / "registry.yml"
    settings.write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {store}}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    rules = [RULE.format(prefix=name, address=address) for name in ("docker.io", address)]
    (user.home / ".config/containers/registries.conf").write_text("".join(rules))
    user.own(user.home)
    with (user.base / "registry.log").open("w") as log:
        argv = ("docker-registry", "serve", str(settings))
        process = user.popen(*argv, lasting=True, stdout=log, stderr=log)
        try:
            http_answers(f"http://{address}/v2/")
            yield Registry(address, user)
        finally:
            process.terminate()
            process.wait(10)
