"""What a container runs, as whom, where, and what it finds around itself."""

import re

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import wait_until
from tests.scenarios.oneshots import read_logs, run_and_read_logs, wait_for_exits

pytestmark = pytest.mark.runtimes


def test_command_and_entrypoint_take_every_form(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-plain: &plain {{image: {busybox_image}}}
        x-built: &built
          build:
            dockerfile_inline: |
              FROM {busybox_image}
              ENTRYPOINT ["printf", "[%s]"]
              CMD ["from", "image"]
        services:
          words: {{<<: *plain, command: 'printf "<%s>" "a b" c''d'' $$HOME'}}
          list: {{<<: *plain, command: [printf, "<%s>", "a b", "", "$$HOME"]}}
          split: {{<<: *plain, entrypoint: 'printf "<%s>"', command: x "y z"}}
          alone: {{<<: *plain, entrypoint: ['printf', '<%s>']}}
          image: {{<<: *built}}
          command: {{<<: *built, command: [mine]}}
          unset: {{<<: *built, command: null, entrypoint: null}}
          entrypoint: {{<<: *built, entrypoint: [echo, only]}}
          cleared: {{<<: *built, entrypoint: [], command: [echo, plain]}}
          emptied: {{<<: *built, entrypoint: "", command: [echo, plain]}}
        """)
    assert run_and_read_logs(project) == {
        "words": ["<a b><cd><$HOME>"],
        "list": ["<a b><><$HOME>"],
        "split": ["<x><y z>"],
        "alone": ["<>"],  # the image's command was meant for another program
        "image": ["[from][image]"],
        "command": ["[mine]"],
        "unset": ["[from][image]"],
        "entrypoint": ["only"],
        "cleared": ["plain"],
        "emptied": ["plain"],
    }
    commands = {row["Service"]: row["Command"] for row in project.ps()}
    assert commands["split"] == "\"printf <%s> x 'y z'\""


def test_environment_is_laid_over_env_files(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        f"""
        services:
          mapping:
            image: {busybox_image}
            command: env
            env_file:
              - base.env
              - {{path: absent.env, required: false}}
              - {{path: raw.env, format: raw}}
            environment:
              BOTH: service
              EMPTY: ""
              NUMBER: 10
              PASSED:
              NOT_SET_ANYWHERE:
              PRICE: "5$$"
          sequence:
            image: {busybox_image}
            command: env
            env_file: base.env
            environment: [BOTH=service, PASSED, "SPACED=a b"]
          absent:
            image: {busybox_image}
            command: env
            environment: {{FILED: }}
            env_file: base.env
        """,
        files={
            "base.env": "BOTH=file\nFILED='a b' # note\nREF=${FILED}c\nexport MORE=\"x\\ny\"\n",
            "raw.env": 'RAW="$HOME"\n',
        },
    )
    output = run_and_read_logs(project, env={"PASSED": "from outside"})
    common = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
    filed = {"FILED=a b", "REF=a bc", "MORE=x", "y"}  # a line feed splits MORE's value
    mapping = set(output["mapping"])
    assert common | filed <= mapping
    own = {"BOTH=service", "EMPTY=", "NUMBER=10", "PASSED=from outside", "PRICE=5$"}
    assert own | {'RAW="$HOME"'} <= mapping
    assert not [one for one in mapping if one.startswith("NOT_SET_ANYWHERE")]
    assert {"BOTH=service", "PASSED=from outside", "SPACED=a b"} | filed <= set(output["sequence"])
    assert "BOTH=file" in output["absent"]
    assert not [one for one in output["absent"] if one.startswith("FILED")]


def test_user_and_groups_are_looked_up_in_the_image(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-say: &say
          command:
            - sh
            - -c
            - echo $$(id -u):$$(id -g) $$(id -G) $$HOME; touch /tmp/own; stat -c %u:%g /tmp/own
        x-who: &who
          <<: *say
          image: {busybox_image}
        x-built: &built
          <<: *say
          build:
            dockerfile_inline: |
              FROM {busybox_image}
              RUN echo ann:x:2000:3000::/home/ann:/bin/sh >>/etc/passwd
              RUN printf 'staff:x:3000:\\naudio:x:3001:bob,ann\\n' >>/etc/group
              USER ann
        services:
          root: {{<<: *who}}
          name: {{<<: *who, user: nobody}}
          number: {{<<: *who, user: "1000"}}
          both: {{<<: *who, user: "1000:1001"}}
          mixed: {{<<: *who, user: "nobody:0"}}
          added: {{<<: *who, user: nobody, group_add: [4242, root, "nogroup"]}}
          image: {{<<: *built}}
          named: {{<<: *built, user: "2000"}}
          group: {{<<: *built, user: "ann:audio"}}
          over: {{<<: *built, user: root}}
        """)
    assert run_and_read_logs(project) == {
        "root": ["0:0 0 /root", "0:0"],
        "name": ["65534:65534 65534 /", "65534:65534"],
        "number": ["1000:0 0 /", "1000:0"],
        "both": ["1000:1001 1001 /", "1000:1001"],
        "mixed": ["65534:0 0 /", "65534:0"],
        "added": ["65534:65534 65534 0 4242 /", "65534:65534"],
        "image": ["2000:3000 3000 3001 /home/ann", "2000:3000"],
        "named": ["2000:3000 3000 3001 /home/ann", "2000:3000"],
        "group": ["2000:3001 3001 /home/ann", "2000:3001"],
        "over": ["0:0 0 /root", "0:0"],
    }


