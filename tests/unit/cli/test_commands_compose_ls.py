"""`ls` lists projects."""

import json

from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


def test_ls_counts_containers_of_each_project(compose: Run, supervisor: FakeSupervisor) -> None:
    supervisor.containers = [
        container("web"),
        container("web", 2),
        container("db", state="exited"),
        container("x", project="other", state="exited"),
    ]
    assert [line.split() for line in compose("ls").out.splitlines()] == [
        ["NAME", "STATUS", "CONFIG", "FILES"],
        ["shop", "running(2)"],
    ]
    assert json.loads(compose("ls", "-a", "--format", "json").out) == [
        {"Name": "other", "Status": "exited(1)", "ConfigFiles": ""},
        {"Name": "shop", "Status": "exited(1), running(2)", "ConfigFiles": ""},
    ]
    assert compose("ls", "-aq", "--filter", "name=^o").out == "other\n"
    assert compose("ls", "--filter", "x").err.startswith('error: cannot filter by "x"')
