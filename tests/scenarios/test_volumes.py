"""Volumes and bind mounts: what is in them, whose it is, and how long it stays."""

import os

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project

pytestmark = pytest.mark.usefixtures("busybox_image")

# Waits for ever, and ends at once when it is asked to.
WAITS = 'command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]'
FILLED = """
services:
  owner: &owner
    build:
      dockerfile_inline: |
        FROM busybox
        RUN mkdir -p /data/sub && echo image >/data/sub/file && ln -s sub/file /data/link \\
            && echo hidden >/data/.dot && chown -R 1000:1001 /data && chmod 2750 /data
        USER 1000:1001
    image: filled
    command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]
    volumes: ["data:/data"]
  bare:
    <<: *owner
    depends_on: [owner]
    volumes:
      - {type: volume, source: empty, target: /data, volume: {nocopy: true}}
  reader:
    <<: *owner
    depends_on: [owner]
    volumes:
      - data:/data:ro
      - {type: volume, source: data, target: /part, volume: {subpath: sub}}
volumes:
  data:
  empty:
"""


def sh(project: Project, service: str, script: str) -> str:
    """Run a script in a container; return its output."""
    return project.exec(service, "sh", "-c", script).ok().stdout.strip()


def test_a_named_volume_is_filled_once_from_the_image(make_project: MakeProject) -> None:
    project = make_project(FILLED)
    project.up("--build")
    assert sh(
        project, "owner", "stat -c '%u %g %a' /data /data/sub /data/sub/file"
    ).splitlines() == [
        "1000 1001 2750",
        "1000 1001 755",
        "1000 1001 644",
    ]
    assert sh(project, "owner", "cat /data/link /data/.dot; readlink /data/link").split() == [
        "image",
        "hidden",
        "sub/file",
    ]
    sh(project, "owner", "echo mine >/data/own; rm /data/sub/file; echo new >/data/sub/other")
    assert sh(project, "bare", "ls -A /data; stat -c %u /data") == "0"
    assert project.exec("bare", "touch", "/data/x").returncode != 0  # root's, and empty

    # Who mounts it read-only, or a part of it, sees the same files.
    assert sh(project, "reader", "cat /data/own /part/other") == "mine\nnew"
    refusal = project.exec("reader", "touch", "/data/x")
    assert refusal.returncode != 0
    assert "Read-only file system" in refusal.stderr
    sh(project, "reader", "echo more >>/part/other")
    assert sh(project, "owner", "cat /data/sub/other") == "new\nmore"

    # The next containers find it as it was left; nothing is copied again.
    project.down()
    project.up()
    assert (
        sh(project, "owner", "ls -A /data /data/sub | xargs")
        == "/data: .dot link own sub /data/sub: other"
    )
    project.down("-v")
    project.up("owner")
    assert (
        sh(project, "owner", "ls -A /data /data/sub | xargs")
        == "/data: .dot link sub /data/sub: file"
    )


@pytest.mark.parametrize("subpath", ["absent", "../..", "link"])
def test_a_subpath_that_is_not_in_the_volume_is_refused(
    make_project: MakeProject, subpath: str
) -> None:
    project = make_project(
        f"""
services:
  a: {{image: busybox, {WAITS}, volumes: ["vol:/v"]}}
  b:
    image: busybox
    {WAITS}
    volumes: [{{type: volume, source: vol, target: /w, volume: {{subpath: {subpath}}}}}]
volumes: {{vol: }}
"""
    )
    project.up("a")
    sh(project, "a", "ln -s /etc /v/link")
    refusal = project.compose("up", "-d", "b")
    assert refusal.returncode == 1
    assert f"cannot mount subpath {subpath}" in refusal.stderr
    assert project.states()[f"{project.name}-b-1"] == "created"


ANONYMOUS = """
services:
  a:
    build:
      dockerfile_inline: |
        FROM busybox
        RUN mkdir /cache && echo warm >/cache/state
        VOLUME /cache
    command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]
    volumes: [/scratch]
    environment: {ROUND: "${ROUND:-1}"}
"""


def volumes_of(project: Project) -> set[str]:
    return {path.parent.name for path in (project.user.data / "volumes").glob("*/volume.json")}


