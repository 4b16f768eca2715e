"""`run` and `exec`: one command in a container of its own, or in one that runs."""

import json
import re
import shutil
import signal
import subprocess

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, free_port, http_answers, wait_until
from tests.scenarios.terminal import Terminal

pytestmark = pytest.mark.runtimes


def oneoffs(project: Project) -> list[str]:
    """List the names of the remaining one-off containers."""
    folder = project.user.data / "containers" / project.name
    records = [json.loads(path.read_text()) for path in folder.glob("*/record.json")]
    return [record["name"] for record in records if record.get("oneoff")]


def test_run_gives_the_exit_code_and_keeps_streams_apart(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          tool:
            image: {busybox_image}
            command: ["sh", "-c", "echo own words"]
            restart: always
            environment: {{WORD: service, KEPT: "yes"}}
            ports: ["80"]
        """)
    own = project.compose("run", "--rm", "tool").ok()
    assert own.stdout == "own words\n"
    mixed = project.compose("run", "--rm", "tool", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (mixed.returncode, mixed.stdout) == (7, "out\n")
    assert "err" in mixed.stderr.splitlines()
    assert project.compose("run", "--rm", "tool", "no-such-program").returncode == 127
    denied = project.compose("run", "--rm", "tool", "/etc/passwd")
    assert denied.returncode == 126
    assert "permission denied" in denied.stderr
    assert oneoffs(project) == []

    kept = project.compose("run", "--name", "mine", "tool", "false")
    assert kept.returncode == 1
    project.compose("run", "-q", "tool", "true").ok()
    names = sorted(oneoffs(project))
    assert names[0] == "mine"
    assert re.fullmatch(rf"{project.name}-tool-run-[0-9a-f]{{12}}", names[1])
    again = project.compose("run", "--name", "mine", "tool", "true")
    assert again.returncode == 1
    assert (
        f"cannot create container mine: project {project.name} has one of that name" in again.stderr
    )
    labels = next(row["Labels"] for row in project.ps("-a") if row["Name"] == "mine")
    assert "com.docker.compose.oneoff=True" in labels
    project.compose("down", "--remove-orphans").ok()
    assert oneoffs(project) == []


def test_run_changes_what_options_ask_for(make_project: MakeProject, busybox_image: str) -> None:
    port = free_port()
    project = make_project(
        f"""
        services:
          tool:
            image: {busybox_image}
            init: true
            entrypoint: ["echo", "entry"]
            command: ["own"]
            environment: {{WORD: service, KEPT: "yes"}}
            ports: ["127.0.0.1:{port}:8000"]
            user: nobody
            working_dir: /tmp
            secrets: [word]
          other: {{image: {busybox_image}, volumes: ["named:/named"]}}
        secrets: {{word: {{file: ./word.txt}}}}
        volumes: {{named: {{name: own-name}}}}
        """,
        files={
            "shared/file": "from outside\n",
            "more.env": "FILED=read\nWORD=filed\n",
            "word.txt": "sesame\n",
        },
    )

    def run(*words: str, **more: object) -> str:
        return project.compose("run", "--rm", *words, **more).ok().stdout

    assert run("tool") == "entry own\n"
    assert run("tool", "mine", "-x") == "entry mine -x\n"
    assert run("--entrypoint", "echo over", "tool") == "over\n"
    assert run("--entrypoint", "echo", "tool", "words") == "words\n"
    shell = ("--entrypoint", "sh -c")
    script = "echo $WORD $KEPT $PASSED $FILED"
    env = {"PASSED": "outside"}
    assert run(*shell, "tool", script, env=env) == "service yes\n"
    assert (
        run(*shell, "-e", "WORD=run", "-e", "PASSED", "tool", script, env=env)
        == "run yes outside\n"
    )
    assert run(*shell, "--env-from-file", "more.env", "tool", script) == "filed yes read\n"
    assert run(*shell, "tool", "id -u; pwd") == "65534\n/tmp\n"
    assert run(*shell, "-u", "1000:1001", "-w", "/made", "tool", "id -u; id -g; pwd") == (
        "1000\n1001\n/made\n"
    )
    assert run(*shell, "-v", "./shared:/in:ro", "tool", "cat /in/file") == "from outside\n"
    assert run(*shell, "-u", "root", "-v", "kept:/kept", "tool", "echo one >/kept/word") == ""
    assert run(*shell, "-v", "kept:/kept", "tool", "cat /kept/word") == "one\n"
    odd = project.compose("run", "--rm", "-v", "a/../../b:/kept", "tool")
    assert (odd.returncode, "a volume is one word" in odd.stderr) == (1, True), odd
    write = "cat /run/secrets/word; echo x >/kept/x"
    assert run(*shell, "-v", "named:/kept", "-u", "root", "tool", write) == "sesame\n"
    assert {path.name for path in (project.user.data / "volumes").iterdir()} == {"kept", "own-name"}
    assert run(
        *shell, "--cap-drop", "ALL", "-u", "0", "tool", "chown 1 /tmp || echo no 2>/dev/null"
    ) == ("no\n")

    def serve(*words: str) -> "subprocess.Popen[str]":
        command = "cd /tmp; echo page >index.html; echo ready; exec httpd -f -p 8000"
        argv = ("cntnr", "compose", "run", "--rm", *words, *shell, "tool", command)
        pipe = subprocess.PIPE
        return project.user.popen(*argv, cwd=project.folder, stdin=subprocess.DEVNULL, stdout=pipe)

    other = free_port()
    for words, at in ((("-P",), port), (("-p", f"{other}:8000"), other)):
        served = serve(*words)
        try:
            assert http_answers(f"http://127.0.0.1:{at}/index.html") == "page\n"
            assert served.stdout is not None
            assert served.stdout.readline() == "ready\n"
            served.terminate()  # is passed on
            assert served.wait(15) == 143
        finally:
            served.kill()
            served.communicate()
    # A volume that only `run` named is nobody's, so `down -v` leaves it.
    project.compose("down", "-v").ok()
    kept = project.user.data / "volumes/kept"
    assert [path.name for path in kept.parent.iterdir()] == ["kept"]
    shutil.rmtree(kept)
    both = project.compose("run", "-P", "-p", "1:1", "tool")
    assert (both.returncode, "--service-ports and --publish" in both.stderr) == (1, True), both
    assert oneoffs(project) == []


def test_run_reads_from_a_pipe_and_brings_dependencies_up(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, init: true}}
        services:
          tool: {{<<: *small, command: cat, depends_on: {{db: {{condition: service_healthy}}}}}}
          db:
            <<: *small
            command: ["sh", "-c", "sleep 0.3; touch /ok; exec httpd -f -p 80 -h /etc"]
            healthcheck: {{test: test -e /ok, interval: 100ms, retries: 100}}
        """)
    alone = project.compose("run", "--rm", "--no-deps", "tool", "echo", "alone").ok()
    assert alone.stdout == "alone\n"
    assert project.states() == {}
    piped = project.compose("run", "--rm", "-T", "tool", stdin="one\ntwo\n").ok()
    assert piped.stdout == "one\ntwo\n"
    assert project.states() == {f"{project.name}-db-1": "running"}
    assert project.compose("run", "--rm", "tool", stdin="untold\n").ok().stdout == "untold\n"
    big = "x" * 999 + "\n"
    counted = project.compose("run", "--rm", "tool", "wc", "-c", stdin=big * 3000).ok()
    assert counted.stdout.strip() == "3000000"
    long = project.compose("run", "--rm", "tool", "sh", "-c", "yes | head -n 200000").ok()
    assert long.stdout == "y\n" * 200000
    result = project.compose(
        "run", "--rm", "tool", "wget", "-q", "-O", "-", "http://db/hostname"
    ).ok()
    assert re.fullmatch("[0-9a-f]{12}\n", result.stdout)

    running = project.user.popen(
        "cntnr", "compose", "run", "--rm", "--name", "named", "tool", "sh", "-c",
        "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.1; done",
        cwd=project.folder, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert running.stdout is not None
    try:
        assert running.stdout.readline() == "ready\n"
        assert project.exec("db", "nslookup", "named").returncode == 0
        assert project.exec("db", "nslookup", "tool").returncode != 0  # only its own name
        running.send_signal(signal.SIGTERM)
        assert running.stdout.readline() == "got it\n"
        assert running.wait(15) == 9
    finally:
        running.kill()
        running.communicate()

    detached = project.compose("run", "-d", "--name", "behind", "tool", "sleep", "1000").ok()
    assert re.fullmatch("[0-9a-f]{64}\n", detached.stdout)
    assert "behind" in oneoffs(project)
    unknown = project.compose("run", "nothing")
    assert (unknown.returncode, "no such service: nothing" in unknown.stderr) == (1, True), unknown


def test_run_on_a_terminal_has_one(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"services: {{tool: {{image: {busybox_image}}}}}")
    with Terminal(project, "cntnr", "compose", "run", "--rm", "tool", size=(33, 101)) as terminal:
        terminal.sees("/ # ")
        terminal.type("stty size; echo $TERM\r")
        assert "33 101" in terminal.sees("xterm")
        terminal.resize(40, 90)
        terminal.type("sh -c 'echo be''gun; sleep 1000'\r")
        terminal.sees("begun")
        terminal.type("\x03")
        terminal.sees("/ # ")
        wait_until(lambda: resized(terminal), what="the container's terminal has our size")
        terminal.type("exit 6\r")
        assert terminal.ends() == 6
    without = project.compose("run", "--rm", "--tty", "tool", "true", stdin="x")
    assert (without.returncode, "not a TTY" in without.stderr) == (1, True), without
    with Terminal(
        project, "cntnr", "compose", "run", "--rm", "-T", "tool", "test", "-t", "0"
    ) as terminal:
        assert terminal.ends() == 1
    assert oneoffs(project) == []


def resized(terminal: Terminal) -> bool:
    terminal.sees("\x1b[6n")  # the end of a prompt: what is typed before it may be dropped
    terminal.type("stty size; echo asked\r")
    terminal.sees("asked")  # what was typed is shown
    return "40 90" in terminal.sees("asked")


def test_exec_runs_beside_the_first_process(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          main:
            image: {busybox_image}
            init: true
            scale: 2
            command: sleep 1000
            user: nobody
            working_dir: /tmp
            environment: {{WORD: service}}
            cap_drop: [CHOWN]
          down: {{image: {busybox_image}, command: "true"}}
        """)
    project.up()

    def run(*words: str, **more: object) -> tuple[int, str]:
        done = project.compose("exec", *words, **more)
        return done.returncode, done.stdout

    assert run("-T", "main", "sh", "-c", "echo $WORD; pwd; id -u; exit 9") == (
        9,
        "service\n/tmp\n65534\n",
    )
    assert run("main", "sh", "-c", "kill -TERM $$")[0] == 143
    assert run("main", "no-such-program")[0] == 127
    assert run("main", "/etc/passwd")[0] == 126
    options = ("-u", "root", "-w", "/etc", "-e", "WORD=mine", "-e", "PASSED")
    arguments = ("main", "sh", "-c", "id -u; pwd; echo $WORD $PASSED")
    assert run(*options, *arguments, env={"PASSED": "on"}) == (0, "0\n/etc\nmine on\n")
    assert run("-u", "12:34", "main", "sh", "-c", "id -u; id -g") == (0, "12\n34\n")
    assert run("main", "cat", stdin="piped\n") == (0, "piped\n")
    assert run("main", "wc", "-c", stdin="x" * 300_000)[1].strip() == "300000"
    ids = {row["Name"].rsplit("-", 1)[1]: row["ID"] for row in project.ps("main")}
    assert run("main", "hostname") == (0, f"{ids['1']}\n")
    assert run("--index", "2", "main", "hostname") == (0, f"{ids['2']}\n")
    assert run("-u", "root", "main", "chown", "1", "/tmp")[0] == 1
    assert run("--privileged", "main", "chown", "1", "/tmp")[0] in (0, 1)
    assert run("-d", "main", "sh", "-c", "sleep 0.2; echo x >/tmp/behind") == (0, "")
    wait_until(lambda: run("main", "cat", "/tmp/behind") == (0, "x\n"), what="it was done behind")
    both = project.compose("exec", "main", "sh", "-c", "echo out; echo err >&2").ok()
    assert (both.stdout, both.stderr) == ("out\n", "err\n")
    for words, message in (
        (("down", "true"), 'service "down" is not running'),
        (("nothing", "true"), 'service "nothing" is not running'),
        (("--index", "3", "main", "true"), "main"),
        (("-u", "ghost", "main", "true"), "unable to find user ghost"),
        (("-w", "relative", "main", "true"), "needs to be an absolute path"),
    ):
        failed = project.compose("exec", *words)
        assert (failed.returncode, message in failed.stderr) == (1, True), failed


def test_exec_on_a_terminal_has_one(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          main: {{image: {busybox_image}, init: true, command: sleep 1000}}
        """)
    project.up()
    with Terminal(project, "cntnr", "compose", "exec", "main", "sh", size=(33, 101)) as terminal:
        terminal.sees("/ # ")
        terminal.type("stty size; echo $TERM\r")
        assert "33 101" in terminal.sees("xterm")
        terminal.type("sh -c 'echo be''gun; sleep 1000'\r")
        terminal.sees("begun")
        terminal.type("\x03")
        terminal.sees("/ # ")
        terminal.resize(40, 90)
        wait_until(lambda: resized(terminal), what="the container's terminal has our size")
        terminal.type("exit 6\r")
        assert terminal.ends() == 6
    with Terminal(project, "cntnr", "compose", "exec", "-T", "main", "test", "-t", "0") as terminal:
        assert terminal.ends() == 1
    for ended in ("cat", "sh"):  # closing the terminal ends what ran on it
        with Terminal(project, "cntnr", "compose", "exec", "main", ended) as terminal:
            terminal.type("\r")
            terminal.sees("\n")
    wait_until(
        lambda: project.exec("main", "ps", "-o", "args").stdout.count("\n") <= 4,
        what="nothing is left of those",
    )
