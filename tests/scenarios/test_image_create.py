"""`image create` builds by steps that are options, in their order; each is cached."""

import functools
import hashlib
import http.server
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, assert_refused
from tests.scenarios.registry import Registry

pytestmark = pytest.mark.usefixtures("busybox_image")

CONTROL = (
    "Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n"
)


@pytest.fixture
def folder(make_project: MakeProject) -> Project:
    """Make a folder whose compose file runs the image `ours/made`."""
    return make_project("services: {a: {image: ours/made, network_mode: none}}\n")


def create(folder: Project, *words: str, **more: Any) -> Result:
    return folder.cntnr("image", "create", *words, **more)


def run(folder: Project, *words: str) -> str:
    """Return what the image `ours/made` prints, run with arguments."""
    return folder.compose("run", "--rm", "a", *words).ok().stdout


def test_steps_run_in_their_order_and_are_cached(folder: Project) -> None:
    steps = (
        "--from", "busybox", "--author", "John Doe", "--env", "A=x B='two words'",
        "--run", "echo $A $B >/made && date +%s%N >/at", "--workdir", "/srv", "--user", "7:8",
        "--run", '["sh", "-c", "id -u; pwd"]', "--entrypoint", "sh -c", "--cmd", "'cat /made'",
        "--label", "l=1", "--tag", "ours/made",
    )  # fmt: skip
    first = create(folder, *steps).ok()
    assert first.stdout.startswith("sha256:")
    assert "\n7\n/srv\n" in first.stderr
    began = time.monotonic()
    again = create(folder, *steps).ok()
    assert time.monotonic() - began < 1
    assert again.stdout == first.stdout
    assert "echo" not in again.stderr
    assert run(folder) == "x two words\n"
    before = run(folder, "id -u; id -g; pwd; cat /at").split()
    assert before[:3] == ["7", "8", "/srv"]
    # The last step is another one: what those before it made is kept.
    edited = create(folder, *(word.replace("id -u; pwd", "id -g") for word in steps)).ok()
    assert edited.stderr.count("CACHED") == 2, edited.stderr
    assert edited.stdout != first.stdout
    assert run(folder, "cat /at").split() == before[3:]
    renewed = create(folder, "--no-cache", *steps).ok()
    assert "CACHED" not in renewed.stderr
    assert run(folder, "cat /at").split() != before[3:]


def test_files_get_owners_and_archives_are_unpacked(folder: Project, user: User) -> None:
    for name in ("plain", "a file", "$x", "sub/inner"):
        folder.write(name, f"{name}\n")
    subprocess.run(
        ["tar", "czf", folder.folder / "packed.tgz", "-C", folder.folder, "sub"], check=True
    )
    folder.write(".dockerignore", "secret\n")
    folder.write("secret", "s")
    create(
        folder, "--from", "busybox", "--workdir", "/w", "--add", "plain /f:33:34",
        "--copy", "'a file' '$x' /two", "--add", "packed.tgz /un", "--copy", "packed.tgz /kept:5",
        "--add", "sub", "--run-sh", "! ls /secret", "-t", "ours/made",
    ).ok()  # fmt: skip
    script = "stat -c '%u:%g %n' /f /kept /two/*; cat /un/sub/inner /w/inner"
    assert run(folder, "sh", "-c", script).splitlines() == [
        "33:34 /f", "5:5 /kept", "0:0 /two/$x", "0:0 /two/a file", "sub/inner", "sub/inner",
    ]  # fmt: skip
    assert_refused(
        create(folder, "--from", "busybox", "--add", "secret /"),
        "step:2: cannot copy secret: not found in the build context",
    )
    # Another folder than the current one.
    create(folder, "--from", "scratch", "--copy", "inner /", "sub").ok()


def test_a_dockerfile_is_a_step(folder: Project) -> None:
    folder.write(
        "sub/Other",
        "FROM busybox AS base\nARG A=none\nRUN echo $A >/arg\nFROM base AS last\nRUN echo no >/arg\n",
    )
    words = (
        "--dockerfile", "Other", "--target", "base", "--build-arg", "A=given", "--run", "echo more >>/arg",
        "--cmd", "cat /arg", "--tag", "ours/made", "sub",
    )  # fmt: skip
    first = create(folder, *words).ok()
    assert run(folder) == "given\nmore\n"
    assert create(folder, *words).ok().stdout == first.stdout
    alone = create(folder, "-f", "Other", "-t", "ours/made", "sub").ok()
    assert alone.stdout != first.stdout
    assert run(folder, "cat", "/arg") == "no\n"
    # The options of `build` that are steps do the same.
    built = folder.cntnr("build", *words).ok()
    assert built.stdout == first.stdout
    built = folder.cntnr("image", "build", *words[:-1], "-q", "sub").ok()
    assert (built.stdout, built.stderr) == (first.stdout, "")


