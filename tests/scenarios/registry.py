"""Serve a real registry in place of docker.io, so that `image: redis:7` works without internet."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.scenarios.lib import ROOT, User, free_port, http_answers, http_get, wait_until

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

    def tags(self, repository: str) -> list[str]:
        """List the tags of a repository; none where there is no such repository."""
        try:
            page = http_get(f"http://{self.address}/v2/{repository}/tags/list")
        except OSError:
            return []
        return sorted(json.loads(page)["tags"] or [])

    def manifest(self, repository: str, tag: str) -> dict[str, Any]:
        """Fetch a manifest, or an index."""
        kinds = (
            "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
        )
        url = f"http://{self.address}/v2/{repository}/manifests/{tag}"
        request = urllib.request.Request(url, headers={"Accept": kinds})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return dict(json.loads(answer.read()))


@contextlib.contextmanager
def private_registry(user: User) -> Iterator[str]:
    """Serve a registry that jane may use with the password "secret"; yield its address."""
    address, folder = f"127.0.0.1:{free_port()}", user.base / "private-registry"
    folder.mkdir(exist_ok=True)
    (folder / "passwords").write_text(
        "jane:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
    )
    (folder / "settings.yml").write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}}}}}\n"
        f"http: {{addr: '{address}'}}\n"
        f"auth: {{htpasswd: {{realm: ours, path: {folder}/passwords}}}}\n"
    )
    user.own(folder)
    with (folder / "log").open("w") as log:
        argv = ("docker-registry", "serve", str(folder / "settings.yml"))
        process = user.popen(*argv, lasting=True, stdout=log, stderr=log)
        try:
            wait_until(lambda: _is_listening(address), what="the private registry answers")
            yield address
        finally:
            process.terminate()
            process.wait(10)


def _is_listening(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


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
