"""Flags of `build`: --ssh, --memory, --print, and those that are only told."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused, wait_until
from tests.scenarios.registry import Registry

pytestmark = pytest.mark.usefixtures("busybox_image")


@pytest.fixture
def key(user: User) -> Path:
    """Make an SSH key of the user."""
    path = user.base / "key"
    path.unlink(missing_ok=True)
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "our-key", "-f", str(path)]
    subprocess.run(words, check=True)
    user.own(path)
    return path


@pytest.fixture
def agent(user: User, key: Path) -> Iterator[str]:
    """Run an agent of the user that holds the key."""
    address = user.base / "agent"
    address.unlink(missing_ok=True)
    process = user.popen("ssh-agent", "-D", "-a", str(address), stdout=subprocess.DEVNULL)
    wait_until(address.is_socket, what="the agent runs")
    user.run("ssh-add", "-q", str(key), env={"SSH_AUTH_SOCK": str(address)}).ok()
    yield str(address)
    process.terminate()
    process.wait(10)


def add_ssh_add(project: Project) -> None:
    """Put the host's ssh-add, with its libraries, into the folder ``root`` of a project."""
    listed = subprocess.run(["ldd", "/usr/bin/ssh-add"], capture_output=True, text=True, check=True)
    for path in ("/usr/bin/ssh-add", *re.findall(r"(/\S+) \(0x", listed.stdout)):
        target = project.folder / f"root{path}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    project.user.own(project.folder)


def test_a_run_gets_an_agent_that_lists_and_signs(
    make_project: MakeProject, user: User, agent: str, key: Path
) -> None:
    project = make_project("services:\n  web: {build: {context: ., ssh: [default]}}\n")
    add_ssh_add(project)
    project.write(
        "Dockerfile",
        "FROM busybox\nCOPY root /\nRUN echo joe:x:1000:100::/:/bin/sh >>/etc/passwd\n"
        "RUN --mount=type=ssh,required=true ssh-add -l && ! ssh-add -D\n"
        "RUN ! env | grep SSH_AUTH_SOCK\nUSER joe\n"
        "RUN --mount=type=ssh,uid=1000,target=/tmp/a echo at $SSH_AUTH_SOCK; ssh-add -l\n"
        "RUN --mount=type=ssh,id=file,mode=0666 ssh-add -l\n",
    )
    env = {"SSH_AUTH_SOCK": agent}
    built = project.compose("build", "--ssh", f"file={key}", env=env).ok()
    assert built.stderr.count("our-key") == 3, built.stderr
    assert "at /tmp/a\n" in built.stderr
    assert "our-key" in user.run("ssh-add", "-l", env=env).ok().stdout
    left = [word for word in built.stderr.splitlines() if "buildkit" in word]
    assert left == []


def test_what_is_missing_for_ssh_is_told(make_project: MakeProject, user: User, key: Path) -> None:
    project = make_project(
        "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM busybox\n        RUN --mount=type=ssh,id=k,required true\n"
    )
    assert_refused(project.compose("build"), "dockerfile_inline:2: ssh key k is required")
    assert_refused(project.compose("build", "--ssh", "default"), "SSH_AUTH_SOCK is not set")
    assert_refused(project.compose("build", "--ssh", "k=/nope"), "/nope does not exist")
    assert_refused(project.compose("build", "--ssh", "k"), 'invalid ssh key "k"')
    project.compose("build", "--ssh", f"k={key}").ok()
    project.write("bad", "no key\n", mode=0o600)
    ended = project.compose("build", "--no-cache", "--ssh", "k=bad")
    assert_refused(ended, "dockerfile_inline:2: cannot use the ssh key k")


def test_print_shows_the_bake_file(make_project: MakeProject, user: User) -> None:
    project = make_project(
        "services:\n  web: {build: {context: ., dockerfile_inline: FROM busybox}, depends_on: [db]}\n"
        "  db: {image: me/db, build: .}\n"
    )
    printed = json.loads(
        project.compose("build", "--print", "--with-dependencies", "web").ok().stdout
    )
    assert sorted(printed["group"]["default"]["targets"]) == ["db", "web"]
    assert printed["target"]["web"]["dockerfile-inline"] == "FROM busybox"
    assert (
        not (user.data / "images/index.json").exists()
        or f"{project.name}-web" not in (user.data / "images/index.json").read_text()
    )


