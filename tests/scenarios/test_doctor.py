"""`cntnr doctor` beside its rows: it tries a container, and runs what mends the machine."""

from collections.abc import Callable

from tests.scenarios.conftest import MakeProject

# Writes down what it is to run as root, and does it not.
SUDO = '#!/bin/sh\necho "$@" >>"$HOME/asked-of-sudo"\n'


def test_a_container_is_tried_and_leaves_nothing(
    make_project: MakeProject, leftovers: Callable[[], list[str]]
) -> None:
    project = make_project()
    images = project.cntnr("image", "ls", "-q").ok().stdout
    lines = project.cntnr("doctor", "--try").ok().stdout.splitlines()
    assert lines[-2].startswith("ok       container ")
    assert "answered on its port and went" in lines[-2]
    assert project.cntnr("image", "ls", "-q").ok().stdout == images
    assert leftovers() == []


def test_what_mends_the_machine_is_run_when_somebody_agrees(make_project: MakeProject) -> None:
    """The machine lacks a program; without an answer, or with no, nothing is run."""
    project = make_project(files={"bin/sudo": SUDO})
    asked = project.user.home / "asked-of-sudo"
    hidden = 'mount --bind /dev/null "$(PATH=$PATH:/usr/sbin:/sbin command -v slirp4netns)"'
    namespaces = ("unshare", "--user", "--map-current-user", "--keep-caps", "--mount")
    script = f'{hidden}\nPATH=$PWD/bin:$PATH exec cntnr doctor --fix "$@"'
    argv = (*namespaces, "sh", "-ec", script, "sh")
    try:
        for words, answers in (((), "n\n" * 9), ((), "")):
            refused = project.user.run(*argv, *words, cwd=project.folder, stdin=answers)
            assert refused.returncode != 0
            assert "Run sudo " in refused.stderr
            assert not asked.exists()
        agreed = project.user.run(*argv, "--yes", cwd=project.folder)
        assert agreed.returncode == 1  # since slirp4netns is still missing
        assert "+ sudo " in agreed.stderr
        assert "slirp4netns" in asked.read_text()
    finally:
        asked.unlink(missing_ok=True)
