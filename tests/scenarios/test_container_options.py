"""Flags of `cntnr run` that change the process, its files, its names and its limits."""

import os
import subprocess

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, wait_until


def run(place: Project, image: str, *flags: str, script: str) -> list[str]:
    """Return the lines that a script prints in a container with these flags."""
    return place.cntnr("run", "--rm", *flags, image, "sh", "-c", script).ok().stdout.splitlines()


def test_the_process(make_project: MakeProject, busybox_image: str) -> None:
    files = {"vars": "FILE=from file\n# comment\nSHELL_ONE\n", "labels": "kind=test\n"}
    place = make_project(files=files)
    words = (
        "--env-file", "vars", "-e", "WORD=line", "-e", "SHELL_TWO", "-e", "NOT_SET", "-w", "/tmp",
        "-u", "7:8", "--group-add", "9", "--init", "--stop-signal", "INT", "--stop-timeout", "3",
        "--oom-score-adj", "500", "--ulimit", "nofile=100:200", "--sysctl", "net.ipv4.ip_forward=0",
        "--quiet", "--pull", "missing", "--annotation", "a=b", "--platform", "linux",
    )  # fmt: skip
    script = "echo $FILE $WORD $SHELL_ONE $SHELL_TWO ${NOT_SET-unset}; pwd; id; ulimit -n; "
    script += "cat /proc/1/oom_score_adj"
    ended = place.cntnr(
        "run", "--rm", *words, busybox_image, "sh", "-c", script,
        env={"SHELL_ONE": "one", "SHELL_TWO": "two"},
    ).ok()  # fmt: skip
    lines = ended.stdout.splitlines()
    assert lines[:2] == ["from file line one two unset", "/tmp"]
    assert lines[2].startswith("uid=7 gid=8 groups=8,9")
    assert lines[3:] == ["100", "500"]
    assert (
        place.cntnr("run", "--rm", "--entrypoint", "echo", busybox_image, "it", "is").ok().stdout
        == "it is\n"
    )
    place.cntnr(
        "create", "--name", "made", "--label-file", "labels", "-l", "own=1", "-h", "box",
        "--cidfile", "id", "--restart", "on-failure:2", "--health-cmd", "true",
        "--health-interval", "1s", "--health-timeout", "2s", "--health-retries", "3",
        "--health-start-period", "4s", "--health-start-interval", "5s", "--log-driver", "local",
        "--log-opt", "max-size=1m", "--domainname", "example.org", busybox_image,
    ).ok()  # fmt: skip
    (described,) = place.cntnr("inspect", "made").ok().json
    assert described["Id"] == (place.folder / "id").read_text()
    assert described["Config"]["Labels"].items() >= {"kind": "test", "own": "1"}.items()
    assert described["Config"]["Hostname"] == "box"
    again = place.cntnr("run", "--rm", "--cidfile", "id", busybox_image)
    assert_refused(again, "container ID file found", code=125)
    place.cntnr("rm", "made").ok()


def test_files_and_mounts(make_project: MakeProject, busybox_image: str) -> None:
    place = make_project(files={"data/word": "word\n"})
    mounts = (
        "--mount", "type=bind,src=./data,dst=/bound,readonly",
        "--mount", "type=volume,src=made-by-run,dst=/vol,volume-label=kind=test",
        "--mount", "type=tmpfs,dst=/fast,tmpfs-size=1m,tmpfs-mode=1700",
        "--mount", f"type=image,src={busybox_image},dst=/image",
        "--tmpfs", "/more:size=64k", "-v", "/anonymous", "--read-only", "--shm-size", "2m",
    )  # fmt: skip
    script = (
        "cat /bound/word; touch /bound/x || echo no; touch /vol/x /fast/x /more/x && echo yes; "
        "ls /image/bin/sh; touch /x || echo no; df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2"
    )
    lines = run(place, busybox_image, *mounts, script=script)
    assert lines == ["word", "no", "yes", "/image/bin/sh", "no", "2048"]
    (volume,) = place.cntnr("volume", "inspect", "made-by-run").ok().json
    assert volume["Labels"] == {"kind": "test"}
    place.cntnr("create", "--name", "owner", *mounts, busybox_image).ok()
    shared = run(
        place,
        busybox_image,
        "--volumes-from",
        "owner:ro",
        script="ls /vol; touch /vol/y || echo no",
    )
    assert shared == ["x", "no"]
    place.cntnr("rm", "-v", "owner").ok()
    place.cntnr("volume", "rm", "made-by-run").ok()
    missing = place.cntnr("run", "--mount", "type=bind,src=./none,dst=/x", "--rm", busybox_image)
    assert_refused(missing, "none", "does not exist", code=125)


