"""After a reboot all is told as it is, and `enable` brings back what restart policies ask for."""

import json
import os
import shutil
import socket
from pathlib import Path

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Result, User, assert_refused, wait_until
from tests.scenarios.parts import PARTS, find, kill_all

CRONTAB = """#!/bin/sh
case $1 in -l) cat "$HOME/crontab" 2>/dev/null || exit 1 ;; -) cat >"$HOME/crontab" ;; esac
"""


def reboot(user: User) -> None:
    """End all that runs at once, and empty the runtime folder, as a machine that loses its power."""
    kill_all(user, "holder's child")
    wait_until(lambda: not any(find(user, part) for part in PARTS))
    for path in user.runtime.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def test_what_restart_policies_ask_for_comes_back_in_order(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, command: sleep 1000, stop_signal: KILL}}
        services:
          web: {{<<: *small, restart: always, depends_on: {{db: {{condition: service_healthy}}}}}}
          db:
            <<: *small
            restart: unless-stopped
            healthcheck: {{test: "true", interval: 1s, start_interval: 0.2s, start_period: 9s}}
          stopped: {{<<: *small, restart: unless-stopped}}
          ever: {{<<: *small, restart: always}}
          taken: {{<<: *small, restart: always, depends_on: [plain], ports: ["18391:1"]}}
          after: {{<<: *small, restart: always, depends_on: [taken]}}
          plain: {{<<: *small}}
          job: {{<<: *small, command: "true", restart: on-failure}}
        """)
    assert_refused(project.compose("enable"), "has no containers", "cntnr compose up -d")
    folder = project.folder / "bin"
    folder.mkdir()
    crontab = project.write("bin/crontab", CRONTAB, mode=0o755)
    env = {"PATH": f"{folder}:{project.user.env()['PATH']}"}
    project.up()
    project.compose("stop", "stopped", "ever").ok()
    assert "start after a reboot (by cron)" in project.compose("enable", env=env).ok().stdout
    reboot(project.user)
    listed = {row["Service"]: row["State"] for row in project.ps()}
    assert set(listed.values()) == {"exited"}

    line = (project.user.home / "crontab").read_text()
    assert line.startswith("@reboot /bin/sh ")
    with socket.create_server(("", 18391)):  # the port of `taken`
        ran = project.user.run("sh", "-c", line.removeprefix("@reboot "), cwd=Path("/"), timeout=60)
    assert ran.returncode == 1
    assert "18391" in ran.stderr
    assert "-after-1 was not started: what it depends on has failed" in ran.stderr
    states = {row["Service"]: row["State"] for row in project.ps()}
    ended = dict.fromkeys(("stopped", "plain", "job", "ever", "taken", "after"), "exited")
    assert states == {"web": "running", "db": "running", **ended}  # this is the same boot
    assert "18391" in project.compose("why", "after").ok().stdout
    (project.user.data / f"boot/{project.name}.boot-id").write_text("another")
    project.user.run("sh", "-c", line.removeprefix("@reboot "), cwd=Path("/"), timeout=60).ok()
    states = {row["Service"]: row["State"] for row in project.ps()}
    came = dict.fromkeys(("web", "db", "ever", "taken", "after"), "running")
    assert states == {**ended, **came}
    assert {row["Service"]: row["Health"] for row in project.ps("db")} == {"db": "healthy"}

    reboot(project.user)
    project.up()  # at once
    assert sorted(project.states().values()) == ["exited", *["running"] * 7]
    reboot(project.user)
    project.compose("down", "-t", "0", env=env).ok()
    assert (project.user.home / "crontab").read_text() == ""
    (project.user.home / "crontab").unlink()
    assert crontab.exists()


def test_disable_undoes_it(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          a: {{image: {busybox_image}, command: sleep 1000, stop_signal: KILL, restart: always}}
        """)
    (project.folder / "bin").mkdir()
    project.write("bin/crontab", CRONTAB, mode=0o755)
    env = {"PATH": f"{project.folder / 'bin'}:{project.user.env()['PATH']}"}
    project.up()
    project.compose("enable", env=env).ok()
    assert "not start after a reboot any more" in project.compose("disable", env=env).ok().stdout
    assert "did not start" in project.compose("disable", env=env).ok().stdout
    (project.user.home / "crontab").unlink()
    reboot(project.user)
    project.compose("start", "--after-boot").ok()
    assert len(project.ps()) == 1


