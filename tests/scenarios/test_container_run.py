"""`cntnr run`: the process, its exit code and streams, the name, the networks."""

import re
import socket

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import assert_refused, wait_until
from tests.scenarios.terminal import Terminal


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
    assert_refused(unknown, "no-such-image", code=125)
    user = place.cntnr("run", "--rm", "--user", "nobody-here", busybox_image, "true")
    assert_refused(user, "nobody-here", code=125)


# Ends when somebody removes the file.
GATE = ("sh", "-c", "while [ -e /srv/gate ]; do sleep 0.1; done")


def test_names_and_detached_containers(make_project: MakeProject, busybox_image: str) -> None:
    place = make_project(files={"gate": ""})
    words = ("-v", "./:/srv", "--name", "first", busybox_image, *GATE)
    begun = place.cntnr("run", "-d", "--rm", *words).ok()
    assert re.fullmatch(r"[0-9a-f]{64}\n", begun.stdout)
    taken = place.cntnr("create", "--rm", "--name", "first", busybox_image)
    assert_refused(taken, '"first" is already in use', begun.stdout[:12])
    assert_refused(place.cntnr("run", "--name", "_", busybox_image), "cannot name", code=125)
    assert place.compose("ls", "-a").ok().stdout.splitlines()[1:] == []
    shared = place.cntnr(
        "run", "--rm", "--network", "container:first", busybox_image, "cat", "/etc/hostname"
    )
    assert shared.ok().stdout.strip() == begun.stdout[:12]
    place.cntnr("create", "--rm", "--name", "later", busybox_image, "echo", "now").ok()
    shown = place.cntnr("ps", "-a", "--filter", "name=later", "--format", "{{.Status}}").ok()
    assert shown.stdout == "Created\n"
    assert place.cntnr("start", "-a", "later").ok().stdout == "now\n"
    wait_until(lambda: place.cntnr("inspect", "later").returncode != 0, what="it is gone")
    (place.folder / "gate").unlink()


def test_networks(make_project: MakeProject, busybox_image: str) -> None:
    place = make_project(files={"gate": ""})
    show = (busybox_image, "sh", "-c", "ip -o link | grep -v ' lo:' | wc -l; ip route | wc -l")
    assert place.cntnr("run", "--rm", *show).ok().stdout.split() == ["1", "2"]
    assert place.cntnr("run", "--rm", "--network", "none", *show).ok().stdout.split() == ["0", "0"]
    host = place.cntnr("run", "--rm", "--network=host", busybox_image, "hostname").ok()
    assert host.stdout.strip() == socket.gethostname()
    missing = place.cntnr("run", "--rm", "--network", "nowhere", busybox_image)
    assert_refused(missing, "network nowhere not found", code=125)
    place.cntnr("network", "create", "together").ok()
    words = ("-v", "./:/srv", "--network", "together", "--network-alias", "shop", busybox_image)
    place.cntnr("run", "-d", "--rm", "--name", "server", *words, *GATE).ok()
    asked = place.cntnr("run", "--rm", *words, "nslookup", "shop").ok()
    assert "Name:" in asked.stdout
    assert_refused(place.cntnr("network", "rm", "bridge"), "pre-defined network")
    (place.folder / "gate").unlink()
    wait_until(lambda: place.cntnr("network", "rm", "together").returncode == 0, what="it is gone")


def test_a_terminal_has_our_size_and_keys_that_detach(
    make_project: MakeProject, busybox_image: str
) -> None:
    place = make_project()
    place.cntnr("pull", "-q", busybox_image).ok()
    words = ("cntnr", "run", "-it", "--rm", "--name", "typed", "--detach-keys", "x,y")
    with Terminal(place, *words, busybox_image, "sh", size=(31, 97)) as terminal:
        terminal.sees("#")
        terminal.type("stty size; tty\r")
        terminal.sees("31 97")
        terminal.sees("/dev/pts/0")
        terminal.type("xy")
        assert terminal.ends() == 0
    assert "typed" in place.cntnr("ps").ok().stdout
    place.cntnr("rm", "-f", "typed").ok()
