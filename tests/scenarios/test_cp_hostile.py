"""`cp` with containers that want to lead it elsewhere, and with commands that are interrupted."""

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, wait_until

ALONE = """
services: {{web: {{image: {image}, command: sleep 1000, stop_signal: KILL}}}}
"""


def alone(make_project: MakeProject, image: str) -> Project:
    project = make_project(ALONE.format(image=image))
    project.up()
    return project


def copying(project: Project, *words: str) -> "subprocess.Popen[str]":
    null = subprocess.DEVNULL
    return project.user.popen(
        "cntnr", "compose", "cp", *words, cwd=project.folder, stdin=null, stdout=null, stderr=null
    )


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_links_that_come_and_go_lead_nowhere(make_project: MakeProject, busybox_image: str) -> None:
    project = alone(make_project, busybox_image)
    outside = project.folder / "outside"
    outside.mkdir()
    for number in range(300):
        project.write(f"tree/d/{number}", "x")
    project.user.own(project.folder)
    script = f"""
        mkdir -p /t/tree/d; cd /t/tree
        while :; do mv d e; ln -s {outside} d; rm d; mv e d; done 2>/dev/null
    """
    project.compose("exec", "-dT", "web", "sh", "-c", script).ok()
    for _ in range(8):
        ended = project.compose("cp", "tree", "web:/t")
        assert ended.returncode in (0, 1), str(ended)
        assert "internal error" not in ended.stderr, ended.stderr
        ended = project.compose("cp", "web:/t/tree", "back")
        assert ended.returncode in (0, 1), str(ended)
        assert "internal error" not in ended.stderr, ended.stderr
    assert list(outside.iterdir()) == []


def test_odd_files_are_copied_out_safely(make_project: MakeProject, busybox_image: str) -> None:
    project = alone(make_project, busybox_image)
    name = "$(printf 'clear\\033[2J\\nline')"
    script = f"""
        mkdir /odd; cd /odd; truncate -s 200G hole; mkfifo pipe; nc -lU socket & sleep 0.3
        ln -s /dev/zero zero; echo x >"{name}"; mkdir "{name}.d"; chmod 000 "{name}.d"
        chmod 000 hole
    """
    project.exec("web", "sh", "-c", script)
    project.compose("cp", "web:/odd", "out", timeout=20).ok()
    out = project.folder / "out"
    assert (out / "hole").stat().st_size == 200 << 30
    assert (out / "hole").stat().st_blocks < 1000
    assert os.readlink(out / "zero") == "/dev/zero"
    assert (out / "clear\x1b[2J\nline").read_text() == "x\n"
    (out / "clear\x1b[2J\nline.d").chmod(0o700)
    # A message with such a name does nothing to a terminal.
    project.write("tree/odd/clear\x1b[2J\nline", "in the way of a folder")
    project.exec("web", "sh", "-c", f'rm "/odd/{name}"; mkdir "/odd/{name}"').ok()
    stderr = assert_refused(
        project.compose("cp", "tree/odd", "web:/"), "cannot overwrite directory"
    )
    assert "\x1b" not in stderr


def test_an_interrupted_copy_leaves_whole_files(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = alone(make_project, busybox_image)
    with open(project.folder / "large", "wb") as file:
        file.writelines(b"x" * (1 << 20) for _ in range(300))
    project.user.own(project.folder)
    project.exec("web", "mkdir", "/t").ok()
    for number in (signal.SIGINT, signal.SIGTERM):
        process = copying(project, "large", "web:/t/copy")
        upper = next(project.user.data.glob("containers/*/*/upper"))
        wait_until(lambda upper=upper: (upper / "t/copy").exists(), timeout=5)
        process.send_signal(number)
        assert process.wait(10) in (130, 143, 0)
        time.sleep(0.1)
        shown = project.exec("web", "sh", "-c", "ls -l /t/copy; rm -f /t/copy").stdout
        assert shown == "" or str(300 << 20) in shown
    process = copying(project, "web:/etc", "etc")
    process.kill()
    process.wait(5)


def test_a_container_that_never_ran_has_its_files(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(
        """
        services:
          web:
            build: .
            command: cat /seed/of-the-image /seed/copied /file
            volumes: [seed:/seed]
        volumes: {seed: {}}
        """,
        files={
            "Dockerfile": f"FROM {busybox_image}\nRUN mkdir /seed && echo image >/seed/of-the-image\n",
            "file": "copied\n",
        },
    )
    project.compose("create", timeout=60).ok()
    project.compose("cp", "file", "web:/seed/copied").ok()
    project.compose("cp", "file", "web:/file").ok()
    project.compose("cp", "web:/seed/of-the-image", "back").ok()
    assert (project.folder / "back").read_text() == "image\n"
    project.up()
    wait_until(lambda: project.logs_count("copied") == 2)
    assert project.logs_count("image") == 1
