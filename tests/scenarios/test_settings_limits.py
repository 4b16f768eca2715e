"""Limits that take a cgroup, how many containers there are, and where output goes."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, wait_until
from tests.scenarios.oneshots import read_logs, wait_for_exits

pytestmark = pytest.mark.runtimes

KEYS = """
    cpus: 0.5
    cpu_shares: 512
    cpuset: "0"
    mem_limit: 64m
    mem_reservation: 32m
    pids_limit: 100
    blkio_config: {weight: 300}"""


def may_limit(user: User) -> bool:
    """Return whether this user may create cgroups below his own."""
    script = "from cntnr_compose.host import cgroups; print(cgroups.find_delegated() is not None)"
    result = user.run(f"{user.venv}/bin/python", "-c", script, env={"PYTHONPATH": str(user.tree)})
    return result.ok().stdout.strip() == "True"


def test_limits_without_cgroups_are_said_once_each(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    if may_limit(user):
        pytest.skip("this user may make cgroups, so that limits are honoured")
    project = make_project(f"""
services:
  old:
    image: {busybox_image}
    command: echo ran
    scale: 2{KEYS}
  new:
    image: {busybox_image}
    command: echo ran
    deploy:
      resources:
        limits: {{cpus: "0.5", memory: 64M, pids: 100}}
        reservations: {{memory: 32M}}
""")
    stderr = project.up().stderr
    reason = "not honoured, since this user may not make cgroups"
    old = [
        "cpus",
        "cpu_shares",
        "cpuset",
        "mem_limit",
        "mem_reservation",
        "pids_limit",
        "blkio_config",
    ]
    below = "deploy.resources"
    new = [f"{below}.limits.{key}" for key in ("cpus", "memory", "pids")]
    keys = [f"services.old.{key}" for key in old]
    keys += [f"services.new.{key}" for key in (*new, f"{below}.reservations.memory")]
    assert {line: stderr.count(f"{line}: {reason}") for line in keys} == dict.fromkeys(keys, 1)
    assert stderr.count(reason) == len(keys)
    assert set(wait_for_exits(project).values()) == {0}
    assert read_logs(project) == {"old": ["ran", "ran"], "new": ["ran"]}

    again = project.up("--force-recreate").stderr
    assert again.count(reason) == len(keys)


def test_limits_that_no_machine_could_honour_are_refused(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project()
    for setting, message in {
        "mem_limit: 1m": "minimum memory limit allowed is 6MB",
        "mem_limit: 64m\n    mem_reservation: 128m": "smaller than the memory limit",
        "logging: {driver: syslog, options: {syslog-address: http://x}}": "syslog-address",
        "logging: {options: {max-size: lots}}": "max-size",
        "logging: {options: {max-size: 1m, max-file: few}}": "max-file",
        "cpus: 0.5\n    cpu_quota: 1000": "cpu_quota",
    }.items():
        project.write(
            "compose.yaml",
            f"services:\n  one:\n    image: {busybox_image}\n    command: 'true'\n    {setting}\n",
        )
        failed = project.compose("up", "-d")
        assert (failed.returncode, message in failed.stderr) == (1, True), str(failed)
        assert "internal error" not in failed.stderr


def test_replicas_are_numbered_and_follow_scale(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sleep 1000}}
        services:
          two: {{<<: *small, scale: 2}}
          three: {{<<: *small, deploy: {{replicas: 3}}}}
          none: {{<<: *small, scale: 0}}
        """)

    def numbers() -> dict[str, list[str]]:
        numbers_by_service: dict[str, list[str]] = {}
        for name in sorted(project.states()):
            _, service, number = name.rsplit("-", 2)
            numbers_by_service.setdefault(service, []).append(number)
        return numbers_by_service

    project.up()
    assert numbers() == {"two": ["1", "2"], "three": ["1", "2", "3"]}
    before = {row["Name"]: row["ID"] for row in project.ps()}
    project.up("--scale", "two=3", "--scale", "three=1", "--scale", "none=1", "-t", "0")
    assert numbers() == {"two": ["1", "2", "3"], "three": ["1"], "none": ["1"]}
    after = {row["Name"]: row["ID"] for row in project.ps()}
    kept = [f"{project.name}-{one}" for one in ("two-1", "two-2", "three-1")]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    project.compose("scale", "two=1", "three=2").ok()
    assert numbers() == {"two": ["1"], "three": ["1", "2"], "none": ["1"]}
    project.up("-t", "0")
    assert numbers() == {"two": ["1", "2"], "three": ["1", "2", "3"]}
    wrong = project.compose("up", "-d", "--scale", "five=1")
    assert (wrong.returncode, "no such service: five" in wrong.stderr) == (1, True), str(wrong)


def test_logs_are_kept_as_asked(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-talk: &talk
          image: {busybox_image}
          command:
            - sh
            - -c
            - |
              i=0; while test $$i -lt 3000; do echo line $$i of many; i=$$((i+1)); done
              sleep 1000
          init: true
        services:
          all: {{<<: *talk}}
          one: {{<<: *talk, logging: {{options: {{max-size: 20k}}}}}}
          three:
            <<: *talk
            logging: {{driver: json-file, options: {{max-size: 20k, max-file: "3"}}}}
          none: {{<<: *talk, logging: {{driver: none}}}}
        """)

    def lines(service: str) -> list[str]:
        words = ("logs", "--no-log-prefix", "--no-color", service)
        return project.compose(*words).ok().stdout.splitlines()

    def size(service: str) -> int:
        place = next(folder.glob(f"{identities[service]}*"))
        files = {(path.stat().st_ino, path.stat().st_size) for path in place.glob("log*")}
        return sum(count for _, count in files)

    project.up()
    identities = {row["Service"]: row["ID"] for row in project.ps()}
    folder = project.user.data / "containers" / project.name
    for service in ("all", "one", "three"):
        wait_until(
            lambda name=service: lines(name)[-1:] == ["line 2999 of many"], what="is written"
        )
    assert lines("all") == [f"line {number} of many" for number in range(3000)]
    assert size("all") > 100_000
    assert lines("none") == []
    assert "its logging driver is none" in project.compose("logs").stderr
    assert size("none") == 0
    kept = lines("one")
    assert kept == [f"line {number} of many" for number in range(3000 - len(kept), 3000)]
    assert (len(kept) > 10, size("one") <= 20 << 10) == (True, True)
    assert size("three") <= 3 * 20 << 10
