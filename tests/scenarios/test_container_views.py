"""What `cntnr ps`, `inspect`, `port`, `top`, `stats`, `diff`, `export` and `events` show of any container."""

import contextlib
import json
import re
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, assert_refused, free_port, wait_until
from tests.scenarios.parts import kill_supervisor

STACK = """
services:
  web:
    image: {image}
    command:
      [sh, -c, 'echo new >/new; rm /bin/yes; mkdir -m 750 /made; : >"/made/$$(printf "x\\033[2J\\ny")";
       chmod 700 /usr; touch /ready; sleep 1000']
    environment: {{COLOUR: red}}
    labels: {{tier: front, "a.b-c": d}}
    ports: ["127.0.0.1:{port}:80", "127.0.0.1:{other}:53/udp"]
    expose: ["70"]
    volumes: ["data:/data", "./conf:/conf:ro", /anonymous]
    tmpfs: [/run/t]
    configs: [settings]
    stop_signal: KILL
    stop_grace_period: 5s
    restart: on-failure:3
    networks: {{one: {{aliases: [webby]}}}}
    healthcheck: {{test: test -e /ready, interval: 1s, start_period: 9s, start_interval: 100ms}}
  off: {{image: {image}, command: sh -c 'exit 3', networks: [one]}}
  alone: {{image: {image}, command: sleep 1000, stop_signal: KILL, network_mode: host}}
networks: {{one: }}
volumes: {{data: }}
configs: {{settings: {{content: secret}}}}
"""


def cntnr(user: User, *words: str, **more: Any) -> Result:
    return user.run("cntnr", *words, **more)


def lines(user: User, *words: str) -> list[str]:
    return cntnr(user, *words).ok().stdout.splitlines()


def is_same_with_format(user: User, *flags: str) -> bool:
    """Check that `ps` prints the same in its own format, which the ordinary command answers."""
    return lines(user, "ps", *flags) == lines(user, "ps", *flags, "--format", "table")


@pytest.fixture
def stack(make_project: MakeProject, busybox_image: str) -> Project:
    ports = {"port": free_port(), "other": free_port()}
    project = make_project(STACK.format(image=busybox_image, **ports), name="shop")
    (project.folder / "conf").mkdir()
    project.user.own(project.folder)
    project.up("--wait", "web")
    project.up("off", "alone")
    wait_until(lambda: project.states()["shop-off-1"] == "exited")
    return project


