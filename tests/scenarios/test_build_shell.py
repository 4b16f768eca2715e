"""`build --shell-on-failure`: a shell in the state before the RUN that failed."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, assert_refused
from tests.scenarios.terminal import Terminal
from tests.scenarios.test_build import make_build_project, remains

pytestmark = pytest.mark.usefixtures("busybox_image")

BROKEN = """\
FROM busybox
ARG WHAT=argument
ENV GREETING=hello
RUN echo joe:x:1000:100::/:/bin/sh >>/etc/passwd && mkdir /work && chown joe /work
WORKDIR /work
USER joe
COPY data /data
RUN --network=none --mount=type=secret,id=token --mount=type=bind,source=data,target=/b \\
  touch made && cat /data && exit 9
"""
COMPOSE = """\
services: {web: {build: {context: ., secrets: [token]}}}
secrets: {token: {file: ./token}}
"""


def test_the_shell_has_all_that_the_step_had(make_project: MakeProject, user: User) -> None:
    web = make_build_project(
        make_project, BROKEN, compose=COMPOSE, data="of the context\n", token="s3cret\n"
    )
    with Terminal(web, "cntnr", "compose", "build", "--shell-on-failure") as terminal:
        terminal.sees("of the context")
        terminal.sees("Dockerfile:8 failed. This is the state before it, ")
        terminal.sees("$ ")
        terminal.type("id -un; pwd; ls; echo $GREETING $WHAT; echo in $(cat /b /data | wc -l)\r")
        terminal.sees("joe\r\n/work\r\nhello argument\r\nin 2\r\n")
        terminal.type("ls /sys/class/net; cat /run/secrets/token; echo x >kept\r")
        terminal.sees("lo\r\n")
        terminal.sees("$ ")
        terminal.type("exit\r")
        shown = terminal.sees("exit code: 9")
        assert "eth0" not in shown
        assert terminal.ends() == 1
    assert remains(user) == []
    # What was done in the shell is not in the image.
    web.write("Dockerfile", BROKEN.replace("exit 9", "ls /work").replace("joe\n", "root\n"))
    built = web.compose("build").ok()
    assert "kept" not in built.stderr


def test_it_needs_a_terminal_and_only_a_run_offers_one(make_project: MakeProject) -> None:
    web = make_build_project(make_project, "FROM busybox\nRUN exit 3\n")
    refused = web.compose("build", "--shell-on-failure")
    assert_refused(refused, "--shell-on-failure needs a terminal, and standard input is none")
    web.write("Dockerfile", "FROM busybox\nRUN true\n")
    with Terminal(web, "cntnr", "compose", "build", "--shell-on-failure") as terminal:
        assert terminal.ends() == 0