def test_the_result_goes_where_it_is_asked_for(folder: Project, registry: Registry) -> None:
    words = ("--from", "busybox", "--run", "echo hello >/hello", "--pull", "--rm", "--force-rm")
    more = ("--network", "none", "--add-host", "a:1.2.3.4", "--progress", "plain", "--label", "l")
    made = create(folder, *words, *more, "--iidfile", "id", "--metadata-file", "about").ok()
    assert (folder.folder / "id").read_text() == made.stdout.strip()
    assert made.stdout.strip() in (folder.folder / "about").read_text()
    create(folder, *words, "-o", "type=local,dest=out", "--quiet", "--proot").ok()
    assert (folder.folder / "out/hello").read_text() == "hello\n"
    create(folder, *words, "--push", "-t", f"{registry.address}/steps/pushed:1").ok()
    assert registry.tags("steps/pushed") == ["1"]


def test_mistakes_are_told_before_anything_is_built(folder: Project) -> None:
    base = ("--from", "busybox")
    assert_refused(create(folder), "cannot create an image without steps")
    assert_refused(create(folder, "--run", "true", *base), "there is nothing to start from")
    assert_refused(create(folder, *base, *base), "--from after other steps would throw them away")
    assert_refused(create(folder, *base, "-f", "x"), "--dockerfile after other steps")
    assert_refused(create(folder, *base, "--env", "A"), 'invalid argument "A" for --env')
    assert_refused(create(folder, *base, "--add", "a b:c:d:e"), "DEST[:USER[:GROUP]]")
    assert_refused(create(folder, *base, "--cmd", "'a"), 'invalid argument "\'a" for --cmd')
    assert_refused(create(folder, *base, "--run", " "), "there is no command")
    assert_refused(create(folder, *base, "--user", ""), 'invalid argument "" for --user')
    assert_refused(create(folder, "--from", "a b"), "it is no name of an image")
    assert_refused(create(folder, "--from", "UPPER", "--cmd", "x"), "invalid image name")
    assert_refused(create(folder, "--from", "none/such"), "step:1:", "none/such")
    assert_refused(create(folder, *base, "--target", "x"), "--target is for a Dockerfile")
    assert_refused(create(folder, *base, "--tag", "A:b:c"), "invalid image name")
    assert_refused(create(folder, *base, "--push"), "tag is needed when pushing")
    assert_refused(create(folder, *base, "--run", "x", "nowhere"), "nowhere does not exist")
    assert_refused(create(folder, "-f", "none"), "failed to read dockerfile")
    assert_refused(create(folder, *base, "--run"), "flag needs an argument: --run")
    ended = create(folder, *base, "--run", "echo before; exit 3")
    assert_refused(ended, "step:2:", "exit code: 3")


def test_a_base_that_was_imported_again_is_picked_up(folder: Project, registry: Registry) -> None:
    name = f"docker://{registry.address}/steps/base:1"
    words = ("--from", name, "--run", "cat /mark >/seen", "--cmd", "cat /seen", "-t", "ours/made")

    def publish(mark: str) -> None:
        create(folder, "--from", "busybox", "--run", f"echo {mark} >/mark", "-t", "ours/base").ok()
        folder.cntnr("image", "export", "ours/base", name).ok()

    publish("old")
    folder.cntnr("image", "import", name).ok()
    first = create(folder, *words).ok()
    publish("new")
    assert create(folder, *words).ok().stdout == first.stdout
    assert run(folder) == "old\n"
    folder.cntnr("image", "import", name).ok()
    assert create(folder, *words).ok().stdout != first.stdout
    assert run(folder) == "new\n"
    publish("newest")
    create(folder, *words, "--pull").ok()
    assert run(folder) == "newest\n"


@pytest.fixture
def apt_source(tmp_path: Path) -> Iterator[str]:
    """Serve a repository of one package, ``greeter``, on the loopback interface; yield its line for apt."""
    package = tmp_path / "greeter"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "usr/bin").mkdir(parents=True)
    control = CONTROL.format(name="greeter")
    (package / "DEBIAN/control").write_text(f"{control}Description: greets\n")
    (package / "usr/bin/greeter").write_text("#!/bin/sh\necho greetings\n")
    (package / "usr/bin/greeter").chmod(0o755)
    site = tmp_path / "site"
    site.mkdir()
    argv = ["dpkg-deb", "--root-owner-group", "-b", str(package), str(site / "greeter.deb")]
    subprocess.run(argv, check=True, capture_output=True)
    content = (site / "greeter.deb").read_bytes()
    (site / "Packages").write_text(
        f"{control}Filename: ./greeter.deb\nSize: {len(content)}\n"
        f"SHA256: {hashlib.sha256(content).hexdigest()}\nDescription: greets\n\n"
    )
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"deb [trusted=yes] http://127.0.0.1:{server.server_port} ./"
        server.shutdown()


def test_the_example_of_the_first_readme(
    folder: Project, debian_images: dict[str, str], apt_source: str
) -> None:
    """Build an image with a program from packages, as its Firefox; and again, which runs nothing."""
    folder.write("ours.list", f"{apt_source}\n")
    words = (
        f"--from=docker://{debian_images['debian']}", "--author=John Doe", "--network=host",
        "--run=rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*",
        "--add=ours.list /etc/apt/sources.list.d/",
        "--run=apt-get update && apt-get install -y greeter", "--cmd=greeter", "--tag=ours/made",
    )  # fmt: skip
    first = create(folder, *words).ok()
    assert run(folder) == "greetings\n"
    began = time.monotonic()
    assert create(folder, *words).ok().stdout == first.stdout
    assert time.monotonic() - began < 1