def test_arguments_newer_bases_and_silence(
    make_project: MakeProject, registry: Registry, user: User
) -> None:
    project = make_project(
        "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        f"        FROM {registry.address}/flags/base\n        ARG A=none\n        ARG B\n"
        "        RUN echo $$A $$B $$(cat /mark) >/made\n    command: cat /made\n"
        f"  base:\n    image: {registry.address}/flags/base\n"
        '    build: {context: ., dockerfile_inline: "FROM busybox\\nRUN echo ${MARK} >/mark"}\n'
    )

    def made() -> str:
        return project.compose("run", "--rm", "web").ok().stdout.strip()

    old, new = {"MARK": "old"}, {"MARK": "new"}
    project.compose("build", "--push", "base", env=old).ok()
    words = ("--build-arg", "A=1", "--build-arg", "B")
    silent = project.compose("build", "--quiet", *words, "web", env={**old, "B": "2"}).ok()
    assert (silent.stdout, silent.stderr) == ("", "")
    assert made() == "1 2 old"
    # The registry gets a newer base than this machine has.
    project.compose("build", "--push", "base", env=new).ok()
    project.compose("build", "base", env=old).ok()
    project.compose("build", "-q", "web").ok()
    assert made() == "none old"
    project.compose("build", "--pull", "web").ok()
    assert made() == "none new"


def test_flags_without_effect_are_told(make_project: MakeProject) -> None:
    project = make_project(
        "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM busybox\n        RUN true\n"
    )
    ended = project.compose(
        "build", "--builder", "far", "--provenance", "mode=max", "--sbom", "true", "--memory", "64m",
    ).ok()  # fmt: skip
    assert ended.stderr.count("has no effect") == 3
    # Where the user has no control group of its own, that is told.
    assert ended.stderr.count("--memory: not honoured") <= 1
    limited = project.compose("build", "--no-cache", "-m", "1m")
    assert_refused(limited, "minimum memory limit allowed is 6MB")
    silent = project.compose(
        "build", "--compress", "--force-rm", "--no-rm", "--parallel", "--progress", "plain",
        env={"COMPOSE_BAKE": "false"},
    ).ok()  # fmt: skip
    assert "no effect" not in silent.stderr
    assert_refused(project.compose("build", "-m", "x"), 'invalid argument "x" for --memory')


def test_check_reports_and_builds_nothing(make_project: MakeProject, user: User) -> None:
    project = make_project(
        "services:\n  good: {build: .}\n  bad: {build: {context: ., dockerfile: Bad}}\n"
        "  wrong: {build: {context: ., dockerfile: Wrong}}\n"
        "  late: {build: {context: ., dockerfile: Late}}\n",
        files={
            "Dockerfile": 'FROM busybox\nRUN touch /x\nCMD ["x"]\n',
            "Bad": "FROM busybox as Base\nCOPY $foo /x\nCMD x\n",
            "Wrong": "FROM busybox\nRUNN x\n",
            "Late": "FROM scratch\nEXPOSE x\n",
        },
    )
    good = project.compose("build", "--check", "good").ok()
    assert good.stdout == "Check complete, no warnings found.\n"
    bad = project.compose("build", "--check", "bad")
    assert bad.returncode == 1
    assert bad.stdout.startswith(
        "Check complete, 4 warnings have been found!\n\nWARNING: FromAsCasing - "
    )
    assert "WARNING: StageNameCasing" in bad.stdout
    assert "Usage of undefined variable '$foo'\n" in bad.stdout
    assert "Bad:3\n--------------------\n" in bad.stdout
    assert "   3 | >>> CMD x\n" in bad.stdout
    every = project.compose("build", "--check")
    assert every.returncode == 1
    assert "Wrong:2: unknown instruction: RUNN (did you mean RUN?)\n" in every.stdout
    assert "good\nCheck complete, no warnings found.\n" in every.stdout
    assert "Late:2: invalid containerPort: x\n" in every.stdout
    index = user.data / "images/index.json"
    assert not index.exists() or f"{project.name}-good" not in index.read_text()
