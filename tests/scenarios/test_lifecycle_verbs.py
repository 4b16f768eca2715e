"""start, stop, restart, kill, rm; hooks; and what ps and logs tell."""

import json
import re
import signal
import subprocess

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, free_port, wait_until


def states(project: Project) -> dict[str, str]:
    return {row["Service"]: row["State"] for row in project.ps()}


def test_verbs_move_containers_between_states(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          a: {{<<: *small, volumes: [/anonymous]}}
          b: {{<<: *small, depends_on: [a]}}
        """)
    early = project.compose("start", "a")
    assert early.returncode == 1
    assert 'service "a" has no container to start' in early.stderr
    assert project.compose("stop").returncode == 0
    project.compose("create").ok()
    assert states(project) == {"a": "created", "b": "created"}
    identities = {row["Service"]: row["ID"] for row in project.ps()}
    project.compose("start").ok()
    assert states(project) == {"a": "running", "b": "running"}
    project.compose("stop", "b").ok()
    assert states(project) == {"a": "running", "b": "exited"}
    project.compose("start", "b").ok()
    project.compose("restart", "-t", "1").ok()
    assert states(project) == {"a": "running", "b": "running"}
    project.compose("kill", "-s", "SIGTERM", "b").ok()
    wait_until(lambda: states(project)["b"] == "exited", what="b has ended of its signal")
    project.compose("kill").ok()
    wait_until(lambda: states(project) == {"a": "exited", "b": "exited"})
    assert {row["Service"]: row["ExitCode"] for row in project.ps()} == {"a": 137, "b": 143}
    assert {row["Service"]: row["ID"] for row in project.ps()} == identities

    project.compose("start", "a").ok()
    result = project.compose("rm", stdin="n\n")
    assert "Going to remove" in result.stdout + result.stderr
    assert states(project) == {"a": "running", "b": "exited"}
    project.compose("rm", "-f").ok()
    assert states(project) == {"a": "running"}
    volumes = list((project.user.data / "volumes").iterdir())
    assert len(volumes) == 1
    project.compose("rm", "-f", "-s", "-v").ok()
    assert states(project) == {}
    assert list((project.user.data / "volumes").iterdir()) == []
    wrong = project.compose("restart", "nothing")
    assert (wrong.returncode, "no such service: nothing" in wrong.stderr) == (1, True), wrong


def test_verbs_work_without_the_file(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          a: {{image: {busybox_image}, init: true, command: sh -c "echo said; exec sleep 1000"}}
        """)
    project.up()
    elsewhere = project.folder.parent

    def ask(*words: str) -> str:
        return project.compose("-p", project.name, *words, cwd=elsewhere).ok().stdout

    wait_until(lambda: "said" in ask("logs"))
    assert "a-1" in ask("ps")
    assert ask("exec", "-T", "a", "echo", "inside") == "inside\n"
    ask("stop", "-t", "0")
    ask("start")
    ask("restart", "-t", "0")
    assert states(project) == {"a": "running"}
    for verb in ("up", "config", "build", "pull"):
        missing = project.compose("-p", project.name, verb, cwd=elsewhere)
        assert missing.returncode == 1
        assert "no configuration file provided: not found" in missing.stderr
    ask("down", "-t", "0")
    assert project.ps() == []