def test_unknown_user_stops_up_and_is_named(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        f"services: {{one: {{image: {busybox_image}, user: ghost, command: 'true'}}}}"
    )
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    assert "unable to find user ghost: no matching entries in passwd file" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert project.states() == {f"{project.name}-one-1": "created"}

    project.write(
        "compose.yaml", f"services: {{one: {{image: {busybox_image}, user: '70000', command: id}}}}"
    )
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    assert "cannot use user 70000: the highest id here is 65536" in failed.stderr


def test_names_of_a_container(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-say: &say
          image: {busybox_image}
          command:
            - sh
            - -c
            - |
              echo $$HOSTNAME; hostname; cat /etc/hostname; hostname -f
              cat /proc/sys/kernel/domainname
        services:
          plain: {{<<: *say}}
          host: {{<<: *say, hostname: box}}
          domain: {{<<: *say, hostname: box, domainname: example.test}}
        """)
    output = run_and_read_logs(project)
    identity = next(row["ID"] for row in project.ps("plain"))
    assert re.fullmatch("[0-9a-f]{12}", identity)
    assert output["plain"] == [identity, identity, identity, identity, "(none)"]
    assert output["host"] == ["box", "box", "box", "box", "(none)"]
    assert output["domain"] == ["box", "box", "box", "box.example.test", "example.test"]


def test_working_dir_is_made(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-say: &say {{image: {busybox_image}, command: ["sh", "-c", "pwd; stat -c %u:%g:%a ."]}}
        services:
          image: {{<<: *say}}
          made: {{<<: *say, working_dir: /made/for/me, user: "1000"}}
          there: {{<<: *say, working_dir: /tmp}}
        """)
    assert run_and_read_logs(project) == {
        "image": ["/", "0:0:755"],
        "made": ["/made/for/me", "0:0:755"],
        "there": ["/tmp", "0:0:1777"],
    }


def test_terminal_input_and_init(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}}}
        services:
          tty:
            <<: *small
            tty: true
            command: ["sh", "-c", "test -t 0 && test -t 1 && echo $$TERM"]
          pipe:
            <<: *small
            command: ["sh", "-c", "test -t 1 || echo no terminal; cat; echo end of input"]
          init:
            <<: *small
            init: true
            command: ["cat", "/proc/1/comm"]
          open:
            <<: *small
            stdin_open: true
            command: ["sh", "-c", "echo begins; cat; echo ends"]
        """)
    project.up()
    wait_until(
        lambda: sorted(project.states().values()) == ["exited", "exited", "exited", "running"],
        what="all but the one with open input have ended",
    )
    output = {name: [line.strip() for line in lines] for name, lines in read_logs(project).items()}
    assert output == {
        "tty": ["xterm"],
        "pipe": ["no terminal", "end of input"],
        "init": ["docker-init"],
        "open": ["begins"],
    }
    project.compose("kill", "open").ok()
    assert wait_for_exits(project) == {"tty": 0, "pipe": 0, "init": 0, "open": 137}
