"""`cntnr exec` runs commands in containers of any project; `cntnr logs` prints what they wrote."""

import signal
import subprocess
import time

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Result, User, assert_refused, wait_until
from tests.scenarios.terminal import Terminal

SERVICES = """
services:
  web:
    image: {image}
    command: [sh, -c, "echo out; echo err >&2; exec sleep 1000"]
    stop_signal: KILL
    environment: {{COLOUR: red, SIZE: "4"}}
    labels: {{shop.part: front end}}
    logging: {{driver: json-file, options: {{labels: shop.part, env: "COLOUR,NONE"}}}}
  ticker:
    image: {image}
    command: [sh, -c, "for n in 1 2 3 4; do echo $$n; sleep 0.5; done; exit 3"]
    restart: on-failure:1
  silent: {{image: {image}, command: echo nothing, logging: {{driver: none}}}}
"""


def cntnr(user: User, *words: str, stdin: str = "") -> Result:
    return user.run("cntnr", *words, stdin=stdin)


@pytest.mark.runtimes
def test_commands_run_with_dockers_flags_and_exit_codes(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SERVICES.format(image=busybox_image), name="x")
    user = project.user
    project.up("web")
    web = "x-web-1"
    project.write("vars", "# a comment\nFROM_FILE=a b\nSIZE=5\nUSER\n")

    def run(*words: str, stdin: str = "") -> Result:
        return user.run("cntnr", "exec", *words, stdin=stdin, cwd=project.folder)

    assert run(web, "sh", "-c", "echo out; echo err >&2; exit 7") == Result(
        ["cntnr", "exec", web, "sh", "-c", "echo out; echo err >&2; exit 7"], 7, "out\n", "err\n"
    )
    shown = run(
        "-e", "COLOUR=blue", "-e", "HOME", "--env-file", "vars", "-w", "/tmp", "-u", "1:2",
        web, "sh", "-c", "echo $COLOUR $HOME $FROM_FILE $SIZE $USER; pwd; id -u; id -g",
    ).ok()  # fmt: skip
    assert shown.stdout.split("\n")[0] == f"blue {user.home} a b 5 {user.name}"
    assert shown.stdout.split("\n")[1:] == ["/tmp", "1", "2", ""]
    assert run(web, "cat", stdin="not read").ok().stdout == ""
    assert run("-i", web, "cat", stdin="read").ok().stdout == "read"
    caps = "grep CapEff /proc/self/status"
    plain, privileged = (
        run(*flag, web, *caps.split()).ok().stdout for flag in ((), ("--privileged",))
    )
    assert int(privileged.split()[1], 16) > int(plain.split()[1], 16)
    assert run("-d", web, "sh", "-c", "sleep 0.2; echo there >/detached").ok().stdout == ""
    wait_until(lambda: run(web, "cat", "/detached").stdout == "there\n")
    not_found = run(web, "nosuch")
    assert_refused(not_found, "cannot run nosuch in container x-web-1", code=127)
    assert run(web, "/etc/passwd").returncode == 126
    assert_refused(run("nosuch", "true"), "No such container: nosuch")
    assert_refused(run("-it", web, "sh"), "the input device is not a TTY")
    assert_refused(run("-w", "/nosuch", web, "pwd"), "/nosuch", code=127)
    assert_refused(run("--env-file", "nosuch", web, "true"), "nosuch")
    assert run("-t", web, "sh", "-c", "test -t 0 -a -t 1 && echo tty").ok().stdout == "tty\n"
    assert_refused(run("-t", web, "nosuch"), "cannot run nosuch", code=127)
    cntnr(user, "pause", web).ok()
    assert_refused(run(web, "true"), f"container {web} is paused")
    cntnr(user, "unpause", web).ok()
    cntnr(user, "stop", web).ok()
    assert_refused(run(web, "true"), f"container {web} is not running")


