"""What a newcomer runs first: the set-up and the demo."""

import os
import re
import subprocess
from collections.abc import Callable

from tests.scenarios.lib import ROOT, Result, User, free_port, http_answers, http_get

INSTALL = "contrib/setup/install.sh"


def make(user: User, target: str, port: int) -> Result:
    """Run a make target as the one who runs the suite; cntnr's files go to the session's folder."""
    env = {
        **os.environ,
        "HELLO_PORT": str(port),
        "CNTNR_TEST_USER": user.name,
        "CNTNR_TEST_HOME": str(user.home),
        "XDG_DATA_HOME": str(user.data.parent),
    }
    argv = ["make", "-C", str(ROOT), target]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=600, check=False)
    return Result(argv, done.returncode, done.stdout, done.stderr)


def visits(page: str) -> int:
    """Return the number of visits from the demo's page."""
    match = re.search(r"Visits so far: <b>(\d+)</b>", page)
    assert match, page
    return int(match.group(1))


def test_the_demo_comes_up_answers_and_goes(user: User, leftovers: Callable[[], list[str]]) -> None:
    port = free_port()
    try:
        first = make(user, "demo", port).ok()
        assert (
            f"it runs as {user.name}, without privileges: http://127.0.0.1:{port}/" in first.stdout
        )
        assert visits(first.stdout) == 1
        assert "hello-web-1" in first.stdout
        assert "take it down: make demo-down" in first.stdout
        assert visits(http_get(f"http://127.0.0.1:{port}/")) == 2
        # Again, there is nothing to do.
        second = make(user, "demo", port).ok()
        assert "setup: system: nothing to do" in second.stdout
        assert "setup: .venv: nothing to do" in second.stdout
        assert "Creating" not in second.stderr
        assert visits(second.stdout) == 3
    finally:
        down = make(user, "demo-down", port)
    down.ok()
    assert leftovers() == []
    make(user, "demo-down", port).ok()
    assert leftovers() == []


def test_the_demo_runs_for_an_ordinary_user_by_himself(
    user: User, leftovers: Callable[[], list[str]]
) -> None:
    port = free_port()
    env = {"HELLO_PORT": str(port)}
    ready = user.run(INSTALL, "--system", cwd=user.tree).ok()
    assert ready.stdout == "setup: system: nothing to do\n"
    try:
        up = user.run("contrib/setup/demo.sh", "up", cwd=user.tree, env=env, timeout=300).ok()
        assert f"it runs as {user.name}, without privileges" in up.stdout
        assert visits(http_answers(f"http://127.0.0.1:{port}/")) == 2
    finally:
        down = user.run("contrib/setup/demo.sh", "down", cwd=user.tree, env=env)
    down.ok()
    assert leftovers() == []


def test_what_only_an_administrator_can_do_is_said(user: User) -> None:
    # A machine without sudo, and a user without subordinate ids.
    bare = user.base / "bare"
    bare.mkdir(exist_ok=True)
    for program in (
        "bash",
        "cat",
        "cut",
        "dirname",
        "dpkg-query",
        "env",
        "grep",
        "id",
        "sed",
        "stat",
    ):
        (bare / program).unlink(missing_ok=True)
        (bare / program).symlink_to(f"/usr/bin/{program}")
    user.own(bare)
    env = {"PATH": str(bare), "CNTNR_SETUP_USER": "nobody"}
    refusal = user.run(INSTALL, "--system", cwd=user.tree, env=env)
    assert refusal.returncode == 1
    assert "setup: missing: subordinate ids of nobody" in refusal.stdout
    again = f"env CNTNR_SETUP_USER=nobody {user.tree}/{INSTALL} --system"
    assert f"an administrator must run this as root: {again}" in refusal.stderr