def test_ps_lists_containers_as_docker_does(stack: Project, make_project: MakeProject) -> None:
    user = stack.user
    other = make_project("services: {x: {image: busybox, command: 'true'}}", name="other")
    other.compose("create").ok()
    header, *rows = lines(user, "ps")
    assert re.split(r" {2,}", header) == [
        "CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES",
    ]  # fmt: skip
    assert {row.split()[-1] for row in rows} == {"shop-web-1", "shop-alone-1"}
    web = next(row for row in rows if row.endswith("shop-web-1"))
    cells = re.split(r" {2,}", web)
    assert re.fullmatch("[0-9a-f]{12}", cells[0])
    assert cells[1:3] == ["busybox:latest", '"sh -c \'echo new >/n…"']
    assert cells[4].startswith("Up ")
    assert cells[4].endswith("(healthy)")
    assert "70/tcp, 127.0.0.1:" in cells[5]
    for flags in ((), ("-a",), ("-n", "2"), ("-a", "--no-trunc")):
        # The ordinary command prints the same, but for the second that may pass in between.
        wait_until(lambda: is_same_with_format(user, *flags), what=f"ps {flags} is the same")  # noqa: B023
    every = lines(user, "container", "ls", "-a", "--format", "{{.Names}}|{{.State}}")
    assert every[0] == "other-x-1|created"  # the newest first
    assert set(every[1:]) == {"shop-web-1|running", "shop-off-1|exited", "shop-alone-1|running"}

    ids = dict(
        line.split()
        for line in lines(user, "ps", "-a", "--no-trunc", "--format", "{{.Names}} {{.ID}}")
    )
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in ids.values())
    for verb in (("ps",), ("container", "ls")):
        assert lines(user, *verb, "-a", "-q", "--no-trunc")[0] == ids["other-x-1"]
        assert lines(user, *verb, "--last", "1", "--quiet") == [ids["other-x-1"][:12]]
        assert lines(user, *verb, "-l", "-q", "-f", "name=x") == [ids["other-x-1"][:12]]
        assert "SIZE" in lines(user, *verb, "-s")[0]
    assert lines(user, "container", "list", "-n", "1", "-q") == [ids["other-x-1"][:12]]
    labelled = 'table {{.Names}}	{{.Label "com.docker.compose.service"}}'
    shown = lines(user, "ps", "--latest", "--format", labelled)
    assert shown == ["NAMES       service", "other-x-1   x"]
    assert (
        lines(user, "ps", "--format", '{{.Names}} {{.Label "tier"}}').count("shop-web-1 front") == 1
    )
    sized = lines(user, "container", "ps", "--size", "--format", "{{.Names}} {{.Size}}")
    assert any(re.fullmatch(r"shop-web-1 4B \(virtual [\d.]+MB\)", line) for line in sized), sized
    row = json.loads(lines(user, "ps", "--format", "json", "--filter", "name=web")[0])
    assert list(row) == [
        "Command", "CreatedAt", "ID", "Image", "Labels", "LocalVolumes", "Mounts", "Names", "Networks",
        "Platform", "Ports", "RunningFor", "Size", "State", "Status",
    ]  # fmt: skip
    assert (row["Networks"], row["LocalVolumes"], row["State"]) == ("shop_one", "2", "running")

    def names(*filters: str) -> list[str]:
        words = [word for each in filters for word in ("--filter", each)]
        return sorted(lines(user, "ps", "-a", "--format", "{{.Names}}", *words))

    short = ids["shop-web-1"][:12]
    port = stack.published("web", 80).rpartition(":")[2]
    for filters, expected in (
        (("status=exited",), ["shop-off-1"]),
        (("status=exited", "status=created"), ["other-x-1", "shop-off-1"]),
        (("exited=3",), ["shop-off-1"]),
        (("exited=0",), []),
        (("name=^shop-w",), ["shop-web-1"]),
        (("name=/shop-web",), ["shop-web-1"]),
        ((f"id={short}",), ["shop-web-1"]),
        (("label=tier=front", "label=a.b-c"), ["shop-web-1"]),
        (("label=tier=back",), []),
        (("health=healthy",), ["shop-web-1"]),
        (("health=none", "name=shop"), ["shop-alone-1", "shop-off-1"]),
        (("network=shop_one",), ["shop-off-1", "shop-web-1"]),
        (("network=host",), ["shop-alone-1"]),
        (("volume=shop_data",), ["shop-web-1"]),
        (("volume=/conf",), ["shop-web-1"]),
        ((f"publish={port}",), ["shop-web-1"]),
        ((f"publish={port}/udp",), []),
        (("expose=70-80/tcp",), ["shop-web-1"]),
        (("ancestor=busybox", "name=web"), ["shop-web-1"]),
        (("ancestor=nosuch",), []),
        (("since=shop-web-1", "name=shop"), ["shop-alone-1", "shop-off-1"]),
        ((f"before={ids['shop-off-1'][:20]}", "status=running", "name=web"), ["shop-web-1"]),
        (("is-task=true",), []),
        (("isolation=default",), []),
    ):
        assert names(*filters) == expected, filters
    assert lines(user, "ps", "-q", "-f", "status=exited") == [ids["shop-off-1"][:12]]
    for text, hint in (
        ("foo=bar", "names are ancestor"),
        ("status=bad", "it can be created"),
        ("name", "filters are NAME=VALUE"),
        ("exited=x", "an exit code"),
        ("publish=x", "PORT[-PORT]"),
        ("health=ill", "it can be none"),
    ):
        assert_refused(cntnr(user, "ps", "--filter", text), "invalid filter", hint)
    assert_refused(cntnr(user, "ps", "--filter", "since=nosuch"), "No such container: nosuch")
    assert_refused(cntnr(user, "ps", "--format", "{{.Foo}}"), 'no field "Foo"')
    assert_refused(cntnr(user, "ps", "--format", "x"), "unsupported format")
    config = user.home / ".docker/config.json"
    config.parent.mkdir(exist_ok=True)
    config.write_text(json.dumps({"psFormat": "{{.Names}}!"}))
    user.own(config.parent)
    assert "shop-web-1!" in lines(user, "ps")
    config.unlink()