# The second one is for the ordinary command, with all its imports.
WAYS = ((), ("--interactive=true",))


@pytest.mark.runtimes
def test_plain_commands_need_few_imports_and_do_the_same(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SERVICES.format(image=busybox_image), name="q")
    user = project.user
    project.up("web")
    web = "q-web-1"
    trace = {"PYTHONPROFILEIMPORTTIME": "1"}
    is_quick = [
        "msgspec" not in user.run("cntnr", *verb, *way, web, "true", env=trace).ok().stderr
        for verb in (("exec",), ("container", "exec"))
        for way in (("-i",), WAYS[1])
    ]
    assert is_quick == [True, False, True, False]
    script = "echo out; echo err >&2; cat; exit 9"
    for way in WAYS:
        ran = cntnr(
            user, "exec", "-i", *way, "-e", "Ä=ö", web, "sh", "-c", script, stdin="x" * 200_000
        )
        assert (ran.returncode, len(ran.stdout), ran.stderr) == (9, 200_004, "err\n")
        for words, code in ((("sh", "-c", "kill -KILL $$"), 137), (("sh", "-c", "exit 255"), 255)):
            assert cntnr(user, "exec", "-i", *way, web, *words).returncode == code
        # Others' descriptors do not reach the container, and closed streams are no error.
        shown = user.run(
            "sh", "-c", f"exec cntnr exec {' '.join(way)} {web} ls /proc/self/fd 7</dev/null"
        )
        assert shown.ok().stdout.split() == ["0", "1", "2", "3"]
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            user.run("sh", "-c", f"exec cntnr exec {' '.join(way)} {web} ls / {closed}").ok()
        words = f"{' '.join(way)} {web} sh -c 'echo x >&2'"
        assert user.run("sh", "-c", f"exec cntnr exec {words} 2>/dev/full").returncode == 1


