"""`watch`: changed files are copied into containers, as the rules of `develop.watch` say."""

import os
import shutil
import signal
import time

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until
from tests.scenarios.watching import Watching

SYNC = """
services:
  web:
    image: {image}
    command: sh -c 'mkdir -p /srv/real; ln -s /srv/real /link; exec sleep 1000'
    user: "{user}"
    stop_signal: KILL
    volumes: ["./bound:/bound"]
    develop:
      watch:
        - path: ./src
          action: sync
          target: /app
          ignore: ["*.tmp", "node_modules/"]
          initial_sync: true
        - {{path: ./one.txt, action: sync, target: /one/two.txt}}
        - {{path: ./only, action: sync, target: /only, include: ["*.py"]}}
        - {{path: ./late, action: sync, target: /late}}
        - {{path: ./folder-link, action: sync, target: /link}}
        - {{path: ./bound, action: sync, target: /bound}}
"""


def sync_project(make_project: MakeProject, image: str, user: str = "0:0") -> Project:
    project = make_project(
        SYNC.format(image=image, user=user),
        files={
            "src/a": "1",
            "src/old": "old",
            "src/x.tmp": "",
            "src/.git/HEAD": "ref",
            "one.txt": "1",
        },
    )
    for name in ("only", "real-folder", "bound", "src/node_modules/x"):
        (project.folder / name).mkdir(parents=True)
    (project.folder / "folder-link").symlink_to("real-folder")
    os.utime(project.folder / "src/old", (1e9, 1e9))
    project.user.own(project.folder)
    return project


def write(project: Project, name: str, text: str) -> None:
    """Write a file in place, as an editor does; its owner is root where the tests' user is."""
    path = project.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def listing(project: Project, path: str) -> list[str]:
    done = project.exec("web", "find", path).stdout.splitlines()  # it may come in a moment
    return sorted(line.removeprefix(f"{path}/") for line in done if line != path)


def content(project: Project, path: str) -> str:
    return project.exec("web", "cat", path).stdout


def test_changes_are_copied(make_project: MakeProject, busybox_image: str) -> None:
    project = sync_project(make_project, busybox_image)
    with Watching(project, "cntnr", "compose", "watch") as watch:
        # Whatever its age, and but for what is ignored.
        assert listing(project, "/app") == ["a", "old"]
        assert (
            "bound' also declared by a bind mount volume, this path won't be monitored!"
            in watch.err
        )
        assert watch.out == "Watch enabled\n"

        write(project, "src/a", "22")
        watch.prints('Syncing service "web" after 1 changes were detected\n')
        wait_until(lambda: content(project, "/app/a") == "22")

        (project.folder / "src/new/deep").mkdir(parents=True)
        write(project, "src/new/deep/file", "x")
        (project.folder / "src/link").symlink_to("a")
        for ignored in ("y.tmp", "node_modules/x/z", ".git/HEAD", ".a.swp", "a~"):
            write(project, f"src/{ignored}", "")
        wait_until(lambda: content(project, "/app/new/deep/file") == "x")
        wait_until(
            lambda: (
                listing(project, "/app") == ["a", "link", "new", "new/deep", "new/deep/file", "old"]
            )
        )
        assert content(project, "/app/link") == "22"

        (project.folder / "src/a").unlink()
        shutil.rmtree(project.folder / "src/new")
        wait_until(lambda: listing(project, "/app") == ["link", "old"])

        assert watch.interrupt() == 130
    assert project.states() == {f"{project.name}-web-1": "running"}


def test_each_kind_of_path(make_project: MakeProject, busybox_image: str) -> None:
    project = sync_project(make_project, busybox_image)
    with Watching(project, "cntnr", "compose", "watch", "web"):
        write(project, "one.txt", "22")
        wait_until(lambda: content(project, "/one/two.txt") == "22")

        write(project, "only/a.txt", "")
        write(project, "only/deep/b.py", "")
        write(project, "only/a.py", "")
        wait_until(lambda: listing(project, "/only") == ["a.py"])

        write(project, "late/file", "x")  # there was no such folder
        wait_until(lambda: content(project, "/late/file") == "x")

        # Both ends are links: the folder here, and the target in the container.
        write(project, "folder-link/x", "y")
        wait_until(lambda: content(project, "/srv/real/x") == "y")
        assert project.exec("web", "test", "-L", "/link").returncode == 0

        # A file becomes a folder, and a folder a file.
        (project.folder / "src/a").unlink()
        write(project, "src/a/inside", "z")
        wait_until(lambda: content(project, "/app/a/inside") == "z")
        shutil.rmtree(project.folder / "src/a")
        write(project, "src/a", "file")
        wait_until(lambda: content(project, "/app/a") == "file")


