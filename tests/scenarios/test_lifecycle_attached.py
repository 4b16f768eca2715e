"""Attached `up`: what is shown, Ctrl-C once and twice, and the status it ends with."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until
from tests.scenarios.registry import Registry, make_image
from tests.scenarios.terminal import Terminal

pytestmark = pytest.mark.runtimes


@contextmanager
def attached(project: Project, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Run an attached `up` with its output in pipes; kill it after the block."""
    pipe = subprocess.PIPE
    process = project.user.popen(
        "cntnr", "compose", "up", *words, cwd=project.folder, stdout=pipe, stderr=pipe
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def runs(project: Project, *services: str) -> None:
    names = {f"{project.name}-{name}-1" for name in services}
    wait_until(
        lambda: all(project.states().get(name) == "running" for name in names), what=f"{names} run"
    )


def test_output_is_prefixed_and_streams_are_kept_apart(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}}}
        services:
          a: {{<<: *small, command: ["sh", "-c", "echo out; echo err >&2; exit 3"]}}
          longer: {{<<: *small, command: ["printf", "two\\nlines, the last without end"]}}
          named: {{<<: *small, container_name: own-name, command: echo named}}
          silent: {{<<: *small, attach: false, command: echo silent}}
        """)
    up = project.compose("up").ok()
    out = up.stdout.splitlines()
    assert out[0] == "Attaching to own-name, a-1, longer-1"
    assert sorted(out[1:]) == sorted(
        [
            "a-1       | out",
            "longer-1  | two",
            "longer-1  | lines, the last without end",
            "own-name  | named",
            "a-1 exited with code 3",
            "longer-1 exited with code 0",
            "own-name exited with code 0",
        ]
    )
    assert "a-1       | err" in up.stderr.splitlines()
    assert "\x1b" not in up.stdout + up.stderr

    again = project.compose("up", "--no-log-prefix", "--no-attach", "longer").ok()
    assert "out" in again.stdout.splitlines()
    assert "lines" not in again.stdout
    stamped = project.compose("up", "-t", "1", "--timestamps", "--attach", "longer").ok().stdout
    assert re.search(
        r"^longer-1  \| \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z two$", stamped, re.MULTILINE
    )
    assert "named" not in stamped.replace("own-name", "")
    only = project.compose("up", "a").ok().stdout
    assert only.splitlines()[0] == "Attaching to a-1"


def test_ctrl_c_stops_what_was_selected_and_shows_its_last_words(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-polite: &polite
          image: {busybox_image}
          command: ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.1; done"]
        services:
          web: {{<<: *polite, depends_on: [db]}}
          db: {{<<: *polite}}
        """)
    with attached(project, "web") as up:
        runs(project, "web", "db")
        wait_until(lambda: project.logs_count("hello") == 2)
        up.send_signal(signal.SIGINT)
        out, err = up.communicate(timeout=20)
    assert up.returncode == 130
    assert "web-1  | hello" in out
    assert "web-1  | bye" in out
    assert "Gracefully Stopping... press Ctrl+C again to force" in out + err
    assert project.states() == {
        f"{project.name}-web-1": "exited",
        f"{project.name}-db-1": "running",
    }

    with attached(project) as up:
        runs(project, "web", "db")
        up.terminate()
        out, err = up.communicate(timeout=20)
    assert up.returncode == 130
    assert set(project.states().values()) == {"exited"}


def test_second_ctrl_c_kills(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          deaf:
            image: {busybox_image}
            stop_grace_period: 2m
            command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]
        """)
    with attached(project) as up:
        runs(project, "deaf")
        begun = time.monotonic()
        up.send_signal(signal.SIGINT)
        assert up.stderr is not None
        wait_until(lambda: "Stopping" in up.stderr.readline(), what="it is being stopped", every=0)
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=20)
    assert up.returncode == 130
    assert time.monotonic() - begun < 15
    rows = project.ps()
    assert [(row["State"], row["ExitCode"]) for row in rows] == [("exited", 137)]


def test_containers_outlive_a_terminal_that_is_closed(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          one: {{image: {busybox_image}, init: true, command: sleep 1000}}
        """)
    with attached(project) as up:
        runs(project, "one")
        up.send_signal(signal.SIGHUP)
        up.communicate(timeout=20)
    assert up.returncode != 0
    assert set(project.states().values()) == {"running"}


def test_ctrl_c_while_something_is_waited_for(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          slow: {{<<: *small, healthcheck: {{test: "false", interval: 200ms, retries: 1000}}}}
          last: {{<<: *small, depends_on: {{slow: {{condition: service_healthy}}}}}}
        """)
    with attached(project) as up:
        runs(project, "slow")
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=20)
    assert up.returncode == 130
    assert project.states() == {
        f"{project.name}-slow-1": "exited",
        f"{project.name}-last-1": "created",
    }


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--abort-on-container-exit",), 0),  # the first to exit
        (("--abort-on-container-failure",), 3),
        (("--exit-code-from", "bad"), 3),
        (("--exit-code-from", "stays"), 143),  # the abort stops it
        (("--exit-code-from", "polite"), 9),
    ],
)
def test_one_exit_can_end_all(
    make_project: MakeProject, busybox_image: str, words: tuple[str, ...], status: int
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}}}
        services:
          good: {{<<: *small, command: sleep 0.1}}
          bad: {{<<: *small, command: ["sh", "-c", "sleep 0.6; exit 3"]}}
          stays: {{<<: *small, init: true, command: sleep 1000}}
          polite:
            <<: *small
            command: ["sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.1; done"]
        """)
    if words == ("--exit-code-from", "bad"):
        text = (project.folder / "compose.yaml").read_text()
        project.write(
            "compose.yaml", text.replace("command: sleep 0.1", "init: true, command: sleep 100")
        )
    ended = project.compose("up", *words)
    assert ended.returncode == status, str(ended)
    assert "Aborting on container exit..." in ended.stdout + ended.stderr
    assert set(project.states().values()) == {"exited"}


