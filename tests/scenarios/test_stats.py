"""`stats` shows what containers use: processor, memory, network, disks."""

import re

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, wait_until
from tests.scenarios.terminal import Terminal

HEADER = "CONTAINER ID NAME CPU % MEM USAGE / LIMIT MEM % NET I/O BLOCK I/O PIDS"
NOTHING = {
    "BlockIO": "0B / 0B", "CPUPerc": "0.00%", "MemPerc": "0.00%", "MemUsage": "0B / 0B",
    "NetIO": "0B / 0B", "PIDs": "0",
}  # fmt: skip


def stats(project: Project, *words: str) -> dict[str, dict[str, str]]:
    """Run `stats --no-stream`; return its rows by service."""
    shown = project.compose("stats", "--no-stream", "--format", "json", *words).ok()
    return {row["Name"].split("-")[-2]: row for row in shown.json_lines}


def cpu(row: dict[str, str]) -> float:
    return float(row["CPUPerc"].rstrip("%"))


def mebibytes(row: dict[str, str]) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([KMG]iB) / .*", row["MemUsage"]).groups()  # type: ignore[union-attr]
    return float(number) * {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}[unit]


def test_usage_is_told_of_each_container(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, stop_signal: KILL}}
        services:
          busy: {{<<: *small, command: sh -c "while :; do :; done"}}
          children: {{<<: *small, command: sh -c "while :; do true | true; done"}}
          large: {{<<: *small, command: sh -c "(head -c 40m /dev/zero; sleep 1000) | tail -c 40m"}}
          idle: {{<<: *small, command: sh -c "sleep 1001 & sleep 1002", networks: [default, other]}}
          host: {{<<: *small, command: sleep 1003, network_mode: host}}
          ended: {{<<: *small, command: "true"}}
        networks: {{other: }}
        """)
    assert stats(project) == {}
    project.up()
    wait_until(lambda: "exited" in project.compose("ps", "-a", "ended").stdout.lower())
    wait_until(
        lambda: stats(project)["idle"]["PIDs"] == "2" and mebibytes(stats(project)["large"]) > 35
    )
    project.exec("idle", "ping", "-c", "3", "-i", "0.1", "busy").ok()
    rows = stats(project)
    assert rows.keys() == {"busy", "children", "large", "idle", "host"}
    assert cpu(rows["busy"]) > 5
    assert cpu(rows["children"]) > 5  # what its children used that have ended
    assert cpu(rows["idle"]) < 5
    assert mebibytes(rows["idle"]) < 20
    assert rows["idle"]["NetIO"] != "0B / 0B"
    assert rows["host"]["NetIO"] == "0B / 0B"
    assert len(rows["idle"]["ID"]) == 12
    assert rows["idle"]["Container"].startswith(rows["idle"]["ID"])

    every = stats(project, "--all")
    assert {key: every["ended"][key] for key in NOTHING} == NOTHING
    assert stats(project, "-a", "ended").keys() == {"ended"}
    assert stats(project, "ended") == {}
    assert stats(project, "idle", "host").keys() == {"idle", "host"}
    whole = stats(project, "--no-trunc", "idle")["idle"]
    assert whole["ID"] == whole["Container"]
    assert_refused(project.compose("stats", "--no-stream", "nothing"), "no such service: nothing")
    assert_refused(project.compose("stats", "--no-stream", "--format", "{{.Nothing}}"), "Nothing")

    table = project.compose("stats", "--no-stream", "idle").ok().stdout.splitlines()
    assert " ".join(table[0].split()) == HEADER
    assert len(table) == 2
    shown = project.compose("stats", "--dry-run", "--no-stream", "--format", "{{.Name}}", "idle")
    assert shown.ok().stdout == f"{rows['idle']['Name']}\n"
    chosen = project.compose(
        "stats", "--no-stream", "--format", "table {{.Name}}\t{{.PIDs}}", "idle"
    )
    assert [line.split() for line in chosen.ok().stdout.splitlines()] == [
        ["NAME", "PIDS"],
        [rows["idle"]["Name"], "2"],
    ]


def test_a_terminal_shows_what_is_used_again_and_again(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          a: {{image: {busybox_image}, command: sleep 1001, stop_signal: KILL}}
          b: {{image: {busybox_image}, command: sleep 1002, stop_signal: KILL}}
        """)
    project.up("a")
    with Terminal(project, "cntnr", "compose", "stats") as terminal:
        assert "\x1b[H" in terminal.sees("-a-1")
        project.up("b")
        terminal.sees("-b-1")
        terminal.type("\x03")
        assert terminal.ends() == 130
    assert "Traceback" not in terminal.shown
    lines = project.user.popen(
        "timeout", "-s", "INT", "2.5", "cntnr", "compose", "stats", "--format", "{{.Name}}",
        cwd=project.folder, stdout=-1, stderr=-1,
    ).communicate()[0].splitlines()  # fmt: skip
    assert len(lines) in (2, 4, 6)
    assert "\x1b" not in "".join(lines)