def test_anonymous_volumes_live_as_long_as_their_container(make_project: MakeProject) -> None:
    project = make_project(ANONYMOUS)
    project.up("--build")
    assert sh(project, "a", "cat /cache/state; ls /scratch") == "warm"
    sh(project, "a", "echo kept >/scratch/file; echo hot >/cache/state")
    made = volumes_of(project)
    assert len(made) == 2
    project.compose("restart", "-t", "1").ok()
    assert sh(project, "a", "cat /cache/state /scratch/file") == "hot\nkept"
    # Recreated, a container takes them over …
    project.up("-t", "1", env={"ROUND": "2"})
    assert sh(project, "a", "cat /cache/state /scratch/file; echo $ROUND") == "hot\nkept\n2"
    assert volumes_of(project) == made
    # … unless it is told not to.
    project.up("-t", "1", "--force-recreate", "-V")
    assert sh(project, "a", "cat /cache/state; ls /scratch") == "warm"
    assert len(volumes_of(project)) == 2
    project.compose("run", "--rm", "a", "sh", "-c", "echo x >/scratch/y").ok()
    assert len(volumes_of(project)) == 2
    project.compose("rm", "-fsv").ok()
    assert volumes_of(project) == set()


BINDS = f"""
services:
  a:
    image: busybox
    {WAITS}
    volumes:
      - ./made/deep:/made
      - ./conf.txt:/etc/conf.txt:ro
      - ./sub:/sub:ro
      - {{type: bind, source: ./sub, target: /again}}
      - ~/of-home:/home-made
      - /etc:/host-etc:ro
      - /etc/hostname:/host-name:ro
"""


def test_bind_mounts_show_the_users_files(make_project: MakeProject) -> None:
    project = make_project(BINDS, files={"conf.txt": "one\n", "sub/file": "two\n"})
    project.up()
    made = project.folder / "made/deep"
    home = project.user.home / "of-home"
    assert (made.stat().st_uid, home.stat().st_uid) == (project.user.uid, project.user.uid)
    assert (
        sh(project, "a", "cat /etc/conf.txt /sub/file; stat -c %u /made /sub/file")
        == "one\ntwo\n0\n0"
    )
    for path in ("/etc/conf.txt", "/sub/file"):
        assert project.exec("a", "sh", "-c", f"echo x >>{path}").returncode != 0
    # The machine's own files, not what the holder has in their place.
    assert sh(project, "a", "stat -c %i /host-etc /host-name").split() == [
        str(os.stat(path).st_ino) for path in ("/etc", "/etc/hostname")
    ]
    sh(project, "a", "echo three >/made/file; echo four >/again/file; echo five >/home-made/file")
    written = made / "file"
    assert (written.read_text(), written.stat().st_uid) == ("three\n", project.user.uid)
    assert (project.folder / "sub/file").read_text() == "four\n"
    assert sh(project, "a", "cat /sub/file") == "four"
    project.down("-v")
    assert written.exists()  # the user's own files are never removed
    (home / "file").unlink()
    home.rmdir()


@pytest.mark.parametrize(
    ("volume", "says"),
    [
        ("./settings.json:/etc/app/settings.json", "looks like a file"),
        ("./Caddyfile:/etc/passwd", "looks like a file"),
        (
            "{type: bind, source: ./absent, target: /x, bind: {create_host_path: false}}",
            "does not exist",
        ),
        ("/proc/nowhere/x:/x", "cannot be made"),
        ("/etc/cntnr-nowhere:/x", "cannot be made"),
        ("/root/secret/x:/x", "cannot be reached: Permission denied"),
    ],
)
def test_a_missing_source_is_refused(make_project: MakeProject, volume: str, says: str) -> None:
    text = volume if volume.startswith("{") else f'"{volume}"'
    others = "".join(f"  b{number}: {{image: busybox, {WAITS}}}\n" for number in range(3))
    project = make_project(
        f"services:\n  a: {{image: busybox, {WAITS}, volumes: [{text}]}}\n{others}"
    )
    before = sorted(os.listdir(project.folder))
    refusal = project.compose("up", "-d")
    assert refusal.returncode == 1
    assert says in refusal.stderr
    assert "in service a" in refusal.stderr
    assert sorted(os.listdir(project.folder)) == before


