"""`cp` copies files into containers and out of them, by docker's rules, and never out of their root."""

import io
import os
import tarfile
from pathlib import Path

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

SHOP = """
services:
  web:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    scale: 2
    volumes: [data:/data, ./bind:/bind, ./bind:/bound:ro]
    tmpfs: [/memory]
  done:
    image: {image}
    command: "true"
    volumes: [data:/data]
  fixed:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    read_only: true
    volumes: [data:/data]
volumes: {{data: {{}}}}
"""


def shop(make_project: MakeProject, image: str, *services: str) -> Project:
    files = {"bind/there": "there", "src/a": "a\n", "src/sub/b": "b\n"}
    project = make_project(SHOP.format(image=image), files=files)
    (project.folder / "src/link").symlink_to("a")
    project.user.own(project.folder)
    project.up(*services)
    return project


def look(project: Project, path: str, *, number: int = 1, how: str = "%F %a %u:%g") -> str:
    shown = project.compose("exec", "-T", "--index", str(number), "web", "stat", "-c", how, path)
    return shown.stdout.strip()


def read(project: Project, path: str, service: str = "web") -> str:
    return project.exec(service, "cat", path).ok().stdout


def test_files_are_copied_in_by_dockers_rules(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = shop(make_project, busybox_image, "web")
    (project.folder / "src/a").chmod(0o640)
    copied = project.compose("cp", "src/a", "web:/tmp/").ok()
    name = f"{project.name}-web"
    assert sorted(copied.stderr.splitlines()) == [
        f" {name}-{number} copy src/a to {name}-{number}:/tmp/ {word}"
        for number in (1, 2)
        for word in ("Copied", "Copying")
    ]
    assert copied.stdout == ""
    for number in (1, 2):
        assert look(project, "/tmp/a", number=number) == "regular file 640 0:0"
    dry = project.compose("cp", "--dry-run", "src/a", "web:/tmp/never").ok()
    assert f"DRY-RUN MODE -  {name}-1 copy src/a to {name}-1:/tmp/never Copied" in dry.stderr
    assert look(project, "/tmp/never") == ""
    project.compose("cp", "--index", "2", "src/a", "web:/tmp/renamed").ok()
    assert look(project, "/tmp/renamed") == ""
    assert look(project, "/tmp/renamed", number=2) != ""
    project.compose("cp", "src", "web:/tmp/src").ok()  # it is not there: this is its name
    assert read(project, "/tmp/src/sub/b") == "b\n"
    project.compose("cp", "src", "web:/tmp/src").ok()  # it is there: it goes below
    assert read(project, "/tmp/src/src/sub/b") == "b\n"
    project.compose("cp", "src/.", "web:opt").ok()  # contents; paths begin at the root
    assert read(project, "/opt/sub/b") == "b\n"
    project.compose("cp", "src/link", "web:/tmp/link").ok()
    project.compose("cp", "-L", "src/link", "web:/tmp/followed").ok()
    assert look(project, "/tmp/link", how="%F") == "symbolic link"
    assert look(project, "/tmp/followed", how="%F") == "regular file"
    project.compose("cp", "-a", "src/a", "web:/etc/motd").ok()
    assert read(project, "/etc/motd") == "a\n"


def test_what_cannot_be_copied_is_told(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image, "web", "fixed")

    def refused(*words: str, why: str) -> None:
        assert_refused(project.compose("cp", *words), why)

    refused("src/none", "web:/tmp", why=f"lstat {project.folder}/src/none: no such file")
    refused("src/a", "web:/no/such", why="Could not find the file /no in container")
    refused("src/a", "web:/none/", why="no such directory")
    refused("src/a/", "web:/tmp", why="not a directory")
    refused("src", "web:/etc/passwd", why="cannot copy directory")
    refused("src/a", "web:/dev/null", why="got a device")
    refused("web:/none", ".", why="Could not find the file /none in container")
    refused("web:/proc/version", ".", why="Could not find the file /proc/version in container")
    refused("web:/etc/passwd", "/no/such", why='invalid output path: directory "/no" does not')
    refused("web:/etc", "src/a", why="cannot copy directory")
    refused("web:/etc", "fixed:/etc", why="copying between services is not supported")
    refused("src/a", "/tmp/x", why="unknown copy direction")
    refused("src/a", "other:/x", why='no container found for service "other"')
    refused("--index", "7", "src/a", "web:/x", why='service "web" is not running container #7')
    refused("src/a", "fixed:/tmp/x", why="container rootfs is marked read-only")
    refused("src/a", "web:/bound/x", why="mounted volume is marked read-only")
    refused("-", "web:/tmp", why="cannot read the tar archive")
    assert not (project.folder / "bind/x").exists()
    project.compose("exec", "-T", "web", "mkdir", "-p", "/tmp/a").ok()
    refused("src/a", "web:/tmp/", why='cannot overwrite directory "/tmp/a" with non-directory')


def test_volumes_binds_and_memory_are_met(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image, "web", "fixed")
    for place in ("data", "bind", "memory"):
        project.compose("cp", "src/a", f"web:/{place}/file").ok()
        assert read(project, f"/{place}/file") == "a\n"
    assert (project.folder / "bind/file").stat().st_uid == project.user.uid
    assert read(project, "/data/file", "fixed") == "a\n"
    project.compose("cp", "src/sub", "fixed:/data").ok()
    project.compose("cp", "web:/data", "from-volume").ok()
    assert (project.folder / "from-volume/sub/b").read_text() == "b\n"
    project.compose("cp", "web:/memory/.", "from-memory").ok()
    assert (project.folder / "from-memory/file").read_text() == "a\n"
    project.compose("cp", "web:/", "all").ok()
    assert (project.folder / "all/bind/there").read_text() == "there"
    assert list((project.folder / "all/proc").iterdir()) == []


def test_containers_that_do_not_run(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image, "done")
    project.compose("wait", "done")
    project.compose("cp", "src/a", "done:/data/file").ok()
    project.compose("cp", "src", "done:/root").ok()
    project.compose("cp", "done:/root/src/sub/b", ".").ok()
    assert (project.folder / "b").read_text() == "b\n"
    project.up("web")
    assert read(project, "/data/file") == "a\n"
    # One-off containers only where they are asked for.
    project.compose("run", "--name", f"{project.name}-once", "done", "true").ok()
    project.compose("cp", "--all", "src/a", "done:/root/more").ok()
    archive = project.compose("cp", "done:/root/more", "-").ok()
    assert "more" in archive.stdout
    refused = project.compose("cp", "--index", "2", "src/a", "done:/root/more")
    assert_refused(refused, 'service "done" is not running container #2')


def test_files_are_copied_out(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image, "web")
    script = """
        cd /srv 2>/dev/null || { mkdir /srv; cd /srv; }
        mkdir sub; echo text >sub/file; chmod 4750 sub/file; chown 70:70 sub/file
        ln -s /etc/hostname link; ln sub/file twin; mkfifo pipe
    """
    project.exec("web", "sh", "-c", script).ok()
    shown = project.compose("cp", "web:/srv", "out").ok()
    name = f"{project.name}-web-1"
    assert f" {name} copy {name}:/srv to out Copied\n" in shown.stderr
    file = project.folder / "out/sub/file"
    assert file.read_text() == "text\n"
    assert file.stat().st_uid == project.user.uid
    assert file.stat().st_mode & 0o7777 == 0o750  # not setuid
    assert (project.folder / "out/twin").samefile(file)
    assert os.readlink(project.folder / "out/link") == "/etc/hostname"
    project.compose("cp", "--follow-link", "web:/srv/link", "followed").ok()
    assert not (project.folder / "followed").is_symlink()
    project.compose("cp", "web:/srv/.", "contents").ok()
    assert (project.folder / "contents/sub/file").exists()


def test_archives_go_through_standard_input_and_output(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = shop(make_project, busybox_image, "web")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind in (("d", tarfile.DIRTYPE), ("d/f", tarfile.REGTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.uid, member.gid = kind, 0o751, 70, 71
            archive.addfile(member)
    packed = stream.getvalue().decode()
    project.compose("cp", "-", "web:/tmp", stdin=packed).ok()
    for number in (1, 2):
        assert look(project, "/tmp/d/f", number=number) == "regular empty file 751 70:71"
    back = project.compose("cp", "web:/tmp/d", "-").ok().stdout
    with tarfile.open(fileobj=io.BytesIO(back.encode())) as archive:
        assert archive.getnames() == ["d", "d/f"]
        assert archive.getmember("d/f").uid == 70
    refused = project.compose("cp", "-", "web:/tmp/none", stdin=packed)
    assert_refused(refused, "must be a directory")


def test_nothing_leads_out_of_the_root(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image, "web")
    secret = project.write("secret", "of the host")
    outside = project.folder / "outside"
    outside.mkdir()
    project.user.own(outside)
    script = f"""
        ln -s {secret} /tmp/secret; ln -s {outside} /tmp/outside
        ln -s ../../../../../../../../../..{outside} /tmp/above
    """
    project.exec("web", "sh", "-c", script).ok()
    refused = project.compose("cp", "--index", "1", "-L", "web:/tmp/secret", "got")
    assert_refused(refused, "Could not find the file")
    for link in ("outside", "above"):
        project.compose("cp", "--index", "1", "src/a", f"web:/tmp/{link}")
        project.compose("cp", "--index", "1", "src/a", f"web:/tmp/{link}/x")
    assert list(outside.iterdir()) == []
    # A link in an archive is not followed by what comes after it, beyond the container's root.
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("to")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("to/file"))
    project.compose("cp", "-", "web:/tmp", stdin=stream.getvalue().decode())
    assert list(outside.iterdir()) == []


def test_many_files_are_copied_quickly_and_completely(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = shop(make_project, busybox_image, "web")
    many: Path = project.folder / "many"
    for number in range(2000):
        path = many / str(number % 40) / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    project.user.own(many)
    project.compose("cp", "--index", "1", "many", "web:/memory", timeout=20).ok()
    counted = project.exec(
        "web", "sh", "-c", "find /memory/many -type f | wc -l; cat /memory/many/*/1999"
    )
    assert counted.stdout.split() == ["2000", "1999"]
    project.compose("cp", "web:/memory/many", "back", timeout=20).ok()
    assert sum(path.is_file() for path in (project.folder / "back").rglob("*")) == 2000
