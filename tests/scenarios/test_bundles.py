"""`cntnr bundle`: OCI bundles that stay; runc and crun run them, and those of others run here."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import bundles
from tests.scenarios.lib import Result, User, assert_refused, free_port, http_answers
from tests.scenarios.registry import make_image

pytestmark = pytest.mark.usefixtures("busybox_image")
Leftovers = Callable[[], list[str]]
Bundle = Callable[..., Result]


@pytest.fixture
def folder(user: User) -> Iterator[Path]:
    """Yield a folder of the user's for bundles."""
    folder = user.base / "folder"
    folder.mkdir()
    user.own(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bundle(user: User, folder: Path, leftovers: Leftovers) -> Iterator[Bundle]:
    """Yield a function that runs `cntnr bundle` in the folder; remove all bundles of the store afterwards."""

    def run(*words: str, **more: Any) -> Result:
        return user.run("cntnr", "bundle", *words, cwd=folder, **more)

    yield run
    names = run("ls", "-q").ok().stdout.split()
    if names:
        run("rm", *names).ok()
    assert not list((user.data / "bundles").glob("[!.]*"))
    assert leftovers() == []


@contextmanager
def running(user: User, folder: Path, *words: str) -> "Iterator[subprocess.Popen[str]]":
    """Run `cntnr bundle run` in the background; end it at the end."""
    pipe = subprocess.PIPE
    process = user.popen(
        "cntnr", "bundle", "run", *words, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_an_update_keeps_files_and_makes_the_configuration_anew(
    user: User, folder: Path, bundle: Bundle
) -> None:
    script = "echo $A >>/kept; cat /kept; pwd; hostname; id -u; exit 7"
    made = bundle(
        "create", "-b", "web", "-e", "A=1", "-w", "/tmp", "busybox", "sh", "-c", script
    ).ok()
    assert made.stdout == "web\n"
    path = user.data / "bundles/web"
    inode = (path / "rootfs").stat().st_ino
    first = bundle("run", "web")
    assert (first.returncode, first.stdout) == (7, "1\n/tmp\nweb\n0\n")
    again = bundle("create", "-b", "web", "busybox", "true")
    assert (again.returncode, again.stderr.splitlines()[0]) == (
        1,
        "error: bundle web exists already",
    )
    words = (
        "--hostname",
        "box",
        "-u",
        "33:33",
        "--cap-drop",
        "ALL",
        "--tmpfs",
        "/run",
        "-e",
        "A=2",
    )
    bundle(
        "create",
        "-b",
        "web",
        "--update",
        *words,
        "busybox",
        "sh",
        "-c",
        "cat /kept; hostname; id -u",
    ).ok()
    assert (path / "rootfs").stat().st_ino == inode
    assert bundle("run", "web").ok().stdout == "1\nbox\n33\n"
    # A failed update leaves the bundle as it was, with its files.
    before = (path / "config.json").read_text()
    for words, says in (
        (("-b", "web", "--update", "nowhere.invalid/none"), "nowhere.invalid"),
        (("-b", "web", "--update", "-u", "nobody-here", "busybox", "true"), "nobody-here"),
        (
            ("-b", "web", "--update", "-v", "/nowhere/at/all.txt:/x", "busybox", "true"),
            "/nowhere/at",
        ),
        (("-b", "web", "--update", "-v", "data:/x", "busybox", "true"), "bind a folder"),
        (("-b", "web", "--update", "--restart", "always", "busybox"), "--restart"),
        (("-b", "web", "--update", "-p", "80", "busybox"), "one port of the host"),
        (("-b", "web", "--update", "--network", "container:x", "busybox"), "container:x"),
        (("-b", "web", "--update", "--network", "nowhere", "busybox"), "list is named nowhere"),
    ):
        failed = bundle("create", *words)
        assert failed.returncode != 0
        assert says in failed.stderr
        assert "Traceback" not in failed.stderr
    assert (path / "config.json").read_text() == before
    assert bundle("run", "web").ok().stdout == "1\nbox\n33\n"
    assert not list(path.glob(".rootfs*"))
    # Another image replaces the files.
    user.run(
        "cntnr", "image", "create", "--from", "busybox", "--run", "echo x >/other", "--tag", "other"
    ).ok()
    bundle("create", "-b", "web", "--update", "other", "ls", "/other", "/kept")
    ended = bundle("run", "web")
    assert ended.stdout == "/other\n"
    [row] = bundle("ls", "--format", "json").ok().json_lines
    assert (row["Name"], row["Image"], row["Status"]) == ("web", "other", "ready")
    assert row["ImageID"].startswith("sha256:")
    assert "NAME" in bundle("ls").ok().stdout
    [described] = bundle("inspect", "web").ok().json
    assert described["Config"]["process"]["args"] == ["ls", "/other", "/kept"]
    assert bundle("inspect", "-f", "{{.Image}}", "web").ok().stdout == "other\n"


@pytest.mark.parametrize("runtime", ["runc", "crun"])
def test_a_runtime_itself_starts_a_bundle_with_its_network(
    user: User, folder: Path, bundle: Bundle, runtime: str
) -> None:
    port = free_port()
    (folder / "shared").mkdir()
    (folder / "shared/page").write_text("page\n")
    user.own(folder / "shared")
    tell = (
        "ip route; cat /etc/hosts /etc/hostname; grep -c . /etc/resolv.conf; echo ready;"
        " exec httpd -f -p 80 -h /srv"
    )
    words = (
        "--add-host",
        "db=10.9.9.9",
        "--hostname",
        "web",
        "--network",
        "bridge",
        "-v",
        "./shared:/srv:ro",
    )
    published = ("-p", f"127.0.0.1:{port}:80")
    made = bundle("create", "-b", "./box", *words, *published, "busybox", "sh", "-c", tell).ok()
    assert made.stdout == f"{folder}/box\n"
    with bundles.running(user, runtime, folder / "box", f"box-{runtime}") as process:
        told = bundles.output_of(process, "ready")
        assert "default via 10.88.0.1 dev eth0" in told
        assert "10.9.9.9\tdb\n10.88.0.2\tweb\nweb\n1\n" in told
        assert http_answers(f"http://127.0.0.1:{port}/page") == "page\n"
        # Its container lives, although cntnr has not started it.
        update = bundle("create", "-b", "./box", "--update", "busybox", "true")
        assert "bundle box is in use" in update.stderr
        assert "bundle box is in use" in bundle("rm", "./box").stderr
    bundles.call(user, runtime, "delete", "-f", f"box-{runtime}")
    bundles.wait_for_no_files(folder / "box/cni")
    bundle("rm", "./box").ok()
    assert not (folder / "box").exists()


def test_a_bundle_is_locked_while_its_container_lives(
    user: User, folder: Path, bundle: Bundle
) -> None:
    bundle("create", "-b", "busy", "--network", "none", "busybox", "sh", "-c", "echo up; cat").ok()
    bundle("create", "-b", "idle", "--network", "none", "busybox", "true").ok()
    with running(user, folder, "-i", "--name", "other-id", "busy") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert {row["Name"]: row["Status"] for row in bundle("ls", "--format", "json").json_lines} == {
            "busy": "locked", "idle": "ready",
        }  # fmt: skip
        for words in (
            ("create", "-b", "busy", "--update", "busybox", "true"),
            ("run", "busy"),
            ("rm", "busy"),
        ):
            refused = bundle(*words)
            assert refused.returncode != 0
            assert "bundle busy is in use" in refused.stderr
        assert bundle("gc", "-t", "0", "--dry-run").ok().stdout == "idle\n"
        assert bundle("gc", "--ttl", "1h").ok().stdout == ""
        assert bundle("gc", "--ttl", "0").ok().stdout == "idle\n"
        process.stdin.write("typed\n")  # type: ignore[union-attr]
        process.stdin.close()  # type: ignore[union-attr]
        process.stdin = None
        assert process.stdout.read() == "typed\n"
    assert bundle("ls", "-q").ok().stdout == "busy\n"
    # A signal is passed on; the runtime's files go with it.
    trap = 'trap "exit 9" TERM; echo up; while :; do sleep 0.1; done'
    words = ("-b", "busy", "--update", "--network", "none")
    bundle("create", *words, "busybox", "sh", "-c", trap).ok()
    with running(user, folder, "busy") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert list(user.runtime.glob("bundle-state/busy"))
    assert process.returncode == 9
    assert not list(user.runtime.glob("bundle-state"))


def test_a_container_of_cntnr_runs_in_a_bundle(user: User, folder: Path, bundle: Bundle) -> None:
    def run(*words: str) -> Result:
        return user.run("cntnr", "run", *words, cwd=folder)

    first = run("--rm", "-b", "fox", "--update", "busybox", "sh", "-c", "echo one >/kept; exit 4")
    assert (first.returncode, first.stdout) == (4, "")
    assert (
        run("--rm", "--bundle", "fox", "--update", "busybox", "cat", "/kept").ok().stdout == "one\n"
    )
    exists = run("--rm", "-b", "fox", "busybox", "cat", "/kept")
    assert (exists.returncode, "bundle fox exists already" in exists.stderr) == (125, True)
    lone = run("--rm", "--update", "busybox", "true")
    assert (lone.returncode, "--update takes --bundle" in lone.stderr) == (125, True)
    assert bundle("run", "fox").ok().stdout == "one\n"  # the last command, by runc itself
    run("-d", "--name", "fox", "-b", "fox", "--update", "-p", "80", "busybox", "sleep", "100").ok()
    try:
        for words in (
            ("rm", "fox"),
            ("run", "fox"),
            ("create", "-b", "fox", "--update", "busybox"),
        ):
            assert "bundle fox is in use" in bundle(*words).stderr
        user.run("cntnr", "cp", "fox:/kept", str(folder / "kept")).ok()
        assert (folder / "kept").read_text() == "one\n"
    finally:
        user.run("cntnr", "rm", "-f", "fox").ok()
    words = ("create", "--name", "late", "-b", "./own", "--update", "busybox", "cat", "/bin/none")
    user.run("cntnr", *words, cwd=folder).ok()
    bundle("rm", "./own").ok()
    late = user.run("cntnr", "start", "late")
    assert "its bundle" in late.stderr
    user.run("cntnr", "rm", "late").ok()


def test_what_a_container_changes_in_its_bundle(user: User, folder: Path, bundle: Bundle) -> None:
    def cntnr(*words: str) -> str:
        return user.run("cntnr", *words, cwd=folder).ok().stdout

    script = "mkdir /new; echo one >/new/file; rm /etc/group; chmod 600 /etc/passwd"
    cntnr("run", "-d", "--name", "fox", "-b", "fox", "--update", "busybox", "sleep", "100")
    try:
        assert cntnr("diff", "fox") == ""
        image = cntnr("inspect", "-f", "{{.Image}}", "fox")
        assert cntnr("commit", "fox") == image
        cntnr("exec", "fox", "sh", "-c", script)
        changes = ["A /new", "A /new/file", "C /etc", "C /etc/passwd", "D /etc/group"]
        assert sorted(cntnr("diff", "fox").splitlines()) == changes
        cntnr("stop", "-t", "0", "fox")
        assert sorted(cntnr("diff", "fox").splitlines()) == changes
        assert cntnr("commit", "fox", "foxes") != image
        look = "cat /new/file; stat -c %a /etc/passwd; ls /etc/group 2>&1"
        shown = user.run("cntnr", "run", "--rm", "foxes", "sh", "-c", look).stdout
        assert shown == "one\n600\nls: /etc/group: No such file or directory\n"
        cntnr("cp", "fox:/new/file", "copied")
        cntnr("cp", "copied", "fox:/sent")
        assert (folder / "copied").read_text() == "one\n"
        cntnr("export", "-o", "root.tar", "fox")
        with tarfile.open(folder / "root.tar") as root:
            names = root.getnames()
        assert {"new/file", "sent"} < set(names)
        assert "etc/group" not in names
        bundle("create", "-b", "fox", "--update", "foxes").ok()  # other files
        for verb in ("diff", "commit"):
            refused = user.run("cntnr", verb, "fox")
            assert_refused(refused, "are not those of its image any more")
    finally:
        user.run("cntnr", "rm", "-f", "fox").ok()
        user.run("cntnr", "rmi", "foxes")


def test_bundles_that_others_made_run(user: User, folder: Path, bundle: Bundle) -> None:
    layout = make_image("busybox")
    unpack = ("umoci", "unpack", "--rootless", "--image", f"{layout}:busybox", "theirs")
    user.run(*unpack, cwd=folder).ok()
    with bundles.changed_config(folder / "theirs") as config:
        config["process"]["args"] = ["sh", "-c", "id -u; exit 5"]
    told = bundle("run", "./theirs")
    assert (told.returncode, told.stdout) == (5, "0\n")
    assert "it gets no terminal" in told.stderr
    # `runc spec` is for root: what an ordinary user may not do is left out, and told.
    (folder / "theirs/config.json").unlink()
    user.run("runc", "spec", cwd=folder / "theirs").ok()
    marker = folder / "hook-ran"
    with bundles.changed_config(folder / "theirs") as config:
        config["process"] |= {"args": ["sh", "-c", "id -u; ls /dev/none 2>/dev/null; exit 6"]}
        config["process"] |= {
            "oomScoreAdj": -500,
            "user": {"uid": 0, "gid": 0, "additionalGids": [5]},
        }
        config["linux"]["uidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1}]
        config["linux"]["cgroupsPath"] = "/theirs"
        config["linux"]["devices"] = [
            {"path": "/dev/none", "type": "c", "major": 1, "minor": 99},
            {"path": "/dev/../etc/shadow", "type": "c", "major": 1, "minor": 3},
        ]
        config["hooks"] = {"prestart": [{"path": "/usr/bin/touch", "args": ["touch", str(marker)]}]}
        config["mounts"].append(
            {"destination": "/mnt", "type": "bind", "source": str(folder), "options": ["bind"]}
        )
    before = (folder / "theirs/config.json").read_text()
    told = bundle("run", "--no-new-keyring", "--no-pivot", "--runtime", "runc", "./theirs")
    assert (told.returncode, told.stdout) == (6, "0\n")
    for words in (
        "runs in a user namespace", "uidMappings are not this user's", "cgroups are not mounted",
        "cgroupsPath have no effect", "'/dev/none' is left out", "'/dev/../etc/shadow' is left out",
        "oomScoreAdj has no effect", "additionalGids have no effect",
        "prestart hook /usr/bin/touch runs as you", f"mounts {folder} of this machine at /mnt",
    ):  # fmt: skip
        assert words in told.stderr
    assert marker.exists()
    assert (folder / "theirs/config.json").read_text() == before  # it is theirs
    # A folder with a root file system of somebody's becomes a bundle of ours.
    exists = bundle("create", "./theirs", "true")
    assert "exists already" in exists.stderr
    bundle("create", "--update", "./theirs", "sh", "-c", "ip route | head -1; id -u").ok()
    told = bundle("run", "./theirs").ok()
    assert told.stdout == "default via 10.88.0.1 dev eth0 \n0\n"
    assert told.stderr == ""
    assert "were not written by" in bundle("rm", "./theirs").stderr
    assert (folder / "theirs/rootfs/bin/busybox").exists()


def test_a_program_that_cannot_be_started(user: User, folder: Path, bundle: Bundle) -> None:
    bundle("create", "-b", "./b", "--network", "none", "busybox", "true").ok()
    for runtime, prefix in (("runc", []), ("crun", bundles.prefix_of_crun(user))):
        argv = [*prefix, str(user.venv / "bin/cntnr"), "bundle", "run", "--runtime", runtime, "./b"]
        for program, code, says in (
            ("/bin/true", 0, ""),
            ("/nope", 127, "no such file or directory"),
            ("nope", 127, "executable file not found in $PATH"),
            ("/etc/passwd", 126, "permission denied"),
        ):
            with bundles.changed_config(folder / "b") as config:
                config["process"]["args"] = [program]
            result = bundles.run_as(user, *argv, cwd=folder)
            assert (result.returncode, says in result.stderr) == (code, True), result
            assert code == 0 or "error: cannot start container b: " in result.stderr
        if prefix:
            refused = bundles.run_as(user, *argv[len(prefix) :], cwd=folder)
            assert_refused(refused, "this machine has controllers in both; use runc", code=125)


def test_bad_bundles_are_refused_with_their_place(user: User, folder: Path, bundle: Bundle) -> None:
    bundle("create", "-b", "./b", "--network", "none", "busybox", "echo", "it ran").ok()
    good = json.loads((folder / "b/config.json").read_text())

    def refused(says: str, text: str | None = None, **changes: Any) -> None:
        (folder / "b/config.json").write_text(json.dumps(good | changes) if text is None else text)
        result = bundle("run", "./b")
        assert result.returncode == 125, result
        assert says in result.stderr, result
        assert "Traceback" not in result.stderr
        assert result.stdout == ""

    refused("ociVersion 1.9.0 is newer than 1.3", ociVersion="1.9.0")
    refused("ociVersion 2.0.0 is newer", ociVersion="2.0.0")
    refused("ociVersion has to be", ociVersion=7)
    refused("torn, or no JSON", text=json.dumps(good)[:-200])
    refused("torn, or no JSON", text="[" * 100_000)
    refused("no JSON object", text="[]")
    refused("root.path leads out of the bundle", root={"path": "../../.."})
    refused("root.path leads out of the bundle", root={"path": "/"})
    refused("root.path is no folder", root={"path": "nowhere"})
    refused("process.args", process={"args": "sh"})
    refused("mounts has to be a list", mounts={"a": 1})
    refused("linux has to be an object", linux=[])
    refused("hooks.prestart: a hook has the absolute path", hooks={"prestart": [{"path": "x"}]})
    refused("is no program", hooks={"poststop": [{"path": "/nowhere/cntnr-hook"}]})
    (folder / "b/rootfs").rename(folder / "b/elsewhere")
    (folder / "b/rootfs").symlink_to("/")
    refused("root.path leads out of the bundle")
    (folder / "b/rootfs").unlink()
    (folder / "b/elsewhere").rename(folder / "b/rootfs")
    (folder / "b/config.json").unlink()
    (folder / "b/config.json").symlink_to("/etc/passwd")
    assert bundle("run", "./b").returncode == 125
    (folder / "b/config.json").unlink()
    assert f"{folder}/b is no bundle: it has no config.json" in bundle("run", "./b").stderr
    assert bundle("inspect", "./b").ok().json[0]["Status"] == "incomplete"
    assert "No such bundle: nope" in bundle("run", "nope").stderr
    assert "No such bundle: nope" in bundle("rm", "nope").stderr
    assert bundle("rm", "-f", "nope").returncode == 0
    assert "cannot name a bundle" in bundle("create", "-b", "a/b", "busybox").stderr
    assert "it has no folder rootfs" in bundle("create", ".", "true").stderr
    assert "did you mean" in bundle("create", "--networ", "none", "busybox").stderr
    (folder / "used").mkdir()
    (folder / "used/mine").touch()
    user.own(folder / "used")
    assert "it has mine" in bundle("create", "-b", "./used", "busybox", "true").stderr
    assert (folder / "used/mine").exists()
    bundle("rm", "./b").ok()
