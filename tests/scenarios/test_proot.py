"""PRoot in containers of one id: other users and owners are faked, packages can be installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, assert_refused
from tests.scenarios.reach import host_address
from tests.scenarios.test_bad_machine import in_another_machine
from tests.scenarios.test_build_packages import make_package, proxy_of

pytestmark = [pytest.mark.one_id, pytest.mark.usefixtures("debian_images")]

DOCKERFILE = """\
FROM debian:12
RUN echo 'deb [trusted=yes] http://mirror.test/debian ./' >/etc/apt/sources.list \\
  && rm -rf /etc/apt/sources.list.d
RUN apt-get update && apt-get install -y --no-install-recommends hello-here
USER www-data
"""
STACK = """
services:
  tool:
    build: {context: ., args: {http_proxy: PROXY}}
    command: sh -c 'trap "echo ended; exit 7" TERM; echo ready; while :; do sleep 0.1; done'
    x-cntnr: {proot: true}
    healthcheck: {test: test "$$(id -un)" = www-data, interval: 0.2s}
"""
LOOK = "id -u; echo $HOME; touch /tmp/own; chgrp 33 /tmp/own; cat /usr/share/hello-here/text"


@pytest.fixture
def settings(user: User) -> Iterator[Path]:
    """Yield the file of the user's settings, which is removed at the end."""
    path = user.home / ".config/cntnr/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[str]:
    """Serve a Debian mirror of one package, by a proxy."""
    make_package(tmp_path)
    with proxy_of(tmp_path / "www", host_address()) as (address, _):
        yield address


def test_a_package_is_installed_and_a_user_is_faked(make_project: MakeProject, proxy: str) -> None:
    project = make_project(STACK.replace("PROXY", proxy), files={"Dockerfile": DOCKERFILE})
    project.up("--wait")
    user = project.exec("tool", "sh", "-c", LOOK).ok().stdout.splitlines()
    assert user == ["33", "/var/www", "hello from apt"]
    script = f"{LOOK}; getent passwd hello"
    root = project.compose("exec", "-T", "-u", "0", "tool", "sh", "-c", script).ok()
    assert root.stdout.splitlines()[:3] == ["0", "/root", "hello from apt"]
    assert root.stdout.splitlines()[3].startswith("hello:x:4242:")
    # Nothing of it is in the image, and signals reach the program.
    assert "proot" not in project.exec("tool", "ls", "/").ok().stdout
    project.compose("stop", "-t", "9").ok()
    assert project.ps()[0]["ExitCode"] == 7
    assert project.logs_count("ended") == 1
    assert project.compose("run", "--rm", "tool", "sh", "-c", "exit 5").returncode == 5
    # It is part of the definition: without it the user does not exist.
    project.write("compose.yaml", STACK.replace("proot: true", "proot: false"))
    assert_refused(project.compose("up", "-d"), "cannot use user www-data (33): only root exists")


def test_a_build_without_it_says_why_it_fails(make_project: MakeProject, proxy: str) -> None:
    text = STACK.replace("PROXY", proxy).replace("proot: true", "proot: false")
    project = make_project(text, files={"Dockerfile": DOCKERFILE})
    refused = project.compose("build")
    assert refused.returncode == 1
    assert "only root exists here, which may be why" in refused.stderr
    assert "`x-cntnr: {proot: true}`" in refused.stderr
    argument = f"--build-arg=http_proxy={proxy}"
    project.cntnr("build", "-q", "--proot", argument, "-t", "built", ".").ok()
    change = "touch /file && chown www-data /file"
    project.cntnr(
        "image", "create", "--from", "built", "--user", "0", "--proot", "--run", change
    ).ok()
    assert_refused(
        project.cntnr("image", "create", "--from", "built", "--user", "0", "--run", change),
        "only root exists here, which may be why",
    )


def test_one_container_runs_with_it(make_project: MakeProject) -> None:
    project = make_project()
    words = ("debian:12", "sh", "-c", "id -un; exit 6")
    ran = project.cntnr("run", "--rm", "--proot", "-u", "www-data", *words)
    assert (ran.returncode, ran.stdout) == (6, "www-data\n")
    missing = project.cntnr("run", "--rm", "--proot", "debian:12", "nothing-of-that-name")
    assert_refused(missing, "executable file not found", code=127)
    project.cntnr(
        "run", "-d", "--name", "proot", "--proot", "-v", "/work", "debian:12", "sleep", "1000"
    ).ok()
    project.cntnr(
        "exec", "proot", "sh", "-c", "printf '#!/bin/sh\nexit 5' >/work/x; chmod +x /work/x"
    ).ok()
    try:
        assert project.cntnr("exec", "proot", "/work/x").returncode == 5
        for program, says, code in (
            ("nothing-of-that-name", "executable file not found in $PATH", 127),
            ("/nope", "stat /nope: no such file or directory", 127),
            ("/etc/passwd", "permission denied", 126),
        ):
            refused = project.cntnr("exec", "proot", program)
            assert_refused(refused, f"cannot run {program} in container proot: {says}", code=code)
    finally:
        project.cntnr("rm", "-fv", "proot").ok()
    below = project.cntnr("run", "--rm", "--proot", "-w", "/usr", "debian:12", "bin/id", "-u").ok()
    assert below.stdout == "0\n"
    refused = assert_refused(
        project.cntnr("run", "--rm", "-u", "www-data", *words), "www-data", code=125
    )
    assert "`cntnr run --proot`" in refused or "cntnr doctor" in refused


def test_settings_run_all_containers_with_it(make_project: MakeProject, settings: Path) -> None:
    project = make_project("services: {a: {image: debian:12, user: www-data, command: id -un}}")
    settings.write_text("[proot]\nenabled = true\n")
    ran = project.compose("up").ok()
    assert "a-1  | www-data" in ran.stdout


def test_a_proot_that_cannot_be_used_is_told(make_project: MakeProject, settings: Path) -> None:
    project = make_project(
        "services: {a: {image: debian:12, command: 'true', x-cntnr: {proot: true}}}"
    )
    script = project.write("proot", "#!/bin/sh\n", mode=0o755)
    for path, says in (
        ("/nowhere/proot", "/nowhere/proot cannot be executed"),
        (str(script), f"{script} is no program for this machine"),
    ):
        settings.write_text(f'[proot]\npath = "{path}"\n')
        refused = assert_refused(project.compose("up", "-d"), f"cannot run with PRoot: {says}")
        assert "apt-get install proot" in refused
        project.down()
    settings.unlink()
    hidden = in_another_machine(project, "mount --bind /dev/null /usr/bin/proot", "up", "-d")
    assert_refused(hidden, "cannot run with PRoot: proot is not installed")
    project.down()
    settings.write_text("[proot]\npath = 3\n")
    assert_refused(project.compose("up", "-d"), "proot.path: it is no text")
    settings.unlink()
    for value in ("{proot: maybe}", "{prot: true}", "true"):
        project.write("compose.yaml", f"services: {{a: {{image: debian:12, x-cntnr: {value}}}}}")
        assert_refused(
            project.compose("up", "-d"),
            "services.a.x-cntnr: cannot be honoured: its only key is proot",
        )
