"""Names by `links` hold for the service that has the link, and follow its target."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.reach import SAYS, addresses, answers, looked_up

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


def test_an_alias_holds_for_the_service_that_has_the_link(project: MakeProject) -> None:
    here = project(LINKS)
    here.up()
    a, b = addresses(here, "a"), addresses(here, "b")
    c, d = addresses(here, "c")["eth0"], addresses(here, "d")["eth0"]
    names = ("foo", "bar.example", "a", "b", "c", "d")
    home, side = {b["eth0"]}, {b["eth1"]}
    plain = {"a": {a["eth0"]}, "b": home, "c": {c}, "d": {d}}
    for server in ("", "127.0.0.11"):
        # A link's alias comes before the name of a service.
        own = {"foo": {a["eth0"]}, "bar.example": home, "d": {a["eth0"]}}
        assert looked_up(here, "c", *names, server=server) == plain | own
        assert looked_up(here, "d", *names, server=server) == plain | {"foo": home}
        assert looked_up(here, "a", *names, server=server) == plain
        assert looked_up(here, "e", "foo", "b", server=server) == {
            "foo": home | side,
            "b": {a["eth0"]},
        }
        swapped = {"a": home, "b": {a["eth0"]}, "c": {c}, "d": {d}}
        assert looked_up(here, "swapped", *names, server=server) == swapped
        assert looked_up(here, "same", "foo", server=server) == {"foo": home}
    said = answers(here, "c", "foo/who", "bar.example/who", "b/who", "a/who")
    assert said == {"foo/who": "ha", "bar.example/who": "hb", "b/who": "hb", "a/who": "ha"}
    # Programs ask for both kinds of addresses: that there is none of IPv6 is no error.
    both = here.exec("c", "nslookup", "bar.example")
    assert both.returncode == 0, both
    assert "NXDOMAIN" not in both.stdout + both.stderr


def test_an_alias_follows_its_target(project: MakeProject) -> None:
    here = project(LINKS)
    here.up("c")
    assert looked_up(here, "c", "foo") == {"foo": {addresses(here, "a")["eth0"]}}
    here.up("--no-recreate", "--scale", "a=3", "a")
    three = {addresses(here, "a", index=number)["eth0"] for number in (1, 2, 3)}
    assert looked_up(here, "c", "foo") == {"foo": three}
    here.up("-t", "0", "--force-recreate", "--scale", "a=1", "a")
    assert looked_up(here, "c", "foo") == {"foo": {addresses(here, "a")["eth0"]}}
    here.compose("stop", "-t", "0", "a").ok()
    assert looked_up(here, "c", "foo", "bar.example").keys() == {"bar.example"}
    here.compose("start", "a").ok()
    here.compose("restart", "-t", "0", "c").ok()
    assert looked_up(here, "c", "foo") == {"foo": {addresses(here, "a")["eth0"]}}
    ran = here.compose("run", "--rm", "-T", "c", "nslookup", "-type=a", "foo").ok().stdout
    assert addresses(here, "a")["eth0"] in ran


def test_a_small_network_has_resolvers_for_many_links(project: MakeProject) -> None:
    linked = "".join(f'  c{n}: {{<<: *says, links: ["a:is-{n}"]}}\n' for n in range(4))
    here = project(
        f"x-says: &says {SAYS}\nservices:\n  a: {{<<: *says, hostname: ha}}\n{linked}"
        "networks: {default: {ipam: {config: [{subnet: 10.69.0.0/28}]}}}\n"
    )
    here.up()
    at = addresses(here, "a")["eth0"]
    for n in range(4):
        found = looked_up(here, f"c{n}", *(f"is-{other}" for other in range(4)))
        assert found == {f"is-{n}": {at}}
    every = {address for n in range(4) for address in addresses(here, f"c{n}").values()}
    assert len({*every, at}) == 5


@pytest.mark.parametrize(
    "alias", ["two words", "x\\nserver=192.0.2.1", "a..b", "a.{name}.internal"]
)
def test_what_is_no_name_is_refused(project: MakeProject, alias: str) -> None:
    here = project()
    link = alias.replace("{name}", here.name)
    here.write(
        "compose.yaml",
        f"""
services:
  a: {{image: busybox, command: sleep 900, stop_signal: KILL}}
  c: {{image: busybox, command: sleep 900, stop_signal: KILL, links: ["a:{link}"]}}
""",
    )
    refused = here.compose("up", "-d")
    assert refused.returncode == 1
    assert "cannot link service c" in refused.stderr
    assert "Traceback" not in refused.stderr
    here.compose("down", "-t", "0").ok()