def test_names_and_networks(make_project: MakeProject, busybox_image: str) -> None:
    place = make_project()
    place.cntnr("network", "create", "--subnet", "10.99.0.0/24", "flags-net").ok()
    words = (
        "--network", "flags-net", "--ip", "10.99.0.9", "--network-alias", "shop",
        "--mac-address", "02:42:0a:63:00:09", "--expose", "8000", "-P", "--name", "server",
    )  # fmt: skip
    place.cntnr("run", "-d", *words, "--pidfile", "pid", busybox_image, "sleep", "1000").ok()
    assert os.path.exists(f"/proc/{(place.folder / 'pid').read_text()}")
    assert ":" in place.cntnr("port", "server", "8000").ok().stdout
    words = ("--network", "name=flags-net,alias=client", "--link", "server:db")
    script = "for name in shop db client; do nslookup $name | grep -c 'Address.* 10.99.0'; done"
    assert [int(line) > 0 for line in run(place, busybox_image, *words, script=script)] == [
        True
    ] * 3
    words = (
        "--add-host", "added:1.2.3.4", "--dns-option", "ndots:3", "--dns-search", "example.org",
        "--dns", "10.99.0.200",
    )  # fmt: skip
    lines = run(place, busybox_image, *words, script="cat /etc/resolv.conf; grep added /etc/hosts")
    assert "search example.org" in lines
    assert any("ndots:3" in line for line in lines)
    assert lines[-1].split() == ["1.2.3.4", "added"]
    shared = run(
        place, busybox_image, "--pid", "container:server", "--ipc", "private", "--uts", "host",
        script="ps | grep -c 'sleep 1000'",
    )  # fmt: skip
    assert int(shared[0]) >= 1
    place.cntnr("rm", "-f", "server").ok()
    wait_until(lambda: place.cntnr("network", "rm", "flags-net").returncode == 0, what="it is gone")


def test_rights_and_limits(make_project: MakeProject, busybox_image: str) -> None:
    place = make_project()
    show = "grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status"
    words = ("--cap-drop", "ALL", "--cap-add", "CHOWN", "--security-opt", "no-new-privileges")
    lines = run(place, busybox_image, *words, "--security-opt", "seccomp=unconfined", script=show)
    assert int(lines[0].split()[1], 16) == 1
    assert lines[1].split()[1] == "1"
    privileged = run(place, busybox_image, "--privileged", script=show)
    assert int(privileged[0].split()[1], 16) > 1 << 21
    device = run(
        place, busybox_image, "--device", "/dev/zero:/dev/nothing:r", script="ls /dev/nothing"
    )
    assert device == ["/dev/nothing"]
    no_cgroups = run(
        place, busybox_image, "--mount-cgroups", "no", script="ls /sys/fs/cgroup | wc -l"
    )
    assert no_cgroups == ["0"]
    engine = ("--no-new-keyring", "--no-pivot", "--cgroupns", "private", "--userns", "host")
    assert run(place, busybox_image, *engine, script="echo fine") == ["fine"]
    limits = (
        "-m", "64m", "--memory-reservation", "32m", "--memory-swap", "128m", "--cpus", "0.5",
        "--cpu-shares", "512", "--cpuset-cpus", "0", "--pids-limit", "50", "--blkio-weight", "300",
        "--oom-kill-disable",
    )  # fmt: skip
    limited = place.cntnr("run", "--rm", *limits, busybox_image, "echo", "fine").ok()
    assert limited.stdout == "fine\n"  # where a controller is missing, a warning says so


