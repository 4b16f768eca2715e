"""A real registry on 127.0.0.1 and the images in it, so that `image: redis:7` works anywhere."""

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
    """Make (or find) the OCI layout of a fixture image, as whoever runs the suite."""
    made = subprocess.run(
        [sys.executable, ROOT / "contrib/fixtures/make.py", what],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.strip())


class Registry:
    """A registry that stands in for docker.io in the user's configuration."""

    def __init__(self, address: str, user: User) -> None:
        self.address = address
        self._user = user

    def push(self, layout: Path, tag: str, *names: str) -> None:
        """Push an image of an OCI layout under names such as ``library/redis:7``."""
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
    """Serve a registry as long as the block runs; the user's tools take it for docker.io."""
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