MEMORY = """
services:
  a: &a
    build:
      dockerfile_inline: |
        FROM busybox
        RUN mkdir /disk && echo image >/disk/from && chown 1000 /disk && chmod 755 /disk
    command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]
    user: "1000"
    tmpfs: ["/short:size=1m,mode=770,uid=1000", /plain]
    volumes:
      - {type: tmpfs, target: /long, tmpfs: {size: 2m, mode: 0o1770}}
      - memory:/named
      - disk:/disk
  b:
    <<: *a
    volumes: ["memory:/shared", "locked:/locked"]
volumes:
  locked: {driver_opts: {type: none, o: "bind,ro", device: "${PLACE}"}}
  memory: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=3m,mode=700,uid=1000"}}
  disk: {driver_opts: {type: none, o: bind, device: "${PLACE}"}}
"""


def test_volumes_in_memory_and_of_a_folder(make_project: MakeProject) -> None:
    project = make_project(MEMORY)
    place = project.folder / "place"
    place.mkdir()
    project.write(".env", f"PLACE={place}\n")
    project.up("--build")
    mounts = sh(
        project, "a", "grep -E ' /(short|plain|long|named|disk) ' /proc/mounts"
    ).splitlines()
    kinds = {line.split()[1]: line.split()[2:4] for line in mounts}
    assert {target for target, (kind, _) in kinds.items() if kind == "tmpfs"} >= {
        "/short",
        "/plain",
        "/long",
        "/named",
    }
    assert "size=1024k" in kinds["/short"][1]
    assert "size=2048k" in kinds["/long"][1]
    assert "size=3072k" in kinds["/named"][1]
    modes = sh(project, "a", "stat -c '%a %u' /short /long /named").splitlines()
    assert modes == ["770 1000", "1770 0", "700 1000"]
    sh(project, "a", "echo a >/short/a; echo b >/named/b; echo c >/disk/c")
    assert (place / "c").read_text() == "c\n"
    assert sh(project, "b", "cat /shared/b /locked/c /locked/from") == "b\nc\nimage"
    assert "Read-only" in project.exec("b", "touch", "/locked/x").stderr
    sh(project, "b", "echo d >>/shared/b")
    assert sh(project, "a", "cat /named/b") == "b\nd"
    project.compose("restart", "-t", "1", "a").ok()
    assert sh(project, "a", "ls /short /named /disk | xargs") == "/disk: c from /named: b /short:"
    # What is in memory is gone with the last container that has it.
    project.compose("stop", "-t", "1").ok()
    project.compose("start").ok()
    assert sh(project, "a", "ls /named /disk | xargs") == "/disk: c from /named:"
    project.down("-v")
    assert (place / "c").exists()


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        ("{driver: rexray}", "driver"),
        ("{driver_opts: {type: nfs, device: ':/x', o: addr=10.0.0.1}}", "type nfs"),
        ("{driver_opts: {type: none, o: bind, device: /nowhere/at/all}}", "/nowhere/at/all"),
        ("{driver_opts: {type: tmpfs, device: tmpfs, o: size=lots}}", 'the options "size=lots"'),
    ],
)
def test_a_volume_that_cannot_be_had_is_refused(
    make_project: MakeProject, definition: str, says: str
) -> None:
    project = make_project(
        f"services:\n  a: {{image: busybox, {WAITS}, volumes: ['vol:/v']}}\nvolumes: {{vol: {definition}}}\n"
    )
    refusal = project.compose("up", "-d")
    assert refusal.returncode == 1
    assert says in refusal.stderr
    assert "Traceback" not in refusal.stderr


def test_external_volumes_are_others(make_project: MakeProject) -> None:
    maker = make_project(
        f"services:\n  a: {{image: busybox, {WAITS}, volumes: ['vol:/v']}}\n"
        "volumes: {vol: {name: shared-one}}\n"
    )
    guest = make_project(
        f"services:\n  a: {{image: busybox, {WAITS}, volumes: ['theirs:/x']}}\n"
        "volumes: {theirs: {name: shared-one, external: true}}\n"
    )
    refusal = guest.compose("up", "-d")
    assert refusal.returncode == 1
    assert 'external volume "shared-one" not found' in refusal.stderr
    maker.up()
    sh(maker, "a", "echo hello >/v/file")
    guest.up()
    assert sh(guest, "a", "cat /x/file") == "hello"
    guest.down("-v")
    assert sh(maker, "a", "cat /v/file") == "hello"
    guest.up()
    # Its maker does not take it away under those who use it.
    kept = maker.down("-v")
    assert "Resource is still in use" in kept.stderr
    assert sh(guest, "a", "cat /x/file") == "hello"
    guest.down()
    maker.down("-v")
    assert "not found" in guest.compose("up", "-d").stderr


