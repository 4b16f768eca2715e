"""A graphical program in a container: the X server's socket and machine-id bound, DISPLAY passed."""

import signal
import subprocess

from tests.scenarios import screen
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import wait_until


def test_a_window_of_a_container_is_on_the_screen(
    make_project: MakeProject, debian_images: dict[str, str]
) -> None:
    """Do what the original's README did with Firefox, with a small program of Debian's."""
    place = make_project()
    screen.copy_program("xlogo", place.folder / "files")
    (place.folder / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    place.user.own(place.folder)
    steps = (
        f"--from=docker://{debian_images['debian']}", "--author=John Doe", "--copy=files /",
        "--run=ldd /usr/bin/xlogo", "--cmd=xlogo -name logo", "--tag=local/logo",
    )  # fmt: skip
    place.cntnr("image", "create", *steps).ok()
    mounts = (
        f"--mount=type=bind,src={screen.SOCKETS},dst={screen.SOCKETS}",
        f"--mount=type=bind,src={place.folder}/machine-id,dst=/etc/machine-id,readonly",
    )
    with screen.virtual_screen(place.user) as shown:
        empty = shown.pixels()
        words = (
            "--rm",
            "-b",
            "logo",
            "--update",
            "--init",
            "-e",
            f"DISPLAY={shown.display}",
            *mounts,
            "local/logo",
        )
        assert (
            place.cntnr("run", *words, "cat", "/etc/machine-id").ok().stdout
            == "0123456789abcdef" * 2 + "\n"
        )
        for _ in range(2):  # the second time it is there already
            process = place.user.popen(
                "cntnr", "run", *words, cwd=place.folder, stderr=subprocess.PIPE
            )
            screen.wait_for_window(shown, "logo", empty)
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=20)
            assert process.returncode == 128 + signal.SIGTERM, told
            wait_until(lambda: shown.window("logo") is None, what="the window is gone")
        # A container of its own, by `-v`, and the variable of the command's environment.
        volume = f"{screen.SOCKETS}:{screen.SOCKETS}"
        own = ("run", "-d", "--rm", "--name", "logo", "-v", volume, "-e", "DISPLAY", "local/logo")
        place.cntnr(*own, env={"DISPLAY": shown.display}).ok()
        screen.wait_for_window(shown, "logo", empty)
        place.cntnr("stop", "-t", "1", "logo").ok()
        refused = place.cntnr("run", "--rm", "-e", f"DISPLAY={shown.display}", "local/logo")
        assert refused.returncode == 1
        assert f"Can't open display: {shown.display}" in refused.stderr
    place.cntnr("bundle", "rm", "logo").ok()
