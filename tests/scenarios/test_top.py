"""`top` shows the processes of containers, each under its own, with pids of the machine."""

from pathlib import Path

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until
from tests.scenarios.parts import kill_supervisor, supervisors

COLUMNS = ["SERVICE", "#", "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]


def top(project: Project, *services: str) -> list[dict[str, str]]:
    """Run `top`; return its rows by column."""
    shown = project.compose("top", *services).ok()
    assert shown.stderr == ""
    header, *lines = shown.stdout.splitlines() or [" ".join(COLUMNS)]
    assert header.split() == COLUMNS
    return [dict(zip(COLUMNS, line.split(maxsplit=9), strict=True)) for line in lines]


def commands(rows: list[dict[str, str]], service: str, number: str = "1") -> set[str]:
    return {row["CMD"] for row in rows if (row["SERVICE"], row["#"]) == (service, number)}


def test_processes_of_each_container_are_shown(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, stop_signal: KILL}}
        services:
          a: {{<<: *small, command: sleep 1001, scale: 2}}
          b: {{<<: *small, command: sh -c "sleep 1002 & sleep 1003; true", user: "70"}}
          c: {{<<: *small, command: sleep 1004, pid: "service:a", depends_on: [a]}}
          d: {{<<: *small, command: sleep 1005, pid: host}}
          e: {{<<: *small, command: "true"}}
        """)
    assert top(project) == []
    project.up()
    wait_until(lambda: len(commands(top(project), "b")) == 3)
    rows = top(project)
    assert commands(rows, "a") == commands(rows, "a", "2") == {"sleep 1001"}
    assert commands(rows, "b") == {
        "sh -c sleep 1002 & sleep 1003; true",
        "sleep 1002",
        "sleep 1003",
    }
    assert {row["UID"] for row in rows if row["SERVICE"] == "b"} == {"70"}
    assert {row["UID"] for row in rows if row["SERVICE"] != "b"} == {"root"}
    assert commands(rows, "c") == {"sleep 1004"}
    assert commands(rows, "d") == {"sleep 1005"}
    for row in rows:  # the pids are those of this machine
        line = Path(f"/proc/{row['PID']}/cmdline").read_bytes()
        assert line.rstrip(b"\0").replace(b"\0", b" ").decode() == row["CMD"]
    assert {row["SERVICE"] for row in top(project, "a", "e")} == {"a"}
    project.compose("stop", "a", "b", "c").ok()
    assert {row["SERVICE"] for row in top(project)} == {"d"}


def test_exec_and_one_offs_are_shown_and_hostile_names_do_no_harm(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          a: {{image: {busybox_image}, command: sleep 1001, stop_signal: KILL}}
        """)
    project.up()
    project.compose("run", "-d", "a", "sleep", "1002").ok()
    project.exec("a", "sh", "-c", "sleep 1003 >/dev/null 2>&1 </dev/null &").ok()
    program = "sh -c 'sleep 1004; :' \"$(printf 'x\\033[2J\\nroot')\" >/dev/null 2>&1 </dev/null &"
    project.exec("a", "sh", "-c", program).ok()
    shown = "sh -c sleep 1004; : x?[2J?root"
    wait_until(lambda: {shown, "sleep 1004"} < commands(top(project), "a"))
    rows = top(project)
    assert commands(rows, "a") == {"sleep 1001", "sleep 1003", "sleep 1004", shown}
    assert commands(rows, "a", "-") == {"sleep 1002"}
    assert len({row["PID"] for row in rows}) == len(rows) == 5


def test_no_supervisor_is_needed(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, command: sleep 1001, stop_signal: KILL}}
        services:
          a: {{<<: *small, volumes: ["data:/data", /anonymous]}}
          b: {{<<: *small, volumes: ["more:/data"]}}
        volumes: {{data: , more: {{name: zz-own}}}}
        """)
    project.up()
    kill_supervisor(project)
    assert {row["SERVICE"] for row in top(project)} == {"a", "b"}
    names = [f"{project.name}_data", "zz-own"]
    shown = project.compose("volumes").ok().stdout.splitlines()
    assert [line.split() for line in shown] == [
        ["DRIVER", "VOLUME", "NAME"], *(["local", name] for name in names),
    ]  # fmt: skip
    assert project.compose("volumes", "-q", "a").ok().stdout.split() == names[:1]
    data, _ = project.compose("volumes", "--format", "json").ok().json_lines
    assert Path(data["Mountpoint"]).is_dir()
    assert f"com.docker.compose.project={project.name}" in data["Labels"].split(",")
    assert supervisors(project) == []
    project.compose("stop").ok()
    assert top(project) == []
    assert project.compose("volumes", "-q").ok().stdout.split() == names
    project.down("-v")
    assert project.compose("volumes", "-q").ok().stdout == ""