def test_inspect_describes_containers_images_networks_and_volumes(
    stack: Project, make_project: MakeProject
) -> None:
    user = stack.user
    [web] = cntnr(user, "inspect", "shop-web-1").ok().json
    assert (web["Name"], web["Path"], web["Args"][0]) == ("/shop-web-1", "sh", "-c")
    state = web["State"]
    assert (state["Status"], state["Running"], state["Paused"]) == ("running", True, False)
    assert b"sleep" in Path(f"/proc/{state['Pid']}/cmdline").read_bytes()
    assert state["Health"]["Status"] == "healthy"
    assert state["Health"]["Log"][-1]["ExitCode"] == 0
    assert state["FinishedAt"] == "0001-01-01T00:00:00Z"
    assert web["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert web["HostConfig"]["NetworkMode"] == "shop_one"
    assert web["HostConfig"]["Binds"] == ["shop_data:/data", f"{stack.folder}/conf:/conf:ro"]
    assert web["HostConfig"]["Tmpfs"] == {"/run/t": ""}
    mounts = {mount["Destination"]: mount for mount in web["Mounts"]}
    assert set(mounts) == {"/data", "/conf", "/anonymous"}
    assert (mounts["/data"]["Name"], mounts["/data"]["RW"]) == ("shop_data", True)
    assert Path(mounts["/data"]["Source"]).is_dir()
    assert (mounts["/conf"]["Type"], mounts["/conf"]["RW"]) == ("bind", False)
    config = web["Config"]
    assert "COLOUR=red" in config["Env"]
    assert (config["Image"], config["Labels"]["tier"]) == ("busybox:latest", "front")
    assert set(config["ExposedPorts"]) == {"53/udp", "70/tcp", "80/tcp"}
    assert (config["StopSignal"], config["StopTimeout"]) == ("KILL", 5)
    assert config["Healthcheck"]["Interval"] == 1_000_000_000
    network = web["NetworkSettings"]["Networks"]["shop_one"]
    assert {"shop-web-1", "web", "webby"} <= set(network["Aliases"])
    address = stack.exec("web", "hostname", "-i").ok().stdout.strip()
    assert network["IPAddress"] == address
    [described] = cntnr(user, "network", "inspect", "shop_one").ok().json
    assert network["NetworkID"] == described["Id"]
    endpoint = described["Containers"][web["Id"]]
    assert network["EndpointID"] == endpoint["EndpointID"]
    assert network["MacAddress"] == endpoint["MacAddress"] != ""
    ports = web["NetworkSettings"]["Ports"]
    assert ports["70/tcp"] is None
    assert ports["80/tcp"][0]["HostIp"] == "127.0.0.1"
    assert Path(web["LogPath"]).exists()
    assert Path(web["HostsPath"]).read_text().count(address) == 1

    template = (
        "{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}} {{json .NetworkSettings.Ports}}"
    )
    assert lines(user, "container", "inspect", "-f", template, web["Id"][:12])[0].startswith(
        "running 0 "
    )
    assert lines(user, "inspect", "--format", template, "/shop-off-1") == ["exited 3 0 {}"]
    [off] = cntnr(user, "container", "inspect", "--size", "shop-off-1").ok().json
    assert (off["SizeRw"], off["SizeRootFs"] > 100_000) == (0, True)
    assert off["NetworkSettings"]["Networks"]["shop_one"]["IPAddress"] == ""
    assert off["State"]["FinishedAt"] > off["State"]["StartedAt"] > off["Created"]
    [alone] = cntnr(user, "inspect", "-s", "shop-alone-1").ok().json
    assert list(alone["NetworkSettings"]["Networks"]) == ["host"]
    assert "SizeRw" in alone

    assert lines(user, "inspect", "-f", "{{.Id}}", "busybox") == [web["Image"]]
    assert lines(user, "inspect", "-f", "{{.Driver}}", "shop_one", "shop_data") == [
        "bridge",
        "local",
    ]
    image = lines(user, "inspect", "--type", "image", "-f", "{{.Id}}", "busybox")
    assert image == [web["Image"]]
    gone = cntnr(user, "inspect", "nosuch", "shop-web-1", "-f", "{{.Name}}")
    assert (gone.returncode, gone.stdout) == (1, "/shop-web-1\n")
    assert "error: No such object: nosuch\n" in gone.stderr
    absent = cntnr(user, "inspect", "--type", "volume", "shop-web-1")
    assert (absent.returncode, absent.stdout) == (1, "[]\n")
    assert cntnr(user, "inspect", "--type", "foo", "x").returncode != 0
    assert cntnr(user, "container", "inspect", "nosuch").stdout == "[]\n"


def test_ports_processes_and_usage_of_a_container(stack: Project) -> None:
    user = stack.user
    tcp, udp = (stack.compose("port", *words, "web", port).ok().stdout.strip()
                for words, port in (((), "80"), (("--protocol", "udp"), "53")))  # fmt: skip
    assert lines(user, "port", "shop-web-1") == [f"53/udp -> {udp}", f"80/tcp -> {tcp}"]
    assert lines(user, "container", "port", "shop-web-1", "80") == [tcp]
    assert lines(user, "port", "shop-web-1", "53/udp") == [udp]
    assert lines(user, "port", "shop-off-1") == []
    assert_refused(cntnr(user, "port", "shop-web-1", "81"), "No public port '81/tcp' published")
    assert_refused(cntnr(user, "port", "shop-web-1", "x"), "invalid port 'x'")
    assert_refused(cntnr(user, "port", "nosuch"), "No such container: nosuch")

    header, *rows = lines(user, "top", "shop-web-1")
    assert header.split() == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    assert [row.split(maxsplit=7)[7] for row in rows][-1] == "sleep 1000"
    header, *rows = lines(user, "container", "top", "shop-web-1", "-o", "pid,comm")
    assert header.split() == ["PID", "COMMAND"]
    assert [row.split()[1] for row in rows] == ["sleep"]
    assert_refused(cntnr(user, "top", "shop-web-1", "-eo", "comm"), "Couldn't find PID field")
    assert_refused(cntnr(user, "top", "shop-web-1", "--nosuch"), "error: ps: ")
    assert_refused(cntnr(user, "top", "shop-off-1"), "container shop-off-1 is not running")

    header, *rows = lines(user, "stats", "--no-stream")
    assert header.startswith("CONTAINER ID")
    assert {row.split()[1] for row in rows} == {"shop-web-1", "shop-alone-1"}
    for verb in (("stats",), ("container", "stats")):
        form = "{{.Name}} {{.PIDs}} {{.ID}}"
        rows = lines(user, *verb, "--no-stream", "-a", "--no-trunc", "--format", form)
        assert {"shop-off-1 0", "shop-web-1 1"} <= {row[:-65] for row in rows}
    [usage] = (
        cntnr(user, "stats", "--no-stream", "--no-trunc", "--format", "json", "shop-web-1")
        .ok()
        .json_lines
    )
    assert len(usage["ID"]) == 64
    assert_refused(cntnr(user, "stats", "--no-stream", "nosuch"), "No such container: nosuch")


def test_diff_and_export_show_what_a_container_changed(stack: Project) -> None:
    user = stack.user
    # Neither mount points nor folders that were copied up; names are made printable.
    expected = [
        "C /bin",
        "D /bin/yes",
        "A /made",
        "A /made/x�[2J�y",
        "A /new",
        "A /ready",
        "C /usr",
    ]
    assert lines(user, "diff", "shop-web-1") == expected
    assert lines(user, "container", "diff", "shop-off-1") == []
    stack.exec("web", "sh", "-c", "rm -r /home; mkdir /home; echo x >/home/x; echo >>/new").ok()
    stack.compose("stop", "web").ok()
    shown = lines(user, "diff", "shop-web-1")
    assert set(expected) <= set(shown)
    assert all(re.fullmatch("[ACD] /[^\x00-\x1f]*", line) for line in shown)
    assert_refused(cntnr(user, "diff", "nosuch"), "No such container: nosuch")

    path = stack.folder / "web.tar"
    cntnr(user, "container", "export", "-o", str(path), "shop-web-1").ok()
    with tarfile.open(path) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
    assert {"new", "made", "ready", "bin/sh"} <= names
    assert "bin/yes" not in names
    archived = user.popen("sh", "-c", "cntnr export shop-off-1 | tar -t", stdout=-1)
    assert "bin/yes" in archived.communicate()[0]
    assert_refused(
        cntnr(user, "export", "--output", "/nosuch/x", "shop-off-1"), "invalid output path"
    )


def test_events_of_all_projects_are_shown(make_project: MakeProject, busybox_image: str) -> None:
    service = (
        f"{{image: '{busybox_image}', command: sleep 1000, stop_signal: KILL, labels: {{k: v}}}}"
    )
    text = f"services: {{x: {service}}}"
    first, second = make_project(text, name="first"), make_project(text, name="second")
    user = first.user
    first.up()
    words = ("--format", "{{.Action}} {{.Actor.Attributes.name}}", "--filter", "type=container")
    stream = user.popen("cntnr", "events", *words, stdout=-1)
    assert stream.stdout is not None
    second.up()  # of a project that is new
    assert [stream.stdout.readline() for _ in range(2)] == [
        "create second-x-1\n",
        "start second-x-1\n",
    ]
    first.compose("kill", "x").ok()
    assert {stream.stdout.readline() for _ in range(2)} == {"kill first-x-1\n", "die first-x-1\n"}
    kill_supervisor(second)  # the next one tells what happens from then on
    second.compose("kill", "x").ok()
    assert {stream.stdout.readline() for _ in range(2)} == {"kill second-x-1\n", "die second-x-1\n"}
    stream.terminate()
    stream.communicate()

    def past(*words: str) -> list[str]:
        return lines(user, "events", "--since", "5m", "--until", "0s", *words)

    told = past("--filter", "type=container", "--filter", "type=network")
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)"
    pattern = rf"{moment} (?:container|network) (\S+) ([0-9a-f]{{64}}) \((.*)\)"
    matches = [re.fullmatch(pattern, line) for line in told]
    assert all(matches), told
    assert told == sorted(told)
    assert {match[2] for match in matches if match} >= {"create", "start", "kill", "die"}
    last = json.loads(past("--format", "json", "-f", "event=die")[-1])
    assert (last["status"], last["Actor"]["Attributes"]["exitCode"]) == ("die", "137")
    assert last["timeNano"] // 10**9 == last["time"]
    names = "{{.Actor.Attributes.name}} {{.Action}}"
    only = past("--format", names, "--filter", "container=second-x-1", "--filter", "type=container")
    assert set(only) == {
        "second-x-1 kill",
        "second-x-1 die",
    }  # of before its successor knows nothing
    assert past("--filter", "network=x") == past("--filter", "type=image") == []
    assert (
        len(past("--filter", "image=busybox", "--filter", "event=start", "--filter", "label=k=v"))
        == 1
    )
    assert_refused(cntnr(user, "events", "--filter", "foo=bar"), "invalid filter")
    assert_refused(cntnr(user, "events", "--since", "1m", "--until", "2m"), "cannot be after")


