"""`cntnr run`: the process, its exit code and streams, the name, the networks."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import assert_refused


def test_the_first_run_pulls_and_prints_the_programs_output_alone(
    make_project: MakeProject, busybox_image: str
) -> None:
    place = make_project()
    first = place.cntnr("run", "--rm", busybox_image, "echo", "hello", "world")
    assert (first.returncode, first.stdout) == (0, "hello world\n"), first
    second = place.cntnr("run", "--rm", busybox_image, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (second.returncode, second.stdout, second.stderr) == (7, "out\n", "err\n")
    typed = place.cntnr("run", "--rm", "-i", busybox_image, "cat", stdin="typed")
    assert typed.ok().stdout == "typed"
    unread = place.cntnr("run", "--rm", busybox_image, "cat", stdin="typed")
    assert unread.ok().stdout == ""


def test_exit_codes_of_what_cannot_run(make_project: MakeProject, busybox_image: str) -> None:
    place = make_project()
    missing = place.cntnr("run", "--rm", busybox_image, "nothing-of-that-name")
    assert missing.returncode == 127, missing
    assert "nothing-of-that-name" in missing.stderr
    folder = place.cntnr("run", "--rm", busybox_image, "/etc")
    assert folder.returncode == 126, folder
    unknown = place.cntnr("run", "--rm", "--pull", "never", "no-such-image", "true")
    assert unknown.returncode == 125, unknown
    assert_refused(unknown, "no-such-image")
    user = place.cntnr("run", "--rm", "--user", "nobody-here", busybox_image, "true")
    assert user.returncode == 125, user
    assert_refused(user, "nobody-here")
