"""`cntnr system`, `info` and `version`: what there is on this machine, what takes room, and what may go."""

import json
import os

import pytest

from cntnr_compose import __version__
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, assert_refused

pytestmark = pytest.mark.usefixtures("busybox_image")

TWO = """
services:
  runs: {image: busybox, command: sleep 100, stop_signal: KILL, volumes: ["data:/data"]}
  ends: {image: busybox, command: "true"}
volumes: {data: {}}
"""


def test_versions_of_all_parts(user: User) -> None:
    text = user.run("cntnr", "version").ok().stdout
    assert f"Client:\n Version:           {__version__}\n" in text
    assert " runc:\n  Version:          1." in text
    described = json.loads(user.run("cntnr", "version", "--format", "json").ok().stdout)
    parts = {part["Name"]: part["Version"] for part in described["Server"]["Components"]}
    assert {"Engine", "runc", "conmon", "rootlesskit", "slirp4netns", "skopeo"} <= parts.keys()
    line = user.run("cntnr", "version", "-f", "{{.Client.Version}} {{.Server.Os}}").ok().stdout
    assert line == f"{__version__} linux\n"
    assert_refused(user.run("cntnr", "version", "-f", "{{.Nope}}"), 'no field "Nope"')


def test_info_and_df_count_what_there_is(make_project: MakeProject) -> None:
    project = make_project(TWO)
    project.up()
    project.compose("wait", "ends").ok()
    info = project.cntnr("info", "--format", "json").ok().json
    counts = [info[f"Containers{state}"] for state in ("", "Running", "Paused", "Stopped")]
    assert counts == [2, 1, 0, 1]
    assert info["NCPU"] == len(os.sched_getaffinity(0))
    assert info["Images"] > 0
    assert "name=rootless" in info["SecurityOptions"]
    assert info["DefaultRuntime"] in info["Runtimes"]
    line = project.cntnr("system", "info", "-f", "{{.ContainersRunning}} {{.Driver}}").ok().stdout
    assert line == "1 overlay\n"
    seen = project.cntnr(
        "system", "events", "--since", "10m", "--until", "0s", "-f", "event=die"
    ).ok()
    assert f"name={project.name}-ends-1" in seen.stdout
    text = project.cntnr("info").ok().stdout
    assert " Containers: 2\n  Running: 1\n  Paused: 0\n  Stopped: 1\n Images: " in text

    project.exec("runs", "dd", "if=/dev/zero", "of=/data/file", "bs=1M", "count=2").ok()
    lines = project.cntnr("system", "df").ok().stdout.splitlines()
    assert lines[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    [volumes] = [line for line in lines if line.startswith("Local Volumes")]
    assert volumes.split()[2:] == ["1", "1", "2.1MB", "0B", "(0%)"]
    types = project.cntnr("system", "df", "--format", "{{.Type}}").ok().stdout.splitlines()
    assert types == ["Images", "Containers", "Local Volumes", "Build Cache"]
    details = project.cntnr("system", "df", "-v").ok().stdout
    assert "COMMAND" in details
    assert '"sleep 100"' in details
    everything = project.cntnr("system", "df", "--verbose", "--format", "json").ok().json
    [volume] = everything["Volumes"]
    assert (volume["Name"], volume["Links"], volume["Size"]) == (
        f"{project.name}_data",
        "1",
        "2.1MB",
    )
    states = {one["Names"]: one["State"] for one in everything["Containers"]}
    assert states == {f"{project.name}-runs-1": "running", f"{project.name}-ends-1": "exited"}


def test_prune_takes_what_nobody_uses(make_project: MakeProject) -> None:
    project = make_project("""
services:
  runs: {image: busybox, command: sleep 100, stop_signal: KILL, networks: [used]}
  ends: {image: busybox, command: "true", networks: [used], labels: {keep: "1"}, volumes: [/anonymous]}
networks: {used: {}}
""")
    project.cntnr("system", "prune", "-f").ok()  # what other tests have left
    project.up()
    project.compose("wait", "ends").ok()
    project.cntnr("network", "create", "free").ok()
    project.cntnr("volume", "create", "named").ok()
    ids = {one["Service"]: one["ID"] for one in project.ps("-a", "--no-trunc")}

    asked = project.cntnr("system", "prune", "-a", "--volumes", "--filter", "label!=x", stdin="n\n")
    assert asked.ok().stdout == ""
    assert "  - all anonymous volumes not used by at least one container\n" in asked.stderr
    assert "filtered with:\n  - label!=x\n" in asked.stderr
    refused = project.cntnr("system", "prune", "--volumes", "--filter", "until=1h")
    assert_refused(refused, 'the "until" filter is not supported with "--volumes"')
    assert_refused(project.cntnr("system", "prune", "-f", "--filter", "a=b"), "invalid filter")
    kept = project.cntnr("system", "prune", "-f", "--filter", "until=1h").ok().stdout
    kept += project.cntnr("system", "prune", "--force", "--filter", "label=other").ok().stdout
    assert kept == "Total reclaimed space: 0B\n" * 2

    pruned = project.cntnr("system", "prune", "--force", "--volumes").ok().stdout
    assert pruned.startswith(f"Deleted Containers:\n{ids['ends']}\n\nDeleted Volumes:\n")
    assert "\n\nDeleted Networks:\nfree\n\n" in pruned
    assert pruned.splitlines()[-1].startswith("Total reclaimed space: ")
    assert [one["ID"] for one in project.ps("-a", "--no-trunc")] == [ids["runs"]]
    volumes = project.cntnr("volume", "ls", "-q").ok().stdout.split()
    assert volumes == ["named"]
    everything = project.cntnr("system", "prune", "--all", "-f").ok().stdout
    assert "busybox" not in everything  # a container runs of it
    project.cntnr("volume", "rm", "named").ok()


def test_gc_takes_bundles_and_images_that_were_not_used_for_long(
    make_project: MakeProject, user: User
) -> None:
    project = make_project("services: {a: {image: busybox, command: sleep 100, stop_signal: KILL}}")
    project.up()  # its image stays
    for number in "123":
        words = ("--from", "busybox", "--run", f"echo {number} >/number", "--tag", f"gc:{number}")
        project.cntnr("image", "create", *words).ok()
    project.cntnr("bundle", "create", "-b", "old", "gc:3", "true").ok()

    kept = project.cntnr("gc").ok().stdout
    assert kept == "Total reclaimed space: 0B\n"
    shown = project.cntnr("gc", "-b", "0", "-i", "0", "-m", "2", "--dry-run").ok().stdout
    assert shown.startswith("old\nWould delete:\n")
    assert [line for line in shown.splitlines() if " gc:" in line] == ["untagged: gc:1"]
    assert project.cntnr("bundle", "ls", "-q").ok().stdout == "old\n"
    for words, text in (
        (("--bundle-ttl", "soon"), 'invalid duration "soon" for --bundle-ttl'),
        (("--image-ttl", "x"), 'invalid duration "x" for --image-ttl'),
        (("--max", "-1"), "invalid number for --max"),
    ):
        assert_refused(project.cntnr("gc", *words), text)
    gone = project.cntnr("gc", "-b", "0", "-i", "0", "-m", "2").ok().stdout
    assert gone.startswith("old\nDeleted Images:\n")
    assert [line for line in gone.splitlines() if " gc:" in line] == ["untagged: gc:1"]
    assert project.cntnr("bundle", "ls", "-q").ok().stdout == ""
    names = project.cntnr("image", "ls", "gc", "--format", "{{.Tag}}").ok().stdout.split()
    assert sorted(names) == ["2", "3"]
    project.cntnr("gc", "--image-ttl", "0", "--ref-ttl", "1ns").ok()
    assert project.cntnr("image", "ls", "-q", "gc").ok().stdout == ""
    assert project.cntnr("image", "ls", "-q", "busybox").ok().stdout != ""
