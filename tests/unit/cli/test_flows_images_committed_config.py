"""What a container was started with becomes the configuration of its image."""

import pytest

from cntnr_compose.builder.dockerfile.parser import DockerfileInvalid
from cntnr_compose.cli.flows.images.committed_config import (
    ChangeInvalid,
    apply_changes,
    container_config,
)
from cntnr_compose.core.values import to_tree
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Healthcheck, Port, Service

IMAGE = ImageConfig(
    env=("PATH=/bin", "OLD=1"), entrypoint=("e",), cmd=("c",), user="root",
    exposed_ports={"80/tcp": {}}, healthcheck=ImageHealthcheck(test=("CMD", "x"), retries=2),
)  # fmt: skip


def of(**service: object) -> ImageConfig:
    return container_config(
        Record(
            id="0" * 64, name="p-a-1", project="p", service="a", labels={"l": "m"},
            definition=Service(name="a", **service),  # type: ignore[arg-type]
            image_config=to_tree(IMAGE),
        )
    )  # fmt: skip


def test_what_the_service_does_not_say_is_the_image_s() -> None:
    config = of()
    assert (config.entrypoint, config.cmd, config.env) == (("e",), ("c",), IMAGE.env)
    assert (config.user, config.healthcheck, config.labels) == (
        "root", IMAGE.healthcheck, {"l": "m"},
    )  # fmt: skip


def test_the_service_wins() -> None:
    config = of(
        entrypoint=("f",),
        user="joe",
        environment={"OLD": None, "NEW": "2", "PATH": "/x"},
        expose=("81-82",),
        ports=(Port(target=53, protocol="udp"),),
        healthcheck=Healthcheck(interval=1.5),
    )
    # The image's command was meant for the image's entrypoint.
    assert (config.entrypoint, config.cmd, config.user) == (("f",), None, "joe")
    assert config.env == ("NEW=2", "PATH=/x")
    assert sorted(config.exposed_ports or ()) == ["53/udp", "80/tcp", "81/tcp", "82/tcp"]
    assert config.healthcheck == ImageHealthcheck(
        test=("CMD", "x"), retries=2, interval=1_500_000_000
    )
    off = of(healthcheck=Healthcheck(disable=True)).healthcheck
    assert off == ImageHealthcheck(test=("NONE",))


def test_changes_are_applied_in_order() -> None:
    config = apply_changes(IMAGE, ("ENV A=1", "env B=$A$OLD", 'ENTRYPOINT ["g"]'))
    assert config.env[-2:] == ("A=1", "B=11")
    assert (config.entrypoint, config.cmd) == (("g",), None)
    assert apply_changes(IMAGE, ('CMD ["d"]', "ENTRYPOINT g")).cmd == ("d",)
    assert apply_changes(IMAGE, ()) is IMAGE


@pytest.mark.parametrize("change", ["RUN x", "COPY a b", "from x", "ENV A=1\nRUN x", "", "  "])
def test_other_instructions_are_refused(change: str) -> None:
    with pytest.raises((ChangeInvalid, DockerfileInvalid), match="valid change command"):
        apply_changes(IMAGE, (change,))


def test_a_mistake_is_told_with_its_place() -> None:
    with pytest.raises(
        DockerfileInvalid, match="--change:2: EXPOSE requires at least one argument"
    ):
        apply_changes(IMAGE, ("ENV A=1", "EXPOSE"))