def test_single_containers_come_back_too(user: User, busybox_image: str) -> None:
    def cntnr(*words: str) -> Result:
        return user.run("cntnr", *words, env={"PATH": f"{folder}:{user.env()['PATH']}"}, timeout=60)

    folder = user.home / "bin"
    folder.mkdir()
    crontab = folder / "crontab"
    crontab.write_text(CRONTAB)
    crontab.chmod(0o755)
    user.own(folder)
    (user.data / "told-of-reboots").unlink(missing_ok=True)
    run = ("run", "-d", "--stop-signal", "KILL")
    told = cntnr(*run, "--restart", "always", "--name", "host", busybox_image, "sleep", "1000").ok()
    assert "unless `cntnr compose enable` has cron do it" in told.stderr
    guest = ("--restart", "unless-stopped", "--network", "container:host", "--name", "guest")
    assert "cron" not in cntnr(*run, *guest, busybox_image, "sleep", "1000").ok().stderr
    cntnr(*run, "--name", "plain", busybox_image, "sleep", "1000").ok()
    assert_refused(cntnr("compose", "-p", "nosuch", "enable"), "has no containers", "up -d")
    assert cntnr("compose", "enable", "--all").ok().stdout.startswith("The containers of _ start")
    cntnr("compose", "-p", "_", "enable").ok()
    reboot(user)
    line = (user.home / "crontab").read_text().removeprefix("@reboot ")
    user.run("sh", "-c", line, cwd=Path("/"), timeout=60).ok()
    assert sorted(cntnr("ps", "--format", "{{.Names}}").ok().stdout.split()) == ["guest", "host"]
    cntnr("rm", "-f", "guest", "host").ok()
    assert (user.home / "crontab").read_text() == ""
    assert not (user.data / "boot").exists()
    cntnr("rm", "-f", "plain").ok()
    (user.home / "crontab").unlink()
    shutil.rmtree(folder)


def test_what_was_not_on_the_disk_is_made_again(
    make_project: MakeProject, busybox_image: str
) -> None:
    """A machine that loses its power leaves files of the right name that are empty."""
    project = make_project(f"""
        services:
          a:
            build: {{context: ., dockerfile_inline: "FROM {busybox_image}\\nRUN echo whole >/file"}}
            command: sleep 1000
            stop_signal: KILL
        """)
    project.up("--build")
    described = project.cntnr("image", "inspect", f"{project.name}-a").ok().stdout
    data = project.user.data
    for blobs in ((), (json.loads(described)[0]["RootFS"]["Layers"][-1],)):
        wait_until(lambda: not (data / "layers/.unsynced").exists(), what="the disk has all")
        reboot(project.user)
        (data / "layers/.unsynced").mkdir()
        for layer in (*data.glob("layers/c-*"), *data.glob("layers/s-*")):
            (data / f"layers/.unsynced/{layer.name}.another").touch()
            if (layer / "fs/file").exists():
                os.truncate(layer / "fs/file", 0)
        for digest in blobs:
            os.truncate(data / "images/blobs" / digest.replace(":", "/"), 0)
        project.user.own(data / "layers/.unsynced")
        project.up()
        assert project.compose("exec", "-T", "a", "cat", "/file").ok().stdout == "whole\n"
    wait_until(lambda: not list(data.glob("layers/.gone-*")), what="the torn layers are removed")
    project.compose("down", "-t", "0").ok()
    project.cntnr("image", "rm", f"{project.name}-a").ok()
    project.cntnr("image", "fsck", "--repair").ok()  # the entry of the image whose blob was torn
    project.cntnr("image", "fsck").ok()