def test_streams_and_detaching(make_project: MakeProject, busybox_image: str) -> None:
    place = make_project()
    both = "echo out; echo err >&2"
    out = place.cntnr("run", "--rm", "-a", "stdout", busybox_image, "sh", "-c", both).ok()
    assert (out.stdout, "err" in out.stderr) == ("out\n", False)
    err = place.cntnr("run", "--rm", "--attach", "stderr", busybox_image, "sh", "-c", both).ok()
    assert (err.stdout, err.stderr) == ("", "err\n")
    words = ("run", "--name", "alone", "--rm", "--sig-proxy=false", "--detach-keys", "ctrl-x")
    left = place.user.popen(
        "cntnr", *words, busybox_image, "sleep", "1000", stderr=subprocess.DEVNULL
    )
    wait_until(lambda: "alone" in place.cntnr("ps").ok().stdout, what="it runs")
    left.terminate()
    left.wait(20)
    assert "alone" in place.cntnr("ps").ok().stdout
    killed = place.user.popen(
        "cntnr", "run", "--rm", "--name", "orphan", busybox_image, "sleep", "1000"
    )
    wait_until(lambda: "orphan" in place.cntnr("ps").ok().stdout, what="it runs")
    killed.kill()
    killed.wait(20)
    for name in ("alone", "orphan"):
        place.cntnr("stop", "-t", "0", name).ok()
    assert place.cntnr("ps", "-aq").ok().stdout == ""


def test_mistakes_name_the_flag_and_what_is_near(
    make_project: MakeProject, busybox_image: str
) -> None:
    place = make_project()
    for flags, expected in (
        (("--pull", "allways"), ("--pull", "did you mean always")),
        (("--restart", "on-failur"), ("--restart", "did you mean on-failure")),
        (("--cap-add", "NET_ADMN"), ("--cap-add", "CAP_NET_ADMIN")),
        (("--stop-signal", "TREM"), ("--stop-signal", "invalid signal")),
        (("--memory", "much"), ("--memory", "much")),
        (("--cpus", "many"), ("--cpus", "many")),
        (("-p", "x:80"), ("--publish", "x:80")),
        (("--ulimit", "nofile"), ("--ulimit", "nofile")),
        (("--device", "zero"), ("--device", "zero")),
        (("--mount", "type=bind,sorce=/x,dst=/y"), ("--mount", "did you mean source")),
        (("-v", "/a:/x", "--mount", "type=tmpfs,dst=/x"), ("duplicate mount point: /x",)),
        (("--network", "host", "--ip", "1.2.3.4"), ("conflicting options", "--ip")),
        (("--network-alias", "shop"), ("only supported for user-defined networks",)),
        (("--memory", "1m"), ("--memory: minimum memory limit allowed is 6MB",)),
        (("--network", "container:nobody"), ("No such container: nobody",)),
        (("--gpus", "all"), ("--gpus",)),
        (("--env-file", "none"), ("--env-file", "no such file")),
        (("--health-cmd", "true", "--no-healthcheck"), ("--no-healthcheck",)),
        (("--restart", "always", "--rm"), ("--restart", "--rm")),
        (("--mount-cgroups", "maybe"), ("--mount-cgroups", "ro, rw, no")),
        (("--isolation", "process"), ("--isolation", "Windows")),
        (("--nothing",), ("unknown flag: --nothing",)),
        (("-d", "-a", "stdout"), ("--detach", "--attach")),
        (("--name", "a b"), ("cannot name",)),
    ):
        assert_refused(place.cntnr("run", *flags, busybox_image, "true"), *expected, code=125)
    assert_refused(place.cntnr("run", "-it", busybox_image), "TTY")
    assert place.cntnr("ps", "-aq").ok().stdout == ""