def test_contradictory_options_are_refused(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"services: {{one: {{image: {busybox_image}}}}}")
    for words in (
        ("-d", "--abort-on-container-exit"),
        ("--wait", "--abort-on-container-exit"),
        ("--force-recreate", "--no-recreate"),
        ("--always-recreate-deps", "--no-recreate"),
        ("--build", "--no-build"),
        ("-d", "--exit-code-from", "one"),
    ):
        refusal = project.compose("up", *words)
        assert refusal.returncode == 1, str(refusal)
        assert words[0] in refusal.stderr
        assert project.states() == {}
    refusal = project.compose("up", "--exit-code-from", "two")
    assert (refusal.returncode, "no such service: two" in refusal.stderr) == (
        1,
        True,
    ), refusal


def test_runs_that_end_and_begin_again_are_shown(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          again:
            image: {busybox_image}
            restart: on-failure:2
            command: ["sh", "-c", "echo ran; exit 4"]
        """)
    out = project.compose("up").ok().stdout.splitlines()
    assert out.count("again-1  | ran") == 3
    assert out.count("again-1 exited with code 4") == 3


def test_what_others_start_meanwhile_is_shown_too(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-talk: &talk
          image: {busybox_image}
          init: true
          command: ["sh", "-c", "echo begins; exec sleep 1000"]
        services:
          web: {{<<: *talk, depends_on: [db]}}
          db: {{<<: *talk}}
          other: {{<<: *talk, profiles: [more]}}
        """)
    with attached(project, "--no-deps", "web") as up:
        runs(project, "web")
        assert set(project.states()) == {f"{project.name}-web-1"}
        project.up("--no-deps", "--scale", "web=2", "web")
        project.up("other")
        wait_until(lambda: project.logs_count("begins") == 3)
        project.compose("restart", "-t", "0", "web").ok()
        wait_until(lambda: project.logs_count("begins") == 5)
        project.up("--no-deps", "--force-recreate", "-t", "0", "web")
        wait_until(lambda: project.logs_count("begins") == 2)
        project.compose("stop", "-t", "0", "web").ok()
        out, _ = up.communicate(timeout=15)  # nothing of what it brought up runs any more
    project.compose("--profile", "*", "down", "-t", "0").ok()
    assert up.returncode == 0
    lines = out.splitlines()
    assert [lines.count(f"web-{number}  | begins") for number in (1, 2)] == [3, 2]
    assert lines.count("web-1 exited with code 137") == 3
    assert lines.count("web-1 exited with code 137") == 3
    assert "other" not in out


def test_on_a_terminal_prefixes_are_coloured_and_ctrl_c_is_typed(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-polite: &polite
          image: {busybox_image}
          command: ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.1; done"]
        services:
          one: {{<<: *polite}}
          two: {{<<: *polite}}
        """)
    with Terminal(project, "cntnr", "compose", "up") as terminal:
        shown = terminal.sees("hello") + terminal.sees("hello")
        for code in (36, 33):
            assert f"\x1b[{code}m" in shown
        assert re.search(r"\x1b\[3\dm(one|two)-1  \|\x1b\[0m hello", shown)
        terminal.type("\x03")
        terminal.sees("press Ctrl+C again to force")
        terminal.sees("bye")
        terminal.sees("bye")
        assert terminal.ends() == 130
    with Terminal(project, "cntnr", "compose", "up", env={"NO_COLOR": "1"}) as terminal:
        shown = terminal.sees("one-1  | hello")
        assert "\x1b[36m" not in shown
        terminal.type("\x03")
        assert terminal.ends() == 130


def test_on_a_terminal_nothing_is_redrawn_once_there_is_output(
    make_project: MakeProject, registry: Registry
) -> None:
    images = [f"drawn/{name}:1" for name in ("one", "two", "three")]
    registry.push(make_image("busybox"), "busybox", *images)
    services = "\n".join(
        f"  s{number}: {{image: '{image}', command: ['sh', '-c', 'echo hello; sleep 1; echo bye']}}"
        for number, image in enumerate(images)
    )
    project = make_project(f"services:\n{services}\n")
    with Terminal(project, "cntnr", "compose", "up") as terminal:
        shown = terminal.sees("Attaching to")
        assert all(image in shown for image in images)
        assert terminal.ends() == 0
        logs = terminal.shown
    assert (logs.count("hello"), logs.count("bye")) == (3, 3)
    assert "[+]" not in logs
    moves = [one for one in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]", logs) if one[-1] not in "mK"]
    assert moves == []  # the cursor stays below what was written


def test_a_line_that_never_ends_is_shown_before_its_container_ends(
    make_project: MakeProject, busybox_image: str
) -> None:
    size = 40_000_000
    project = make_project(f"""
        services:
          web: {{image: {busybox_image}, command: sh -c 'echo first; head -c {size} /dev/zero; exit 4'}}
        """)
    lines = project.compose("up", timeout=100).stdout.splitlines()
    assert next(line for line in lines if line.startswith("web-1")) == "web-1  | first"
    assert [len(line) for line in lines if "\0" in line] == [len("web-1  | ") + size]
    assert lines[-1] == "web-1 exited with code 4"
