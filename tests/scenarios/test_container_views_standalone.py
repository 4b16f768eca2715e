"""What containers of no project look like: `cntnr run` made them, and their flags are told again."""

import json
import os
import signal
import time
from typing import Any

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, free_port, wait_until

FLAGS = (
    "--name", "solo", "-e", "COLOUR=red", "-l", "tier=front", "--expose", "70", "--hostname", "host1",
    "-v", "kept:/data", "--tmpfs", "/run/t:size=1m", "--restart", "on-failure:2", "--read-only=false",
    "--stop-signal", "KILL", "--stop-timeout", "4", "--health-cmd", "test -e /ready",
    "--health-interval", "1s", "--health-start-period", "9s", "--health-start-interval", "100ms",
    "-w", "/tmp", "-u", "0", "--cap-drop", "NET_RAW", "--dns", "9.9.9.9", "--add-host", "far:10.9.8.7",
    "--ulimit", "nofile=99:100", "--memory", "64m", "--shm-size", "1m", "--init", "--sysctl",
    "net.ipv4.ip_forward=0",
)  # fmt: skip


def one(place: Project, *words: str) -> Any:
    return place.cntnr(*words).ok().stdout.strip()


def remove(place: Project, *names: str) -> None:
    place.cntnr("rm", "-f", "-v", *names).ok()
    place.cntnr("volume", "rm", "kept")


def test_a_container_of_no_project_is_shown_as_it_was_run(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    place, port = make_project(), free_port()
    program = "echo new >/new; touch /ready; sleep 1000"
    words = ("-p", f"127.0.0.1:{port}:80", busybox_image, "sh", "-c", program)
    identity = one(place, "run", "-d", *FLAGS, *words)
    try:
        state = "{{.State.Health.Status}}"
        wait_until(lambda: one(place, "inspect", "-f", state, "solo") == "healthy")
        row = json.loads(one(place, "ps", "--format", "json"))
        assert (row["ID"], row["Names"], row["Image"]) == (identity[:12], "solo", busybox_image)
        assert (row["Networks"], row["Labels"], row["LocalVolumes"]) == (
            "bridge",
            "tier=front",
            "1",
        )
        assert row["Ports"] == f"70/tcp, 127.0.0.1:{port}->80/tcp"
        [found_json] = json.loads(one(place, "inspect", "solo"))
        check_details(found_json, port)
        assert one(place, "port", "solo") == f"80/tcp -> 127.0.0.1:{port}"
        assert "sleep 1000" in one(place, "top", "solo")
        assert one(place, "stats", "--no-stream", "--format", "{{.Name}}") == "solo"
        assert one(place, "diff", "solo").splitlines() == ["A /new", "A /ready"]
        place.write("in", "x")
        place.cntnr("cp", "in", "solo:/in").ok()
        image = one(place, "commit", identity[:8], "me/solo")
        config = json.loads(one(place, "inspect", "--type", "image", image))[0]["Config"]
        assert "COLOUR=red" in config["Env"]
        assert (config["WorkingDir"], config["Labels"]) == ("/tmp", {"tier": "front"})
        events = one(place, "events", "--since", "5m", "--until", "0s", "--filter", "container=solo",
                     "--format", "{{.Action}}").split("\n")  # fmt: skip
        assert events[:2] == ["create", "start"]
        assert "health_status: healthy" in events
        place.cntnr("stop", "solo").ok()
        assert one(place, "diff", "solo").splitlines() == ["A /in", "A /new", "A /ready"]
        place.cntnr("cp", "solo:/new", "out").ok()
        # Of the same files it may be the same image.
        assert one(place, "commit", "solo").startswith("sha256:")
    finally:
        remove(place, "solo")
        place.cntnr("rmi", "-f", "me/solo")
    place.cntnr("image", "prune", "-f").ok()


def check_details(described: Any, port: int) -> None:
    config, host = described["Config"], described["HostConfig"]
    assert (described["Name"], config["Hostname"], config["User"]) == ("/solo", "host1", "0")
    assert (config["StopSignal"], config["StopTimeout"], config["WorkingDir"]) == (
        "KILL",
        4,
        "/tmp",
    )
    assert config["Labels"] == {"tier": "front"}
    assert {"80/tcp", "70/tcp"} == set(config["ExposedPorts"])
    assert host["NetworkMode"] == "bridge"
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
    assert (host["Tmpfs"], host["Binds"]) == ({"/run/t": "size=1m"}, ["kept:/data"])
    assert (host["CapDrop"], host["Dns"], host["Init"]) == (["NET_RAW"], ["9.9.9.9"], True)
    assert host["ExtraHosts"] == ["far:10.9.8.7"]
    assert host["Ulimits"] == [{"Name": "nofile", "Hard": 100, "Soft": 99}]
    assert (host["Memory"], host["ShmSize"]) == (64 << 20, 1 << 20)
    assert host["Sysctls"] == {"net.ipv4.ip_forward": "0"}
    networks = described["NetworkSettings"]
    assert list(networks["Networks"]) == ["bridge"]
    assert networks["IPAddress"] == networks["Networks"]["bridge"]["IPAddress"] != ""
    assert networks["Gateway"] != ""
    assert networks["Ports"]["80/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": str(port)}]


def test_a_stopped_container_stays_so_while_its_files_are_copied(
    make_project: MakeProject, busybox_image: str
) -> None:
    place = make_project()
    place.cntnr("create", "--name", "still", busybox_image, "sleep", "1000").ok()
    try:
        # An archive that does not end keeps the copy going.
        copy = place.user.popen("sh", "-c", "sleep 2 | cntnr cp - still:/tmp", cwd=place.folder)
        time.sleep(1)
        begun = time.monotonic()
        place.cntnr("start", "still").ok()
        assert copy.wait(10) is not None
        assert time.monotonic() - begun > 0.5
        assert one(place, "inspect", "-f", "{{.State.Running}}", "still") == "true"
        pruned = place.cntnr("container", "prune", "-f").ok().stdout
        assert pruned == "Total reclaimed space: 0B\n"
        copy = place.user.popen("sh", "-c", "cntnr cp - still:/tmp", cwd=place.folder, stdin=-1)
        time.sleep(0.5)
        os.killpg(copy.pid, signal.SIGKILL)  # who holds it is gone
        copy.communicate()
        place.cntnr("kill", "still").ok()
    finally:
        remove(place, "still")
