"""`cntnr run A … --- B …`: several containers as one group in the foreground."""

import signal
import subprocess

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import assert_refused, wait_until


def test_a_group_ends_with_its_last_container(
    make_project: MakeProject, busybox_image: str
) -> None:
    place = make_project()
    place.cntnr("pull", "-q", busybox_image).ok()
    script = "echo from-a; echo wrong >&2; sleep 0.5; exit 3"
    ended = place.cntnr(
        "run", "--rm", busybox_image, "sh", "-c", script,
        "---", "--rm", "-i", "-eWORD=b", busybox_image, "sh", "-c", "echo from-$WORD; cat",
        "---", "--rm", "--network=none", busybox_image, "true",
        stdin="typed\n",
    )  # fmt: skip
    assert ended.returncode == 3, ended
    assert sorted(ended.stdout.splitlines()) == ["from-a", "from-b", "typed"]
    assert ended.stderr == "wrong\n"
    refused = place.cntnr("run", "-d", busybox_image, "---", busybox_image)
    assert_refused(refused, "--detach", "group", code=125)
    unknown = place.cntnr("run", "--rm", busybox_image, "---", "--nothing", busybox_image)
    assert_refused(unknown, "unknown flag: --nothing", code=125)
    missing = place.cntnr(
        "run", "--rm", busybox_image, "sleep", "1000", "---", "--rm", busybox_image, "nothing-here"
    )
    assert missing.returncode == 127, missing


def test_signals_go_to_all(make_project: MakeProject, busybox_image: str) -> None:
    place = make_project()
    script = "trap 'echo ended; exit 0' TERM; echo ready; while true; do sleep 0.1; done"
    words = ("--rm", busybox_image, "sh", "-c", script)
    group = place.user.popen("cntnr", "run", *words, "---", *words, stdout=subprocess.PIPE)
    assert group.stdout is not None
    assert [group.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
    group.send_signal(signal.SIGTERM)
    assert group.stdout.read() == "ended\n" * 2
    assert group.wait(20) == 0
    wait_until(lambda: not place.user.bundles(), what="nothing is left")