@pytest.mark.runtimes
def test_signals_end_the_command_and_what_it_started_goes_on(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SERVICES.format(image=busybox_image), name="s")
    user = project.user
    project.up("web")
    web = "s-web-1"
    codes = []
    names = ("TERM", "INT", "HUP", "USR1", "QUIT", "KILL")
    for number, (flags, name) in enumerate(
        ((*way, *flag), name) for way in WAYS for flag in ((), ("-i",)) for name in names
    ):
        script = f"echo begun; sleep {2000 + number}; true"
        with user.popen(
            "cntnr", "exec", *flags, web, "sh", "-c", script,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as running:  # fmt: skip
            assert running.stdout is not None
            assert running.stdout.readline() == "begun\n"
            running.send_signal(getattr(signal, f"SIG{name}"))
            codes.append(running.wait(timeout=20))
    half = len(codes) // 2
    assert codes[:6] == [130, 130, 129, 138, 131, -9]
    assert codes[6:half] == [143, 130, 129, 138, 131, -9]
    # `--interactive=true` reads, with and without a further -i.
    assert codes[half:] == codes[6:half] * 2
    running = cntnr(user, "exec", web, "ps").ok().stdout
    assert [str(2000 + number) in running for number in range(len(codes))] == [True] * len(codes)


@pytest.mark.runtimes
def test_an_exit_code_is_told_also_where_the_supervisor_was_killed_meanwhile(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SERVICES.format(image=busybox_image), name="k")
    project.up("web")
    script = "echo begun; read on; exit 9"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with project.user.popen(
        "cntnr", "exec", "-i", "k-web-1", "sh", "-c", script, **pipes
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        parts.kill_supervisor(project)
        assert running.communicate("go\n", timeout=20) == ("", "")
    assert running.returncode == 9


def test_ctrl_c_reaches_a_process_without_a_terminal_of_its_own(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(SERVICES.format(image=busybox_image), name="c")
    project.up("web")
    script = "trap 'touch /caught; exit' INT; echo up; while :; do sleep 0.1; done"
    with Terminal(project, "cntnr", "exec", "c-web-1", "sh", "-c", script) as terminal:
        terminal.sees("up")
        terminal.type("\x03")
        assert terminal.ends() == 130
    wait_until(
        lambda: cntnr(project.user, "exec", "c-web-1", "test", "-e", "/caught").returncode == 0
    )


@pytest.mark.parametrize("runtime", ["runc", "crun"])
def test_keys_detach_from_a_command_that_then_goes_on(
    make_project: MakeProject, busybox_image: str, runtime: str
) -> None:
    text = SERVICES.format(image=busybox_image).replace("  web:", f"  web:\n    runtime: {runtime}")
    project = make_project(text, name="y")
    user = project.user
    project.up("web")
    web = "y-web-1"
    with Terminal(project, "cntnr", "exec", "-it", web, "sh", size=(31, 99)) as terminal:
        terminal.sees("#")
        terminal.type("stty size\r")
        terminal.sees("31 99\r\n")
        terminal.resize(20, 70)
        terminal.type("until stty size | grep -x '20 70'; do sleep 0.1; done\r")
        terminal.sees("20 70\r\n")
        terminal.type("exit 4\r")
        assert terminal.ends() == 4
    writes = "while :; do echo on; sleep 0.1; done"
    for options, keys in (((), "\x10\x11"), (("--detach-keys", "a,b"), "ab")):
        with Terminal(
            project, "cntnr", "exec", "-it", *options, web, "sh", "-c", writes
        ) as terminal:
            terminal.sees("on")
            terminal.type(keys)
            terminal.sees("read escape sequence")
            assert terminal.ends() == 1
    time.sleep(0.5)
    running = cntnr(user, "exec", web, "ps").ok().stdout
    assert running.count(writes) == 2
    with Terminal(
        project, "cntnr", "exec", "-it", web, "sh", "-c", "echo up; sleep 1000"
    ) as terminal:
        terminal.sees("up")
        terminal.type("\x03")
        assert terminal.ends() == 130


def test_logs_of_one_container(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(SERVICES.format(image=busybox_image), name="z")
    user = project.user
    project.up()
    web, ticker = "z-web-1", "z-ticker-1"
    following = user.popen("cntnr", "logs", "-f", ticker, stdout=subprocess.PIPE)
    wait_until(lambda: cntnr(user, "logs", web).stdout == "out\n")
    shown = cntnr(user, "logs", web)
    assert (shown.stdout, shown.stderr) == ("out\n", "err\n")
    for words in (f"logs {web}", f"logs --tail 9 {web}", "compose -p z logs web"):
        full = user.run("sh", "-c", f"exec cntnr {words} >/dev/full")
        assert_refused(full, "cannot write to standard output: no space left on device")
    details = cntnr(user, "container", "logs", "--details", "-t", web).ok().stdout
    stamp, *words = details.split(" ", 2)
    assert words == ["COLOUR=red,shop.part=front+end", "out\n"]
    assert cntnr(user, "logs", "--since", stamp, web).ok().stdout == "out\n"
    assert cntnr(user, "logs", "--until", "1970-01-02T00:00:00Z", web).ok().stdout == ""
    # As in docker it ends with the container, even where that is started again.
    assert following.communicate(timeout=20)[0] == "1\n2\n3\n4\n"
    wait_until(lambda: cntnr(user, "logs", ticker).stdout == "1\n2\n3\n4\n" * 2)
    assert cntnr(user, "logs", "-n", "2", ticker).ok().stdout == "3\n4\n"
    assert cntnr(user, "logs", "-f", "--tail", "1", ticker).ok().stdout == "4\n"
    assert_refused(cntnr(user, "logs", "-n", "x", web), 'invalid argument "x"')
    assert_refused(cntnr(user, "logs", "z-silent-1"), "logging driver does not support reading")
    assert_refused(cntnr(user, "logs", "nosuch"), "No such container: nosuch")
