"""Names by `links` and `external_links` hold for the service that has the link, and follow its target."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.reach import SAYS, addresses, answers, look_up

pytestmark = pytest.mark.usefixtures("busybox_image")

LINKS = f"""
x-says: &says {SAYS}
services:
  a: {{<<: *says, hostname: ha}}
  b: {{<<: *says, hostname: hb, networks: [default, side]}}
  c: {{<<: *says, links: ["a:foo", "b:bar.example", "a:D", "b", "a:a"]}}
  d: {{<<: *says, links: ["b:foo"]}}
  e: {{<<: *says, networks: [side, default], links: ["b:foo", "a:b"]}}
  swapped: {{<<: *says, links: ["a:b", "b:a"]}}
  same: {{<<: *says, links: ["b:foo"]}}
networks: {{default: , side: }}
"""


def test_an_alias_holds_for_the_service_that_has_the_link(make_project: MakeProject) -> None:
    project = make_project(LINKS)
    project.up()
    a, b = addresses(project, "a"), addresses(project, "b")
    c, d = addresses(project, "c")["eth0"], addresses(project, "d")["eth0"]
    names = ("foo", "bar.example", "a", "b", "c", "d")
    home, side = {b["eth0"]}, {b["eth1"]}
    plain = {"a": {a["eth0"]}, "b": home, "c": {c}, "d": {d}}
    for server in ("", "127.0.0.11"):
        # A link's alias comes before the name of a service.
        own = {"foo": {a["eth0"]}, "bar.example": home, "d": {a["eth0"]}}
        assert look_up(project, "c", *names, server=server) == plain | own
        assert look_up(project, "d", *names, server=server) == plain | {"foo": home}
        assert look_up(project, "a", *names, server=server) == plain
        assert look_up(project, "e", "foo", "b", server=server) == {
            "foo": home | side,
            "b": {a["eth0"]},
        }
        swapped = {"a": home, "b": {a["eth0"]}, "c": {c}, "d": {d}}
        assert look_up(project, "swapped", *names, server=server) == swapped
        assert look_up(project, "same", "foo", server=server) == {"foo": home}
    bodies = answers(project, "c", "foo/who", "bar.example/who", "b/who", "a/who")
    assert bodies == {"foo/who": "ha", "bar.example/who": "hb", "b/who": "hb", "a/who": "ha"}
    # Programs ask for both kinds of addresses: that there is none of IPv6 is no error.
    both = project.exec("c", "nslookup", "bar.example")
    assert both.returncode == 0, both
    assert "NXDOMAIN" not in both.stdout + both.stderr


def test_an_alias_follows_its_target(make_project: MakeProject) -> None:
    project = make_project(LINKS)
    project.up("c")
    assert look_up(project, "c", "foo") == {"foo": {addresses(project, "a")["eth0"]}}
    project.up("--no-recreate", "--scale", "a=3", "a")
    three = {addresses(project, "a", index=number)["eth0"] for number in (1, 2, 3)}
    assert look_up(project, "c", "foo") == {"foo": three}
    project.up("-t", "0", "--force-recreate", "--scale", "a=1", "a")
    assert look_up(project, "c", "foo") == {"foo": {addresses(project, "a")["eth0"]}}
    project.compose("stop", "-t", "0", "a").ok()
    assert look_up(project, "c", "foo", "bar.example").keys() == {"bar.example"}
    project.compose("start", "a").ok()
    project.compose("restart", "-t", "0", "c").ok()
    assert look_up(project, "c", "foo") == {"foo": {addresses(project, "a")["eth0"]}}
    ran = project.compose("run", "--rm", "-T", "c", "nslookup", "-type=a", "foo").ok().stdout
    assert addresses(project, "a")["eth0"] in ran


def test_a_small_network_has_resolvers_for_many_links(make_project: MakeProject) -> None:
    linked = "".join(f'  c{n}: {{<<: *says, links: ["a:is-{n}"]}}\n' for n in range(4))
    project = make_project(
        f"x-says: &says {SAYS}\nservices:\n  a: {{<<: *says, hostname: ha}}\n{linked}"
        "networks: {default: {ipam: {config: [{subnet: 10.69.0.0/28}]}}}\n"
    )
    project.up()
    at = addresses(project, "a")["eth0"]
    for n in range(4):
        addresses_by_name = look_up(project, f"c{n}", *(f"is-{other}" for other in range(4)))
        assert addresses_by_name == {f"is-{n}": {at}}
    every = {address for n in range(4) for address in addresses(project, f"c{n}").values()}
    assert len({*every, at}) == 5


OTHER = f"""
x-says: &says {SAYS}
services:
  db: {{<<: *says, hostname: theirs, networks: {{lan: {{aliases: [store]}}}}}}
networks: {{lan: {{name: NAME}}}}
"""
LINKING = f"""
x-says: &says {SAYS}
services:
  db: {{<<: *says, hostname: ours, networks: [lan]}}
  linking:
    <<: *says
    networks: [lan, default]
    external_links: ["OTHER-db-1:database", OTHER-db-1, "store:shop", "nobody:none", "db:swap", "swap:db"]
  plain: {{<<: *says, networks: [lan]}}
  apart: {{<<: *says, external_links: ["OTHER-db-1:database"]}}
networks: {{default: , lan: {{name: NAME, external: true}}}}
"""


def test_external_links_name_containers_of_other_projects(make_project: MakeProject) -> None:
    other, project = make_project(), make_project()
    for each, text in ((other, OTHER), (project, LINKING)):
        named = text.replace("NAME", f"{other.name}-lan").replace("OTHER", other.name)
        each.write("compose.yaml", named)
    try:
        other.up()
        done = project.up()
        assert "external_links" not in done.stderr
        theirs = {addresses(other, "db")["eth0"]}
        names = ("database", f"{other.name}-db-1", "shop", "none", "swap")
        both = theirs | {addresses(project, "db")["eth0"]}
        assert look_up(project, "linking", *names) == {
            "database": theirs, names[1]: theirs, "shop": theirs, "swap": both
        }  # fmt: skip
        assert look_up(project, "plain", *names).keys() == {names[1]}
        assert look_up(project, "apart", *names) == {}
        assert answers(project, "linking", "database/who") == {"database/who": "theirs"}
        other.up("-t", "0", "--force-recreate", "--scale", "db=2")
        theirs = {addresses(other, "db", index=number)["eth0"] for number in (1, 2)}
        assert look_up(project, "linking", "shop", "database") == {
            "shop": theirs,
            "database": {addresses(other, "db")["eth0"]},
        }
    finally:
        project.compose("down", "-t", "0").ok()


@pytest.mark.parametrize(
    "alias", ["two words", "x\\nserver=192.0.2.1", "a..b", "a.{name}.internal"]
)
def test_what_is_no_name_is_refused(make_project: MakeProject, alias: str) -> None:
    project = make_project()
    link = alias.replace("{name}", project.name)
    project.write(
        "compose.yaml",
        f"""
services:
  a: {{image: busybox, command: sleep 900, stop_signal: KILL}}
  c: {{image: busybox, command: sleep 900, stop_signal: KILL, links: ["a:{link}"]}}
""",
    )
    refusal = project.compose("up", "-d")
    assert refusal.returncode == 1
    assert "cannot link service c" in refusal.stderr
    assert "Traceback" not in refusal.stderr
    project.compose("down", "-t", "0").ok()
