"""events: what becomes of containers, as it happens and from before, beyond the end of a supervisor."""

import json
import signal
import subprocess
import time
from typing import Any

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until

TEXT = """
services:
  web:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    labels: {{own: label}}
    healthcheck: {{test: "true", interval: 0.2s}}
  job: {{image: {image}, command: sh -c "exit 3", depends_on: [web]}}
"""


class Watch:
    """`events --json` in the background."""

    def __init__(self, project: Project, *words: str) -> None:
        self.path = project.folder / "events.out"
        with self.path.open("w") as out:
            self.process = project.user.popen(
                "cntnr", "compose", "events", "--json", *words, cwd=project.folder, stdout=out,
                stderr=subprocess.PIPE,
            )  # fmt: skip

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def told(self) -> list[str]:
        return [f"{one['service']} {one['action']}" for one in self.events()]

    def life(self) -> list[str]:
        """List the actions but for those of health checks, whose moment is not ours to choose."""
        return [one["action"] for one in self.events() if "health" not in one["action"]]

    def interrupt(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=10)
        return self.process.returncode, err


def test_events_are_told_live_and_afterwards(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image))
    begun = time.time()
    watch = Watch(project)  # before there is a supervisor
    time.sleep(0.5)
    project.up()
    wait_until(lambda: {"web health_status: healthy", "job die"} <= set(watch.told()))
    project.compose("run", "--rm", "job", "true").ok()  # not told
    told = watch.told()
    assert [one for one in told if one.startswith("web")] == [
        "web create", "web start", "web health_status: healthy",
    ]  # fmt: skip
    assert [one for one in told if one.startswith("job")] == ["job create", "job start", "job die"]
    died = watch.events()[told.index("job die")]
    assert died["attributes"]["exitCode"] == "3"
    created = watch.events()[0]
    assert created["type"] == "container"
    assert created["attributes"] == {
        "image": created["attributes"]["image"], "name": f"{project.name}-web-1", "own": "label",
    }  # fmt: skip
    assert watch.interrupt() == (130, "")

    past = project.compose("events", "--json", "--since", str(begun), "--until", "0s", "job").ok()
    assert [one["action"] for one in past.json_lines] == ["create", "start", "die"]
    text = project.compose("events", "--until", "0s", "job").ok().stdout
    assert text.splitlines()[0].endswith(f", name={project.name}-job-1)")
    assert text.splitlines()[1] == ""
    end = time.time() + 1.5
    project.compose("events", "--since", "0s", "--until", str(end)).ok()
    assert end <= time.time() < end + 5


def test_it_goes_on_with_the_next_supervisor_and_keeps_none(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(TEXT.format(image=busybox_image))
    project.up("web")
    watch = Watch(project, "web")
    time.sleep(0.5)
    parts.kill_supervisor(project)
    wait_until(lambda: parts.supervisors(project), what="the watching command starts another one")
    project.compose("stop").ok()
    wait_until(lambda: watch.life() == ["die", "stop"])
    project.down()
    wait_until(lambda: watch.life()[-1] == "destroy")
    wait_until(lambda: not parts.supervisors(project), what="who only watches keeps no supervisor")
    assert not (project.user.runtime / "holder/holder.json").exists()
    project.up("web")
    wait_until(lambda: watch.life()[3:5] == ["create", "start"])
    assert watch.interrupt() == (130, "")


def test_a_closed_pipe_ends_it(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image))
    project.up("web")
    script = "cntnr compose events --json --since 1h | head -n1; exit ${PIPESTATUS[0]}"
    process = project.user.popen(
        "bash", "-c", script, cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(1)
    project.compose("kill").ok()
    out, err = process.communicate(timeout=20)
    assert (process.returncode, json.loads(out)["action"], err) == (141, "create", "")
