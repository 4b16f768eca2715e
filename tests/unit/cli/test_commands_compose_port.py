"""`port` prints where a port is published."""

from cntnr_compose.model.observed import PublishedPort
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


def test_a_port_that_is_not_published_is_told_with_those_that_are(
    compose: Run, shop: FakeSupervisor
) -> None:
    shop.containers = [
        container("web", published=(PublishedPort(url="1.2.3.4", target=80, published=8),))
    ]
    ran = compose("port", "--protocol", "udp", "web", "80")
    assert ran.code == 1
    assert ran.err == (
        "error: no port 80/udp for container shop-web-1\nhint: published are 1.2.3.4:8->80/tcp\n"
    )
    assert compose("port", "db", "80").err == 'error: service "db" is not running\n'