def test_ps_tells_all_shapes(make_project: MakeProject, busybox_image: str) -> None:
    port = free_port()
    project = make_project(f"""
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
    project.up()
    wait_until(lambda: states(project) == {"web": "running", "done": "exited"})
    rows = {row["Service"]: row for row in project.ps()}
    web = rows["web"]
    labels = dict(pair.split("=", 1) for pair in web["Labels"].split(","))
    own = {name.removeprefix("com.docker.compose."): value for name, value in labels.items()}
    assert own["own.label"] == "yes indeed"
    assert {
        key: own[key]
        for key in ("project", "service", "container-number", "oneoff", "project.working_dir")
    } == {
        "project": project.name,
        "service": "web",
        "container-number": "1",
        "oneoff": "False",
        "project.working_dir": str(project.folder),
    }
    assert own["project.config_files"] == str(project.folder / "compose.yaml")
    assert re.fullmatch("[0-9a-f]{64}", own["config-hash"])
    assert own["image"].startswith("sha256:")
    assert web["Publishers"] == [
        {"URL": "127.0.0.1", "TargetPort": 80, "PublishedPort": port, "Protocol": "tcp"},
        {"URL": "", "TargetPort": 90, "PublishedPort": 0, "Protocol": "tcp"},
    ]
    assert web["Ports"] == f"90/tcp, 127.0.0.1:{port}->80/tcp"
    assert (web["State"], web["Health"], web["ExitCode"]) == ("running", "", 0)
    assert web["Command"] == '"sh -c \'exec sleep 1…"'
    assert web["Mounts"].split(",")[0] == f"{project.name}_data"[:15]
    assert (rows["done"]["State"], rows["done"]["ExitCode"]) == ("exited", 3)
    assert rows["done"]["Status"].startswith("Exited (3) ")

    def ps(*words: str) -> list[str]:
        return project.compose("ps", *words).ok().stdout.splitlines()

    table = ps()
    assert re.split(r"\s{2,}", table[0].strip()) == [
        "NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS",
    ]  # fmt: skip
    assert [line.split()[0] for line in table[1:]] == [f"{project.name}-web-1"]
    assert [line.split()[0] for line in ps("-a")[1:]] == [
        f"{project.name}-done-1",
        f"{project.name}-web-1",
    ]
    assert ps("-q") == [full_id(project, web)]
    assert ps("--services") == ["web"]
    assert ps("-a", "--services") == ["done", "web"]
    assert ps("--format", "{{.Name}} {{.State}}") == [f"{project.name}-web-1 running"]
    assert ps("-a", "--status", "exited", "-q") == [full_id(project, rows["done"])]
    assert ps("--filter", "status=exited", "--services") == ["done"]
    assert [json.loads(line)["Service"] for line in ps("--format", "json", "web")] == ["web"]
    wrong = project.compose("ps", "nothing")
    assert (wrong.returncode, "no such service: nothing" in wrong.stderr) == (1, True), wrong


def full_id(project: Project, row: dict[str, object]) -> str:
    """Return the full id of a container from the short one in a row."""
    folder = project.user.data / "containers" / project.name
    return next(path.name for path in folder.iterdir() if path.name.startswith(str(row["ID"])))


def test_logs_are_chosen_cut_and_followed(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
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
    project.up()

    def logs(*words: str) -> list[str]:
        return project.compose("logs", "--no-color", *words).ok().stdout.splitlines()

    wait_until(lambda: len(logs("many")) == 10)
    # The last lines are those of both streams: one of them was written to the other.
    assert logs("--tail", "3", "--index", "2", "many") == ["many-2  | line 4", "many-2  | line 5"]
    assert logs("-n", "2", "--no-log-prefix", "--index", "1", "many") == ["line 5"]
    assert [line.split()[0] for line in logs("--index", "2", "many")] == ["many-2"] * 5
    stamped = logs("-t", "--index", "1", "many")
    moments = [line.split("| ")[1].split()[0] for line in stamped]
    assert moments == sorted(moments)
    assert logs("--since", moments[2], "--until", moments[4], "--index", "1", "many")[:2] == [
        "many-1  | line 3",
        "many-1  | line 4",
    ]
    assert len(logs("--since", "10m", "many")) == 10
    assert logs("--until", "10m", "many") == []
    assert project.compose("logs", "many").stderr.count("wrong") == 2

    follow = project.user.popen(
        "cntnr",
        "compose",
        "logs",
        "-f",
        "--no-color",
        "late",
        cwd=project.folder,
        stdout=subprocess.PIPE,
    )
    try:
        project.exec("late", "touch", "/go").ok()
        out, _ = follow.communicate(timeout=15)
    finally:
        follow.kill()
    assert out.splitlines() == ["late-1  | first", "late-1  | second", "late-1 exited with code 5"]
    assert follow.returncode == 0

    follow = project.user.popen(
        "cntnr",
        "compose",
        "logs",
        "-f",
        "-n",
        "0",
        "many",
        cwd=project.folder,
        stdout=subprocess.PIPE,
    )
    try:
        assert follow.stdout is not None
        project.up("--force-recreate", "-t", "0", "many")
        assert any("many-2  | line 5" in line for line in follow.stdout)
        project.up("late")  # is none of its business
        project.compose("stop", "-t", "0", "many").ok()
        follow.communicate(timeout=15)
    finally:
        follow.kill()
        follow.communicate()
    assert follow.returncode == 0
    project.up("many")  # else all have ended, and so does who follows them
    follow = project.user.popen(
        "cntnr", "compose", "logs", "-f", cwd=project.folder, stdout=subprocess.PIPE
    )
    assert follow.stdout is not None
    follow.stdout.readline()
    follow.send_signal(signal.SIGINT)
    follow.communicate(timeout=15)
    assert follow.returncode == 130


def test_hooks_run_after_the_start_and_before_the_stop(
    make_project: MakeProject, busybox_image: str
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
    project = make_project(text, files={"out/said": ""})
    (project.folder / "out/said").chmod(0o666)

    def hook_output() -> list[str]:
        lines = (project.folder / "out/said").read_text().splitlines()
        project.write("out/said", "", mode=0o666)
        return lines

    started = ["post service 0 /", "second hook 65534 /tmp", "after"]
    project.up()
    assert hook_output() == started
    project.compose("restart", "-t", "1", "main").ok()
    assert hook_output() == ["stop", *started[:2]]
    project.compose("stop", "-t", "1").ok()
    assert hook_output() == ["stop"]
    project.compose("start").ok()
    assert hook_output() == started
    project.down()
    assert hook_output() == ["stop"]

    project.write("compose.yaml", text.replace("touch /ready", "exit 4"))
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    assert f"post_start hook of container {project.name}-main-1 exited with code 4" in failed.stderr
    assert project.states()[f"{project.name}-after-1"] == "created"
    project.write("compose.yaml", text.replace("echo stop", "exit 5; echo stop"))
    project.compose("down", "-t", "0")
    project.up()
    failed = project.compose("down", "-t", "0")
    assert failed.returncode == 1
    assert f"pre_stop hook of container {project.name}-main-1 exited with code 5" in failed.stderr
    project.write("compose.yaml", text)
    project.compose("kill").ok()


def test_a_line_that_never_ends_is_shown_as_it_is(
    make_project: MakeProject, busybox_image: str
) -> None:
    size = 60_000_000
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            command: sh -c 'echo first; head -c {size} /dev/zero; echo; echo last; sleep 1000'
            init: true
        """)
    project.up()
    plain = ("logs", "--no-log-prefix")
    wait_until(lambda: "last" in project.compose(*plain, "-n", "1").ok().stdout, timeout=60)
    first, long, last = project.compose(*plain, timeout=60).ok().stdout.splitlines()
    assert (first, len(long), last) == ("first", size, "last")
    assert project.compose(*plain, "-n", "2", timeout=60).ok().stdout.splitlines() == [long, last]
    prefixed = project.compose("logs", timeout=60).ok().stdout.splitlines()
    assert [len(one) for one in prefixed] == [len("web-1  | ") + n for n in (5, size, 4)]