def test_files_belong_to_the_container_s_user(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = sync_project(make_project, busybox_image, user="2000:3000")
    with Watching(project, "cntnr", "compose", "watch"):
        (project.folder / "src/a").chmod(0o640)
        wait_until(
            lambda: (
                project.exec("web", "stat", "-c", "%u:%g %a", "/app/a").stdout == "2000:3000 640\n"
            )
        )
        assert project.exec("web", "stat", "-c", "%u:%g %Y", "/app/old").stdout == (
            "2000:3000 1000000000\n"
        )


def test_all_replicas_get_them(make_project: MakeProject, busybox_image: str) -> None:
    project = sync_project(make_project, busybox_image)
    project.up("--scale", "web=2")
    with Watching(project, "cntnr", "compose", "watch", "--no-up"):
        write(project, "src/a", "22")
        for number in ("1", "2"):
            wait_until(
                lambda number=number: (
                    project.compose("exec", "-T", "--index", number, "web", "cat", "/app/a").stdout
                    == "22"
                )
            )


def test_a_folder_that_cannot_be_read_is_told_once(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = sync_project(make_project, busybox_image)
    (project.folder / "src/secret").mkdir(mode=0o000)
    with Watching(project, "cntnr", "compose", "watch") as watch:
        write(project, "src/a", "22")
        wait_until(lambda: content(project, "/app/a") == "22")
        time.sleep(1.2)  # everything is looked at again
        assert watch.err.count("src/secret") == 1
        (project.folder / "src/secret").chmod(0o755)
        write(project, "src/secret/x", "y")
        wait_until(lambda: content(project, "/app/secret/x") == "y")
        (project.folder / "src/denied").write_text("")
        (project.folder / "src/denied").chmod(0o000)
        watch.warns("src/denied: permission denied")


def test_what_the_kernel_drops_is_found(make_project: MakeProject, busybox_image: str) -> None:
    project = sync_project(make_project, busybox_image)
    with Watching(project, "cntnr", "compose", "watch") as watch:
        os.kill(watch.pid, signal.SIGSTOP)
        for number in range(6000):  # some 4 notifications each, for which its queue is too short
            write(project, f"src/many{number % 10}/f{number}", "x")
        os.kill(watch.pid, signal.SIGCONT)
        wait_until(lambda: len(listing(project, "/app")) == 6012, timeout=20)


def test_an_odd_name_is_copied_too(make_project: MakeProject, busybox_image: str) -> None:
    project = sync_project(make_project, busybox_image)
    with Watching(project, "cntnr", "compose", "watch"):
        (project.folder / "src" / os.fsdecode(b"\xff\n'")).write_text("x")
        wait_until(lambda: project.exec("web", "sh", "-c", "ls /app | wc -l").stdout.strip() == "3")


def test_who_may_not_watch(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        f"""
        x-small: &small {{image: {busybox_image}, command: sleep 1000, stop_signal: KILL}}
        services:
          plain: {{<<: *small}}
          built: {{<<: *small, develop: {{watch: [{{path: ., action: rebuild}}]}}}}
          web: {{<<: *small, develop: {{watch: [{{path: src, action: sync, target: /app}}]}}}}
        """
    )
    nothing = "none of the selected services is configured for watch, consider setting a 'develop' section"
    for words in (("watch", "plain"), ("up", "--watch", "plain")):
        ran = project.compose(*words)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert nothing in ran.stderr
    ran = project.compose("watch", "built")
    assert ran.returncode == 1
    assert 'can\'t watch service "built" with action rebuild without a build context' in ran.stderr
    assert project.compose("watch", "nosuch").returncode == 1
    assert project.states() == {}  # refused before anything was started

    assert project.compose("watch", "--dry-run", "web").returncode == 0
    assert project.states() == {}
    with Watching(project, "cntnr", "compose", "watch", "web") as watch:
        for words in (("watch", "web"), ("up", "--watch", "web")):
            ran = project.compose(*words)
            assert ran.returncode == 1
            assert (
                f'cannot take exclusive lock for project "{project.name}": '
                f"process with PID {watch.pid} is still running"
            ) in ran.stderr
        assert watch.interrupt(signal.SIGTERM) == 130
    with Watching(project, "cntnr", "compose", "watch", "--no-up", "web"):
        pass
