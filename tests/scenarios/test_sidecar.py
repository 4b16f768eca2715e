"""Who shares a sidecar's network has one again after the sidecar was restarted, by whomever."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until
from tests.scenarios.reach import SAYS, answers

pytestmark = pytest.mark.usefixtures("busybox_image")

STACK = f"""
x-says: &says {SAYS}
services:
  sidecar:
    image: busybox
    command: ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"]
    restart: always
  app: {{<<: *says, network_mode: "service:sidecar"}}
  behind: {{image: busybox, command: sleep 900, stop_signal: KILL, network_mode: "service:app"}}
  other: {{<<: *says, hostname: there}}
"""


def shares_network(project: Project) -> bool:
    look = ("readlink", "/proc/self/ns/net")
    every = {project.exec(name, *look).stdout for name in ("sidecar", "app", "behind")}
    return len(every) == 1 and "" not in every


@pytest.mark.parametrize("how", ["by itself", "by command"])
def test_a_network_that_is_shared_comes_back(make_project: MakeProject, how: str) -> None:
    project = make_project(STACK)
    project.up()
    assert shares_network(project)
    before = project.exec("sidecar", "readlink", "/proc/self/ns/net").ok().stdout
    if how == "by itself":
        project.exec("sidecar", "kill", "1")
    else:
        project.compose("restart", "-t", "0", "sidecar").ok()
    wait_until(
        lambda: (
            project.exec("sidecar", "readlink", "/proc/self/ns/net").stdout not in ("", before)
            and shares_network(project)
        ),
        what="all share the new network",
    )
    assert answers(project, "behind", "other/who") == {"other/who": "there"}
    assert answers(project, "other", "sidecar/who").keys() == {"sidecar/who"}
    # What does not run is left alone.
    project.compose("stop", "-t", "0", "behind").ok()
    project.exec("sidecar", "kill", "1")
    wait_until(lambda: project.exec("app", "true").returncode == 0)
    assert project.states()[f"{project.name}-behind-1"] == "exited"
