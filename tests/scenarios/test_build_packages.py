"""apt-get and pip install inside RUN, through the proxy that docker's configuration names."""

import contextlib
import hashlib
import json
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pip
import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User
from tests.scenarios.reach import host_address
from tests.scenarios.test_build import executed_steps, make_build_project, run

CONTROL = """\
Package: hello-here
Version: 1.0
Architecture: all
Maintainer: nobody <nobody@example.test>
Description: a package of this test
"""
# Owners and modes that only exist below the user's subordinate ids.
POSTINST = """\
#!/bin/sh
set -e
install -d -o www-data -g www-data -m 2750 /var/lib/hello
useradd --system --uid 4242 hello && chown hello /usr/share/hello-here
"""
DOCKERFILE = """\
FROM debian:12
RUN echo 'deb [trusted=yes] http://mirror.test/debian ./' >/etc/apt/sources.list \\
  && rm -rf /etc/apt/sources.list.d
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
  apt-get update && apt-get install -y --no-install-recommends hello-here
RUN --mount=type=bind,source=site,target=/site --mount=type=cache,target=/root/.cache/pip \\
  PYTHONPATH=/site python3 -m pip install --break-system-packages --trusted-host mirror.test \\
  --index-url http://mirror.test/simple hello-wheel==2.0
RUN env | grep -i proxy
"""


def make_package(folder: Path) -> None:
    """Make an apt repository of one package, as a flat folder."""
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share/hello-here").mkdir(parents=True)
    (tree / "usr/share/hello-here/text").write_text("hello from apt\n")
    (tree / "DEBIAN/control").write_text(CONTROL)
    (tree / "DEBIAN/postinst").write_text(POSTINST)
    (tree / "DEBIAN/postinst").chmod(0o755)
    served = folder / "www/debian"
    served.mkdir(parents=True)
    words = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(served / "hello.deb")]
    subprocess.run(words, check=True, capture_output=True)
    content = (served / "hello.deb").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    fields = f"Filename: ./hello.deb\nSize: {len(content)}\nSHA256: {digest}\n"
    (served / "Packages").write_text(CONTROL + fields)


def make_wheel(folder: Path) -> None:
    """Make an index of one Python package."""
    served = folder / "www/simple/hello-wheel"
    served.mkdir(parents=True)
    name = "hello_wheel-2.0-py3-none-any.whl"
    info = "hello_wheel-2.0.dist-info"
    with zipfile.ZipFile(served / name, "w") as wheel:
        wheel.writestr("hello_wheel.py", "print('hello from pip')\n")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: hello-wheel\nVersion: 2.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    (served / "index.html").write_text(f'<a href="{name}">{name}</a>\n')


@contextlib.contextmanager
def proxy_of(folder: Path, address: str) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder as a proxy for whatever host; yield its address and the hosts that were asked for."""
    asked: list[str] = []

    class Proxy(SimpleHTTPRequestHandler):
        def __init__(self, *words: Any) -> None:
            super().__init__(*words, directory=str(folder))

        def do_GET(self) -> None:
            asked.append(str(urlsplit(self.path).hostname))
            self.path = urlsplit(self.path).path
            super().do_GET()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server has it
            """Log nothing."""

    with ThreadingHTTPServer((address, 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{address}:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def docker_config(user: User) -> Iterator[Path]:
    """Yield the file of docker's configuration; restore it at the end."""
    path = user.home / ".docker/config.json"
    before = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    yield path
    if before is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(before)


def test_packages_are_installed_through_the_proxy_of_the_user(
    make_project: MakeProject,
    user: User,
    debian_images: dict[str, str],
    docker_config: Path,
    tmp_path: Path,
) -> None:
    make_package(tmp_path)
    make_wheel(tmp_path)
    web = make_build_project(make_project, DOCKERFILE)
    shutil.copytree(Path(pip.__file__).parent, web.folder / "site/pip")
    user.own(web.folder)
    with proxy_of(tmp_path / "www", host_address()) as (proxy, asked):
        settings = {"proxies": {"default": {"httpProxy": proxy, "noProxy": "localhost"}}}
        docker_config.write_text(json.dumps(settings))
        user.own(docker_config.parent)
        built = web.compose("build").ok()
        assert set(asked) == {"mirror.test"}
    assert f"http_proxy={proxy}" in built.stderr
    assert f"HTTP_PROXY={proxy}" in built.stderr
    assert "no_proxy=localhost" in built.stderr
    assert run(web, "cat /usr/share/hello-here/text; python3 -m hello_wheel") == [
        "hello from apt", "hello from pip",
    ]  # fmt: skip
    look = "stat -c '%U %G %a' /var/lib/hello; stat -c %u /usr/share/hello-here"
    assert run(web, look) == ["www-data www-data 2750", "4242"]
    # The proxy is no part of the key of a step, and none of the image.
    docker_config.write_text("{}")
    again = web.compose("build").ok()
    assert executed_steps(again.stderr) == []
    assert not [line for line in run(web, "env") if "proxy" in line.lower()]