def test_events_of_networks_and_volumes_are_shown(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        services:
          x:
            image: '{busybox_image}'
            command: sleep 1000
            stop_signal: KILL
            volumes: ["vol:/v", /anonymous]
        volumes: {{vol: }}
        """
    project = make_project(text, name="resources")
    user, begun = project.user, str(time.time())

    def past(*words: str) -> list[str]:
        return lines(user, "events", "--since", begun, "--until", "0s", *words)

    for kind in ("network", "volume"):
        cntnr(user, kind, "create", "byhand").ok()
    words = ("--since", begun, "-f", "volume=byhand", "--format", "{{.Action}}")
    stream = user.popen("cntnr", "events", *words, stdout=-1)
    assert stream.stdout is not None
    assert stream.stdout.readline() == "create\n"
    project.up()
    for verb in ("connect", "disconnect"):
        cntnr(user, "network", verb, "byhand", "resources-x-1").ok()
    project.compose("restart", "-t", "0", "x").ok()
    project.compose("down", "-v", "-t", "0").ok()
    cntnr(user, "network", "rm", "byhand").ok()
    cntnr(user, "volume", "rm", "byhand").ok()
    assert stream.stdout.readline() == "destroy\n"
    stream.terminate()
    stream.communicate()
    networks = past("-f", "type=network", "--format", "{{.Action}} {{.Actor.Attributes.name}}")
    assert networks == [
        "create byhand", "create resources_default", "connect resources_default",
        "connect byhand", "disconnect byhand", "disconnect resources_default",
        "connect resources_default", "disconnect resources_default",
        "destroy resources_default", "destroy byhand",
    ]  # fmt: skip
    volumes = past("-f", "volume=resources_vol", "--format", "{{.Action}}{{.Status}}")
    assert volumes == ["create", "mount", "unmount", "mount", "unmount", "destroy"]
    every = past("-f", "type=volume", "-f", "event=destroy")
    assert len(every) == 3
    mount = json.loads(
        past("-f", "event=mount", "-f", "volume=resources_vol", "--format", "json")[0]
    )
    actor = mount["Actor"]
    assert (mount["Type"], actor["ID"], "id" in mount) == ("volume", "resources_vol", False)
    assert actor["Attributes"] | {"container": ""} == {
        "container": "", "destination": "/v", "driver": "local", "propagation": "", "read/write": "true"
    }  # fmt: skip
    assert past("-f", "container=resources-x-1", "-f", "type=volume") == []


def test_records_that_are_torn_or_of_others_are_passed_over(
    make_project: MakeProject, busybox_image: str
) -> None:
    service = f"{{image: '{busybox_image}', command: sleep 1000, stop_signal: KILL}}"
    project = make_project(f"services: {{x: {service}}}")
    project.up()
    user, name = project.user, f"{project.name}-x-1"
    folder = user.data / "containers" / project.name
    whole = next(folder.glob("*/record.json")).read_text()
    torn = {"0" * 64: whole[: len(whole) // 2], "1" * 64: whole, "2" * 64: '{"id": 7}'}
    for identity, text in torn.items():
        (folder / identity).mkdir()
        (folder / identity / "record.json").write_text(text)
        user.own(folder / identity)
    try:
        assert lines(user, "ps", "-a", "--format", "{{.Names}}") == [name]
        assert lines(user, "inspect", "-f", "{{.State.Status}}", name) == ["running"]
        assert_refused(cntnr(user, "diff", "0" * 64), "No such container")
        assert cntnr(user, "container", "prune", "-f").ok().stdout.startswith("Total")
    finally:
        for identity in torn:
            (folder / identity / "record.json").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (folder / identity).rmdir()
