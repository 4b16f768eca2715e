"""start, stop, restart, kill, rm; hooks; and what ps and logs tell."""

import json
import re
import signal
import subprocess

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, free_port, wait_until


def states(made: Project) -> dict[str, str]:
    return {row["Service"]: row["State"] for row in made.ps()}


def test_verbs_move_containers_between_states(project: MakeProject, busybox_image: str) -> None:
    made = project(f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          a: {{<<: *small, volumes: [/anonymous]}}
          b: {{<<: *small, depends_on: [a]}}
        """)
    early = made.compose("start", "a")
    assert early.returncode == 1
    assert 'service "a" has no container to start' in early.stderr
    assert made.compose("stop").returncode == 0
    made.compose("create").ok()
    assert states(made) == {"a": "created", "b": "created"}
    identities = {row["Service"]: row["ID"] for row in made.ps()}
    made.compose("start").ok()
    assert states(made) == {"a": "running", "b": "running"}
    made.compose("stop", "b").ok()
    assert states(made) == {"a": "running", "b": "exited"}
    made.compose("start", "b").ok()
    made.compose("restart", "-t", "1").ok()
    assert states(made) == {"a": "running", "b": "running"}
    made.compose("kill", "-s", "SIGTERM", "b").ok()
    wait_until(lambda: states(made)["b"] == "exited", what="b has ended of its signal")
    made.compose("kill").ok()
    wait_until(lambda: states(made) == {"a": "exited", "b": "exited"})
    assert {row["Service"]: row["ExitCode"] for row in made.ps()} == {"a": 137, "b": 143}
    assert {row["Service"]: row["ID"] for row in made.ps()} == identities

    made.compose("start", "a").ok()
    asked = made.compose("rm", stdin="n\n")
    assert "Going to remove" in asked.stdout + asked.stderr
    assert states(made) == {"a": "running", "b": "exited"}
    made.compose("rm", "-f").ok()
    assert states(made) == {"a": "running"}
    volumes = list((made.user.data / "volumes").iterdir())
    assert len(volumes) == 1
    made.compose("rm", "-f", "-s", "-v").ok()
    assert states(made) == {}
    assert list((made.user.data / "volumes").iterdir()) == []
    wrong = made.compose("restart", "nothing")
    assert (wrong.returncode, "no such service: nothing" in wrong.stderr) == (1, True), wrong


def test_verbs_work_without_the_file(project: MakeProject, busybox_image: str) -> None:
    made = project(f"""
        services:
          a: {{image: {busybox_image}, init: true, command: sh -c "echo said; exec sleep 1000"}}
        """)
    made.up()
    elsewhere = made.folder.parent

    def ask(*words: str) -> str:
        return made.compose("-p", made.name, *words, cwd=elsewhere).ok().stdout

    wait_until(lambda: "said" in ask("logs"))
    assert "a-1" in ask("ps")
    assert ask("exec", "-T", "a", "echo", "inside") == "inside\n"
    ask("stop", "-t", "0")
    ask("start")
    ask("restart", "-t", "0")
    assert states(made) == {"a": "running"}
    for verb in ("up", "config", "build", "pull"):
        missing = made.compose("-p", made.name, verb, cwd=elsewhere)
        assert missing.returncode == 1
        assert "no configuration file provided: not found" in missing.stderr
    ask("down", "-t", "0")
    assert made.ps() == []


def test_ps_tells_all_shapes(project: MakeProject, busybox_image: str) -> None:
    port = free_port()
    made = project(f"""
        services:
          web:
            image: {busybox_image}
            init: true
            command: ["sh", "-c", "exec sleep 1000"]
            ports: ["127.0.0.1:{port}:80"]
            expose: ["90"]
            labels: {{own.label: yes indeed}}
            volumes: ["data:/data", "./here:/here:ro"]
          done: {{image: {busybox_image}, command: sh -c "exit 3"}}
        volumes: {{data: }}
        """)
    made.up()
    wait_until(lambda: states(made) == {"web": "running", "done": "exited"})
    rows = {row["Service"]: row for row in made.ps()}
    web = rows["web"]
    labels = dict(pair.split("=", 1) for pair in web["Labels"].split(","))
    own = {name.removeprefix("com.docker.compose."): value for name, value in labels.items()}
    assert own["own.label"] == "yes indeed"
    assert {
        key: own[key]
        for key in ("project", "service", "container-number", "oneoff", "project.working_dir")
    } == {
        "project": made.name,
        "service": "web",
        "container-number": "1",
        "oneoff": "False",
        "project.working_dir": str(made.folder),
    }
    assert own["project.config_files"] == str(made.folder / "compose.yaml")
    assert re.fullmatch("[0-9a-f]{64}", own["config-hash"])
    assert own["image"].startswith("sha256:")
    assert web["Publishers"] == [
        {"URL": "127.0.0.1", "TargetPort": 80, "PublishedPort": port, "Protocol": "tcp"},
        {"URL": "", "TargetPort": 90, "PublishedPort": 0, "Protocol": "tcp"},
    ]
    assert web["Ports"] == f"90/tcp, 127.0.0.1:{port}->80/tcp"
    assert (web["State"], web["Health"], web["ExitCode"]) == ("running", "", 0)
    assert web["Command"] == '"sh -c \'exec sleep 1…"'
    assert web["Mounts"].split(",")[0] == f"{made.name}_data"[:15]
    assert (rows["done"]["State"], rows["done"]["ExitCode"]) == ("exited", 3)
    assert rows["done"]["Status"].startswith("Exited (3) ")

    def told(*words: str) -> list[str]:
        return made.compose("ps", *words).ok().stdout.splitlines()

    table = told()
    assert re.split(r"\s{2,}", table[0].strip()) == [
        "NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS",
    ]  # fmt: skip
    assert [line.split()[0] for line in table[1:]] == [f"{made.name}-web-1"]
    assert [line.split()[0] for line in told("-a")[1:]] == [
        f"{made.name}-done-1",
        f"{made.name}-web-1",
    ]
    assert told("-q") == [made_id(made, web)]
    assert told("--services") == ["web"]
    assert told("-a", "--services") == ["done", "web"]
    assert told("--format", "{{.Name}} {{.State}}") == [f"{made.name}-web-1 running"]
    assert told("-a", "--status", "exited", "-q") == [made_id(made, rows["done"])]
    assert told("--filter", "status=exited", "--services") == ["done"]
    assert [json.loads(line)["Service"] for line in told("--format", "json", "web")] == ["web"]
    wrong = made.compose("ps", "nothing")
    assert (wrong.returncode, "no such service: nothing" in wrong.stderr) == (1, True), wrong


def made_id(made: Project, row: dict[str, object]) -> str:
    """Give the whole id of a container, of which a row has the beginning."""
    folder = made.user.data / "containers" / made.name
    return next(path.name for path in folder.iterdir() if path.name.startswith(str(row["ID"])))


def test_logs_are_chosen_cut_and_followed(project: MakeProject, busybox_image: str) -> None:
    made = project(f"""
        services:
          many:
            image: {busybox_image}
            scale: 2
            init: true
            command:
              - sh
              - -c
              - |
                for i in 1 2 3 4 5; do echo line $$i; sleep 0.03; done; echo wrong >&2
                exec sleep 1000
          late:
            image: {busybox_image}
            command:
              - sh
              - -c
              - until test -e /go; do sleep 0.05; done; echo first; echo second; exit 5
        """)
    made.up()

    def told(*words: str) -> list[str]:
        return made.compose("logs", "--no-color", *words).ok().stdout.splitlines()

    wait_until(lambda: len(told("many")) == 10)
    # The last lines are those of both streams: one of them was written to the other.
    assert told("--tail", "3", "--index", "2", "many") == ["many-2  | line 4", "many-2  | line 5"]
    assert told("-n", "2", "--no-log-prefix", "--index", "1", "many") == ["line 5"]
    assert [line.split()[0] for line in told("--index", "2", "many")] == ["many-2"] * 5
    stamped = told("-t", "--index", "1", "many")
    moments = [line.split("| ")[1].split()[0] for line in stamped]
    assert moments == sorted(moments)
    assert told("--since", moments[2], "--until", moments[4], "--index", "1", "many")[:2] == [
        "many-1  | line 3",
        "many-1  | line 4",
    ]
    assert len(told("--since", "10m", "many")) == 10
    assert told("--until", "10m", "many") == []
    assert made.compose("logs", "many").stderr.count("wrong") == 2

    follow = made.user.popen(
        "cntnr",
        "compose",
        "logs",
        "-f",
        "--no-color",
        "late",
        cwd=made.folder,
        stdout=subprocess.PIPE,
    )
    try:
        made.exec("late", "touch", "/go").ok()
        out, _ = follow.communicate(timeout=15)
    finally:
        follow.kill()
    assert out.splitlines() == ["late-1  | first", "late-1  | second", "late-1 exited with code 5"]
    assert follow.returncode == 0

    follow = made.user.popen(
        "cntnr", "compose", "logs", "-f", "-n", "0", "many", cwd=made.folder, stdout=subprocess.PIPE
    )
    try:
        assert follow.stdout is not None
        made.up("--force-recreate", "-t", "0", "many")
        assert any("many-2  | line 5" in line for line in follow.stdout)
        made.up("late")  # is none of its business
        made.compose("stop", "-t", "0", "many").ok()
        follow.communicate(timeout=15)
    finally:
        follow.kill()
        follow.communicate()
    assert follow.returncode == 0
    made.up("many")  # else all have ended, and so does who follows them
    follow = made.user.popen(
        "cntnr", "compose", "logs", "-f", cwd=made.folder, stdout=subprocess.PIPE
    )
    assert follow.stdout is not None
    follow.stdout.readline()
    follow.send_signal(signal.SIGINT)
    follow.communicate(timeout=15)
    assert follow.returncode == 130


def test_hooks_run_after_the_start_and_before_the_stop(
    project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        services:
          main:
            image: {busybox_image}
            init: true
            command: ["sh", "-c", "echo begins; exec sleep 1000"]
            environment: {{WORD: service}}
            volumes: ["./out:/out"]
            post_start:
              - command: ["sh", "-c", "echo post $$WORD $$(id -u) $$PWD >>/out/said; touch /ready"]
              - command: sh -c 'echo second $$WORD $$(id -u) $$PWD >>/out/said'
                user: nobody
                working_dir: /tmp
                environment: [WORD=hook]
            pre_stop:
              - command: ["sh", "-c", "echo stop >>/out/said"]
          after:
            image: {busybox_image}
            init: true
            command: sleep 1000
            depends_on: [main]
            volumes: ["./out:/out"]
            post_start: [{{command: ["sh", "-c", "echo after >>/out/said"]}}]
        """
    made = project(text, files={"out/said": ""})
    (made.folder / "out/said").chmod(0o666)

    def said() -> list[str]:
        lines = (made.folder / "out/said").read_text().splitlines()
        made.write("out/said", "", mode=0o666)
        return lines

    started = ["post service 0 /", "second hook 65534 /tmp", "after"]
    made.up()
    assert said() == started
    made.compose("restart", "-t", "1", "main").ok()
    assert said() == ["stop", *started[:2]]
    made.compose("stop", "-t", "1").ok()
    assert said() == ["stop"]
    made.compose("start").ok()
    assert said() == started
    made.down()
    assert said() == ["stop"]

    made.write("compose.yaml", text.replace("touch /ready", "exit 4"))
    failed = made.compose("up", "-d")
    assert failed.returncode == 1
    assert f"post_start hook of container {made.name}-main-1 exited with code 4" in failed.stderr
    assert made.states()[f"{made.name}-after-1"] == "created"
    made.write("compose.yaml", text.replace("echo stop", "exit 5; echo stop"))
    made.compose("down", "-t", "0")
    made.up()
    failed = made.compose("down", "-t", "0")
    assert failed.returncode == 1
    assert f"pre_stop hook of container {made.name}-main-1 exited with code 5" in failed.stderr
    made.write("compose.yaml", text)
    made.compose("kill").ok()


def test_a_line_that_never_ends_is_shown_as_it_is(project: MakeProject, busybox_image: str) -> None:
    size = 60_000_000
    made = project(f"""
        services:
          web:
            image: {busybox_image}
            command: sh -c 'echo first; head -c {size} /dev/zero; echo; echo last; sleep 1000'
            init: true
        """)
    made.up()
    plain = ("logs", "--no-log-prefix")
    wait_until(lambda: "last" in made.compose(*plain, "-n", "1").ok().stdout, timeout=60)
    first, long, last = made.compose(*plain, timeout=60).ok().stdout.splitlines()
    assert (first, len(long), last) == ("first", size, "last")
    assert made.compose(*plain, "-n", "2", timeout=60).ok().stdout.splitlines() == [long, last]
    prefixed = made.compose("logs", timeout=60).ok().stdout.splitlines()
    assert [len(one) for one in prefixed] == [len("web-1  | ") + n for n in (5, size, 4)]
