"""`export` writes the file system of a container as a tar archive."""

import tarfile

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import assert_refused
from tests.scenarios.terminal import Terminal


def test_files_without_volumes_are_exported(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            command: sleep 1000
            stop_signal: KILL
            scale: 2
            volumes: [data:/data]
          done: {{image: {busybox_image}, command: "true"}}
        volumes: {{data: {{}}}}
        """)
    project.up()
    script = "echo text >/root/file; chown 70:71 /root/file; ln -s file /root/link; touch /data/no"
    project.compose("exec", "-T", "--index", "2", "web", "sh", "-c", script).ok()
    shown = project.compose("export", "--index", "2", "-o", "web.tar", "web").ok()
    name = f"{project.name}-web-2"
    assert f" {name} export {name} to web.tar Exporting\n" in shown.stderr
    with tarfile.open(project.folder / "web.tar") as archive:
        names = archive.getnames()
        assert {"bin/busybox", "etc/passwd", "root/file", "data", "proc"} <= set(names)
        assert not [each for each in names if each.startswith(("data/", "proc/", "/", "."))]
        assert (archive.getmember("root/file").uid, archive.getmember("root/file").gid) == (70, 71)
        assert archive.getmember("root/link").linkname == "file"
    assert sorted(path.name for path in project.folder.iterdir()) == ["compose.yaml", "web.tar"]

    pipe = ("sh", "-c", "cntnr compose export web | tar t")
    assert "bin/busybox" in project.user.run(*pipe, cwd=project.folder).ok().stdout.split()
    with Terminal(project, "cntnr", "compose", "export", "web") as terminal:
        terminal.sees("output option is required when exporting to terminal")
        assert terminal.ends() == 1
    dry = project.compose("export", "--dry-run", "--output", "x.tar", "web").ok()
    assert "DRY-RUN MODE" in dry.stderr
    refusals = {
        ("done",): 'service "done" is not running',
        ("--index", "9", "web"): 'service "web" is not running container #9',
        ("-o", "no/x.tar", "web"): f'directory "{project.folder}/no" does not exist',
        ("-o", ".", "web"): "cannot write to a directory",
        ("-o", "/dev/null", "web"): "must be a directory or a regular file",
        ("-o", "/proc/x.tar", "web"): "cannot write to /proc/x.tar",
    }
    for words, why in refusals.items():
        assert_refused(project.compose("export", *words), why)
    assert not (project.folder / "x.tar").exists()


def test_an_interrupted_export_leaves_nothing(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services: {{web: {{image: {busybox_image}, command: sleep 1000, stop_signal: KILL}}}}
        """)
    project.up()
    project.exec("web", "truncate", "-s", "100G", "/root/hole").ok()
    project.write("web.tar", "of before")
    stopped = project.user.run(
        "timeout", "-s", "INT", "1", "cntnr", "compose", "export", "web", "-o", "web.tar",
        cwd=project.folder,
    )  # fmt: skip
    assert stopped.returncode == 124
    assert (project.folder / "web.tar").read_text() == "of before"
    assert sorted(path.name for path in project.folder.iterdir()) == ["compose.yaml", "web.tar"]


def test_an_exported_archive_can_be_copied_in(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services: {{web: {{image: {busybox_image}, command: sleep 1000, stop_signal: KILL}}}}
        """)
    project.up()
    project.exec("web", "sh", "-c", "echo text >/root/file; mkdir /copy").ok()
    pipe = "cntnr compose export web | cntnr compose cp - web:/copy"
    project.user.run("sh", "-c", pipe, cwd=project.folder).ok()
    assert project.exec("web", "cat", "/copy/root/file").ok().stdout == "text\n"
    assert "busybox" in project.exec("web", "ls", "/copy/bin").ok().stdout.split()
