"""Flags of `cntnr run` and `create`, each by what the container sees of it."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, http_get, wait_until

IMAGE = "busybox"
pytestmark = [pytest.mark.runtimes, pytest.mark.usefixtures("busybox_image")]
SHOW = r"""
echo "words $WORD $OTHER"
echo "groups $(id -G)"
echo "score $(cat /proc/self/oom_score_adj)"
echo "privileges $(sed -n 's/NoNewPrivs:\t//p' /proc/self/status)"
echo "host $(hostname) $(cat /proc/sys/kernel/domainname)"
echo "mac $(cat /sys/class/net/eth0/address)"
echo "address $(ip -o -4 addr show eth0)"
echo "cgroup $(cut -d: -f3 /proc/self/cgroup | sort -u | head -n 1)"
sed 's/^/resolv /' /etc/resolv.conf
[ -c /dev/other ] && echo "device /dev/other"
grep ' /m ' /proc/mounts
"""


@pytest.fixture
def place(make_project: MakeProject) -> Iterator[Project]:
    """Yield a folder to run containers in; remove those that are left."""
    place = make_project(files={"env": "WORD=first\n", "labels": "of=file\n"})
    yield place
    left = place.cntnr("ps", "-aq").ok().stdout.split()
    if left:
        place.cntnr("rm", "-f", "-v", *left).ok()


def inspected(place: Project, name: str, template: str) -> str:
    return place.cntnr("inspect", "-f", template, name).ok().stdout.strip()


def test_the_process_has_what_the_flags_say(place: Project) -> None:
    place.cntnr("network", "create", "--subnet", "10.96.0.0/24", "chosen").ok()
    ran = place.cntnr(
        "run", "--rm", "--entrypoint", "sh", "--env-file", "env", "-e", "OTHER=second",
        "--group-add", "44", "--oom-score-adj", "300", "--security-opt", "no-new-privileges",
        "--hostname", "box", "--domainname", "example.test", "--cgroupns", "private",
        "--network", "chosen", "--ip", "10.96.0.9", "--mac-address", "02:00:00:00:00:99",
        "--dns-option", "ndots:3", "--dns-search", "example.test", "--device", "/dev/null:/dev/other",
        "--mount", "type=tmpfs,dst=/m,tmpfs-size=65536", "--cidfile", "id", "--platform", "linux/amd64",
        IMAGE, "-c", SHOW,
    ).ok()  # fmt: skip
    lines = ran.stdout.splitlines()
    assert lines[0] == "words first second"
    assert "44" in lines[1].split()
    assert lines[2:5] == ["score 300", "privileges 1", "host box example.test"]
    assert lines[5] == "mac 02:00:00:00:00:99"
    assert "10.96.0.9/24" in lines[6]
    assert lines[7] == "cgroup /"
    assert "resolv search example.test" in lines
    assert any(line.startswith("resolv options") and "ndots:3" in line for line in lines)
    assert "device /dev/other" in lines
    assert any(line.startswith("tmpfs /m tmpfs ") and "size=64k" in line for line in lines)
    assert len((place.folder / "id").read_text()) == 64
    place.cntnr("network", "rm", "chosen").ok()


def test_containers_share_what_the_flags_say(place: Project) -> None:
    first = place.cntnr(
        "run", "-d", "--name", "first", "-v", "/shared", "--ipc", "shareable", "--stop-signal", "KILL",
        "--annotation", "of=bundle", "--label-file", "labels", "--expose", "80", "-P",
        "--log-opt", "max-size=1m", "--no-healthcheck",
        IMAGE, "sh", "-c", "echo here >/shared/page; httpd -f -p 80 -h /shared",
    ).ok().stdout.strip()  # fmt: skip
    port = place.cntnr("port", "first", "80").ok().stdout.splitlines()[0]
    wait_until(lambda: http_get(f"http://127.0.0.1:{port.rpartition(':')[2]}/page") == "here\n")
    assert inspected(place, "first", '{{index .Config.Labels "of"}}') == "file"
    assert json.loads(inspected(place, "first", "{{json .HostConfig.LogConfig.Config}}")) == {
        "max-size": "1m"
    }
    bundle = place.user.inside("b")
    assert bundle is not None
    spec = json.loads((bundle / first[:12] / "config.json").read_text())
    assert spec["annotations"]["of"] == "bundle"
    script = "cat /shared/page; hostname; ps | grep -c '[h]ttpd'; readlink /proc/self/ns/ipc"
    words = ("--volumes-from", "first:ro", "--uts", "host", "--pid", "container:first")
    ran = place.cntnr("run", "--rm", *words, "--ipc", "container:first", IMAGE, "sh", "-c", script)
    page, hostname, servers, shared = ran.ok().stdout.splitlines()
    assert (page, servers) == ("here", "1")
    assert hostname != first[:12]
    own = place.cntnr("exec", "first", "readlink", "/proc/self/ns/ipc").ok().stdout.strip()
    assert shared == own


def test_health_is_checked_as_the_flags_say(place: Project) -> None:
    place.cntnr(
        "run", "-d", "--name", "ill", "--stop-signal", "KILL", "--health-cmd", "sleep 5",
        "--health-interval", "100ms", "--health-timeout", "200ms", "--health-retries", "2",
        IMAGE, "sleep", "1000",
    ).ok()  # fmt: skip
    wait_until(lambda: inspected(place, "ill", "{{.State.Health.Status}}") == "unhealthy")


def test_streams_are_attached_as_the_flags_say(place: Project) -> None:
    script = "echo out; echo wrong >&2; exit 4"
    ran = place.cntnr("run", "--rm", "-a", "stdout", IMAGE, "sh", "-c", script)
    assert (ran.returncode, ran.stdout, ran.stderr) == (4, "out\n", "")
    ran = place.cntnr("run", "--rm", "--attach", "stderr", IMAGE, "sh", "-c", script)
    assert (ran.returncode, ran.stdout, ran.stderr) == (4, "", "wrong\n")


def test_attached_commands_end_with_the_container(place: Project) -> None:
    gate = "while [ -e /srv/gate ]; do echo tick; sleep 0.1; done; exit 5"
    run = ("run", "-v", "./:/srv", "--sig-proxy=false", "--detach-keys", "ctrl-x")
    attach = ("attach", "--no-stdin", "--sig-proxy=false", "--detach-keys", "ctrl-x")
    place.write("gate", "")
    first = start(place, "cntnr", *run, "--name", "gated", IMAGE, "sh", "-c", gate)
    second = start(place, "cntnr", *attach, "gated")
    (place.folder / "gate").unlink()
    for process in (first, second):
        process.communicate(timeout=20)
        assert process.returncode == 5


def start(place: Project, *words: str) -> "subprocess.Popen[str]":
    """Start a command in the background, and wait for its first line."""
    process = place.user.popen(*words, cwd=place.folder, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "tick\n"
    return process


def test_what_has_no_effect_here_is_told(place: Project) -> None:
    flags = {
        "--blkio-weight": "300", "--cpu-period": "50000", "--cpu-quota": "25000", "--cpu-shares": "512",
        "--cpuset-cpus": "0", "--memory": "64m", "--memory-reservation": "32m", "--memory-swap": "128m",
        "--pids-limit": "100", "--cpu-rt-period": "10000", "--cpu-rt-runtime": "5000",
        "--memory-swappiness": "10", "--device-cgroup-rule": "c 1:3 rwm", "--storage-opt": "size=1G",
        "--ip6": "fd00::9", "--link-local-ip": "169.254.3.4", "--log-driver": "fluentd",
    }  # fmt: skip
    words = [word for pair in flags.items() for word in pair]
    place.cntnr("network", "create", "plain").ok()
    told = place.cntnr("run", "--rm", "--network", "plain", *words, IMAGE, "echo", "done").ok()
    assert told.stdout == "done\n"
    for text in (
        "nothing is sent to fluentd", "networks are IPv4 only", "with one address each",
        "a container's own files have no limit", "--cpu-rt-period", "--cpu-rt-runtime",
        "--memory-swappiness", "--device-cgroup-rule",
    ):  # fmt: skip
        assert text in told.stderr
    if not place.cntnr("info", "--format", "json").ok().json["MemoryLimit"]:
        for flag in tuple(flags)[:9]:
            assert f'"{flag}: not honoured' in told.stderr
    place.cntnr("network", "rm", "plain").ok()
    for refused, value in (("--gpus", "all"), ("--cpuset-mems", "0"), ("--isolation", "hyperv")):
        assert_refused(place.cntnr("run", refused, value, IMAGE), refused, code=125)