BORROWED = f"""
services:
  lender:
    image: busybox
    {WAITS}
    volumes:
      - named:/named
      - /anonymous
      - ./bound:/bound
      - {{type: volume, source: named, target: /part, volume: {{subpath: part}}}}
    depends_on: [maker]
  borrower:
    image: busybox
    {WAITS}
    volumes_from: [lender]
    volumes: ["own:/own"]
  reader: {{image: busybox, {WAITS}, volumes_from: ["lender:ro"]}}
  maker: {{image: busybox, {WAITS}, volumes: ["named:/named"]}}
volumes: {{named: , own: }}
"""


def test_volumes_from_another_service(make_project: MakeProject) -> None:
    project = make_project(BORROWED)
    project.up("maker")
    sh(project, "maker", "mkdir /named/part && echo part >/named/part/file")
    project.up()
    sh(project, "lender", "for f in named anonymous bound; do echo $f >/$f/file; done")
    assert sh(
        project, "borrower", "cat /named/file /anonymous/file /bound/file; ls /own"
    ).split() == [
        "named",
        "anonymous",
        "bound",
    ]
    assert sh(project, "borrower", "ls /part; cat /part/file") == "file\npart"
    sh(project, "borrower", "echo back >/anonymous/file")
    assert sh(project, "lender", "cat /anonymous/file") == "back"
    assert sh(project, "reader", "cat /anonymous/file") == "back"
    for folder in ("named", "anonymous", "bound"):
        assert project.exec("reader", "touch", f"/{folder}/x").returncode != 0


def test_images_are_mounted(make_project: MakeProject) -> None:
    project = make_project(
        f"""
services:
  data:
    build:
      dockerfile_inline: |
        FROM busybox
        RUN mkdir -p /opt/data && echo text >/opt/data/file
    image: data-image
    {WAITS}
  a:
    image: busybox
    {WAITS}
    depends_on: [data]
    volumes:
      - {{type: image, source: data-image, target: /one}}
      - {{type: image, source: data-image, target: /two, image: {{subpath: opt/data}}}}
      - {{type: image, source: busybox, target: /box}}
"""
    )
    project.up("--build")
    assert sh(project, "a", "cat /one/opt/data/file /two/file; ls /box/bin/busybox") == (
        "text\ntext\n/box/bin/busybox"
    )
    assert project.exec("a", "touch", "/one/x").returncode != 0
    assert project.exec("a", "touch", "/two/file").returncode != 0


def test_a_changed_volume_is_kept_unless_yes_is_said(make_project: MakeProject) -> None:
    text = (
        f"services:\n  a: {{image: busybox, {WAITS}, volumes: ['vol:/v']}}\n"
        "volumes: {vol: {labels: {n: one}}}\n"
    )
    project = make_project(text)
    project.up()
    sh(project, "a", "echo data >/v/file")
    project.write("compose.yaml", text.replace("one", "two"))
    result = project.up("-t", "1")
    assert "exists but doesn't match configuration in compose file" in result.stderr
    assert sh(project, "a", "cat /v/file") == "data"
    project.up("-t", "1", "--yes")
    assert sh(project, "a", "ls /v") == ""


def test_folders_of_any_depth_can_be_removed(make_project: MakeProject) -> None:
    deep = "i=0; while [ $$i -lt 1500 ]; do mkdir d && cd d || exit 3; i=$$((i+1)); done"
    project = make_project(f"""
        services:
          a:
            image: busybox
            command: ["sh", "-c", "cd /v && {deep}; cd /home && {deep}"]
            volumes: ["vol:/v"]
        volumes: {{vol: }}
        """)
    project.up()
    project.compose("wait", "a", timeout=60).ok()
    project.down("-v", timeout=60)
    assert not list(project.user.data.glob(f"volumes/{project.name}_vol"))
    assert not list(project.user.data.glob(f"containers/{project.name}/*"))
