"""Networks of which a part is missing, since a program failed or somebody took it away."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, free_port, http_answers, wait_until
from tests.scenarios.reach import SAYS, answers, look_up

pytestmark = pytest.mark.usefixtures("busybox_image")
Leftovers = Callable[[], list[str]]

STACK = f"""
x-says: &says {SAYS}
services:
  a: {{{{<<: *says, hostname: a, networks: [front, back], ports: ["127.0.0.1:{{port}}:80"]}}}}
  b: {{{{<<: *says, hostname: b, networks: [back]}}}}
networks: {{{{front: , back: }}}}
"""
# A program that fails once where it is told to, after it has heard what it should do.
WRAPPER = """#!/bin/sh
case " $*" in
  *" {word}"*) if rm "{flag}" 2>/dev/null; then cat >/dev/null; echo "{name} fails" >&2; exit 1; fi
esac
exec {real} "$@"
"""


class Shaky:
    """A project on a machine where programs can be made to fail."""

    def __init__(self, make_project: MakeProject) -> None:
        self.port = free_port()
        self.project = make_project(STACK.format(port=self.port))
        for name, word in {"nft": "-f", "ip": "-batch", "dnsmasq": "--conf-file"}.items():
            real = next(at for at in (f"/usr/sbin/{name}", f"/sbin/{name}") if Path(at).exists())
            flag = self.project.folder / f"fail-{name}"
            text = WRAPPER.format(flag=flag, name=name, real=real, word=word)
            self.project.write(f"bin/{name}", text, mode=0o755)
        self.env = {"PATH": f"{self.project.folder}/bin:{self.project.user.env()['PATH']}"}

    def fails_next(self, name: str) -> None:
        self.project.write(f"fail-{name}", "")

    def has_failed(self, name: str) -> bool:
        return not (self.project.folder / f"fail-{name}").exists()

    def up(self, *words: str) -> None:
        self.project.up(*words, env=self.env)

    def works(self) -> None:
        """Check that everything is there: ports, names, neighbours, rules, addresses."""
        assert http_answers(f"http://127.0.0.1:{self.port}/who") == "a\n"
        assert answers(self.project, "b", "a/who") == {"a/who": "a"}
        assert set(look_up(self.project, "a", "a", "b")) == {"a", "b"}
        wait_until(lambda: len(parts.find(self.project.user, "dnsmasq")) == 3, timeout=8)
        rules = inside(self.project, "nft", "list", "ruleset")
        assert rules.count("masquerade") == 2, rules
        assert rules.count("fib daddr type local drop") == 2, rules
        assert rules.count("table inet p_") == 1, rules


def inside(project: Project, program: str, *words: str) -> str:
    """Run a program in the holder's network namespace; return its output."""
    [holder] = parts.find(project.user, "holder's child")
    way = ("nsenter", "-U", "--preserve-credentials", "-m", "-n", "-t", str(holder.pid))
    return project.user.run(*way, f"/usr/sbin/{program}", *words).ok().stdout


def bridges(project: Project) -> list[str]:
    lines = inside(project, "ip", "-o", "link", "show", "type", "bridge").splitlines()
    return [line.split(": ")[1] for line in lines]


@pytest.mark.parametrize("program", ["nft", "ip"])
def test_a_program_that_fails_once_in_down_does_no_harm(
    make_project: MakeProject, leftovers: Leftovers, program: str
) -> None:
    shaky = Shaky(make_project)
    shaky.up()
    shaky.works()
    shaky.fails_next(program)
    message = assert_refused(
        shaky.project.compose("down", "-t", "0"), f" down: {program} fails", "hint: "
    )
    assert shaky.has_failed(program)
    assert "cannot take network " in message
    assert shaky.project.ps() == [], "everything else is gone all the same"
    shaky.up()
    shaky.works()
    shaky.project.down()
    assert leftovers() == []


@pytest.mark.parametrize("program", ["nft", "ip"])
def test_a_down_that_failed_is_brought_to_its_end(
    make_project: MakeProject, leftovers: Leftovers, program: str
) -> None:
    shaky = Shaky(make_project)
    shaky.up()
    shaky.fails_next(program)
    assert_refused(shaky.project.compose("down", "-t", "0"), f" down: {program} fails")
    assert leftovers() == [], "the supervisor tries again, and goes then"


@pytest.mark.parametrize("program", ["nft", "ip", "dnsmasq"])
def test_a_program_that_fails_once_in_up_does_no_harm(
    make_project: MakeProject, leftovers: Leftovers, program: str
) -> None:
    shaky = Shaky(make_project)
    shaky.fails_next(program)
    assert_refused(shaky.project.compose("up", "-d", env=shaky.env), f"{program} fails")
    assert shaky.has_failed(program)
    shaky.up()
    shaky.works()
    shaky.project.down()
    assert leftovers() == []


def delete_bridges(project: Project) -> None:
    for name in bridges(project):
        inside(project, "ip", "link", "del", name)


def take_addresses(project: Project) -> None:
    for name in bridges(project):
        inside(project, "ip", "addr", "flush", "dev", name)


def switch_off(project: Project) -> None:
    for name in bridges(project):
        inside(project, "ip", "link", "set", name, "down")


def delete_rules(project: Project) -> None:
    inside(project, "nft", "flush", "ruleset")


def end_resolvers(project: Project) -> None:
    parts.kill_all(project.user, "dnsmasq")


@pytest.mark.parametrize(
    "takes", [delete_bridges, take_addresses, switch_off, delete_rules, end_resolvers]
)
@pytest.mark.parametrize("verb", ["up -d", "up -d --force-recreate -t 0", "restart -t 0"])
def test_what_was_taken_away_from_outside_is_there_again(
    make_project: MakeProject, takes: Callable[[Project], None], verb: str
) -> None:
    shaky = Shaky(make_project)
    shaky.up()
    takes(shaky.project)
    shaky.project.compose(*verb.split()).ok()
    shaky.works()


def test_a_network_of_another_project_is_completed_by_who_joins_it(
    make_project: MakeProject,
) -> None:
    shaky = Shaky(make_project)
    shaky.up()
    guest = make_project(f"""
services:
  guest:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
networks: {{default: {{name: {shaky.project.name}_back, external: true}}}}
""")
    delete_rules(shaky.project)
    take_addresses(shaky.project)
    guest.up()
    assert answers(guest, "guest", "b/who") == {"b/who": "b"}
    rules = inside(guest, "nft", "list", "ruleset")
    assert rules.count("masquerade") == 2, rules
    guest.down()
