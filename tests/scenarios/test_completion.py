"""TAB in bash, zsh and fish proposes verbs, flags, services, profiles, projects and containers."""

import os
import shutil
import time
from collections.abc import Iterator

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project
from tests.scenarios.terminal import Terminal

TEXT = """
services:
  web: {{image: {image}, command: sleep 1000, stop_signal: KILL, volumes: ["data:/data"]}}
  worker: {{image: {image}, profiles: [dev], command: sleep 1000, stop_signal: KILL}}
volumes: {{data: {{}}}}
"""
SHELLS = [shell for shell in ("bash", "zsh", "fish") if shutil.which(shell)]
# Instead of running a command line, the function prints it.
FUNCTION = """
cntnr() {
  case $1 in __complete*) command cntnr "$@" ;; *) echo "<$*>" ;; esac
}
"""
FISH_FUNCTION = """
function cntnr
  string match -q '__complete*' -- $argv[1]; and command cntnr $argv; or echo "<$argv>"
end
"""
STARTS = {
    "bash": (["bash", "--norc", "-i"], f"source <(cntnr completion bash); {FUNCTION}"),
    "zsh": (
        ["zsh", "-f", "-i"],
        f"autoload -U compinit; compinit -D -u; source <(cntnr completion zsh); {FUNCTION}",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        f"cntnr completion fish | source; {FISH_FUNCTION}",
    ),
}


def proposals(project: Project, *words: str, **more: object) -> set[str]:
    """Return the words that are proposed for the last word of a command line."""
    ran = project.cntnr("__completeNoDesc", *words, **more).ok()
    assert ran.stderr == ""
    *lines, directive = ran.stdout.splitlines()
    assert directive.startswith(":")
    return set(lines)


@pytest.fixture
def project(make_project: MakeProject, busybox_image: str) -> Project:
    return make_project(TEXT.format(image=busybox_image))


def test_names_are_those_of_files_containers_and_projects(project: Project) -> None:
    assert proposals(project, "compose", "up", "") == {"web", "worker"}
    assert proposals(project, "compose", "--profile", "") == {"dev"}
    assert proposals(project, "compose", "-p", "") == set()
    project.up()
    assert proposals(project, "compose", "-p", project.name[:1]) == {project.name}
    assert proposals(project, "compose", "alpha", "generate", "") == {f"{project.name}-web-1"}
    assert proposals(project, "network", "inspect", "") == {f"{project.name}_default"}
    assert proposals(project, "volume", "rm", "") == {f"{project.name}_data"}
    names = proposals(project, "image", "inspect", "busyb")  # other tests may have given it more
    assert "busybox:latest" in names
    assert all(name.startswith("busyb") for name in names)
    assert proposals(project, "compose", "cp", "w") == {"web:", "worker:"}
    elsewhere = project.folder.parent
    assert proposals(project, "compose", "logs", "", cwd=elsewhere) == set()
    named = ("compose", "-p", project.name, "logs", "")
    assert proposals(project, *named, cwd=elsewhere) == {"web"}


def test_nothing_that_is_wrong_shows_on_the_terminal(project: Project) -> None:
    for text in ("[", "services: 3", "\0", "services: {'a\\nb': , \"\\e[2J\": }"):
        project.write("broken.yaml", text)
        assert proposals(project, "compose", "-f", "broken.yaml", "up", "") == set()
    secret = project.write("secret.yaml", "services: {a: {image: x}}")
    secret.chmod(0)
    for name in ("secret.yaml", "gone.yaml", "/", "/dev/zero", "https://example.org/a.git"):
        assert proposals(project, "compose", "-f", name, "up", "") == set()
    assert proposals(project, "nothing", "") == proposals(project, "compose", "no", "") == set()
    os.mkfifo(project.folder / "pipe.env")
    project.user.own(project.folder)
    began = time.monotonic()
    assert proposals(project, "compose", "--env-file", "pipe.env", "up", "") == set()
    assert proposals(project, "compose", "--env-file", "/dev/zero", "up", "") == set()
    assert time.monotonic() - began < 8


def test_an_answer_comes_quickly(project: Project) -> None:
    """Each is to take 60 ms of a processor at most; of several the quickest counts."""

    def seconds(*words: str) -> Iterator[float]:
        for _ in range(10):
            began = os.times()
            proposals(project, *words)
            ended = os.times()
            user = ended.children_user - began.children_user
            yield user + ended.children_system - began.children_system

    bare = min(seconds("compose", ""))
    assert min(seconds("compose", "up", "--")) < bare + 0.03
    assert min(seconds("compose", "up", "")) < max(0.06, bare + 0.03)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(project: Project, shell: str) -> None:
    argv, start = STARTS[shell]
    project.write("start.sh", start)
    with Terminal(project, *argv) as terminal:
        terminal.type("source start.sh; echo rea'dy'\n")
        terminal.sees("ready\r\n")
        for typed, completed in (
            ("compose up we", "web"),
            ("compose --progress=pl", "--progress=plain"),
            ("compose -f comp", "compose.yaml"),
            ("compose scale wor", "worker="),
            ("compose down --remove-or", "--remove-orphans"),
        ):
            terminal.type(f"cntnr {typed}\t\n")
            terminal.sees(f"<{typed.rpartition(' ')[0]} {completed}>")
        terminal.type("exit\n")
