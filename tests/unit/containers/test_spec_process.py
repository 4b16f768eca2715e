from typing import Any

import pytest

from cntnr_compose.containers.spec.process import (
    DEFAULT_PATH,
    NoCommand,
    WorkingDirectoryInvalid,
    build_command_line,
    build_environment,
    choose_working_dir,
)
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service


@pytest.mark.parametrize(
    ("image", "service", "expected"),
    [
        ({"cmd": ("a",)}, {}, ("a",)),
        ({"entrypoint": ("e",), "cmd": ("a",)}, {}, ("e", "a")),
        ({"entrypoint": ("e",), "cmd": ("a",)}, {"command": ("b",)}, ("e", "b")),
        ({"entrypoint": ("e",), "cmd": ("a",)}, {"command": ()}, ("e",)),
        ({"entrypoint": ("e",), "cmd": ("a",)}, {"entrypoint": ("f",)}, ("f",)),
        ({"entrypoint": ("e",), "cmd": ("a",)}, {"entrypoint": ("f",), "command": ("b",)}, ("f", "b")),
        ({"entrypoint": ("e",), "cmd": ("a",)}, {"entrypoint": ()}, ("a",)),
        ({"entrypoint": ("e",), "cmd": ("a",)}, {"entrypoint": (), "command": ("b",)}, ("b",)),
        ({"entrypoint": ("e",), "cmd": ("a",)}, {"entrypoint": ("",), "command": ("b",)}, ("b",)),
    ],
)  # fmt: skip
def test_service_and_image_both_say_what_runs(
    image: dict[str, Any], service: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert build_command_line(Service(name="web", **service), ImageConfig(**image)) == expected


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(NoCommand) as caught:
        build_command_line(Service(name="web", command=()), ImageConfig(cmd=("a",)))
    assert str(caught.value) == "cannot run service web: no command specified"


def test_service_wins_over_image_and_image_over_docker() -> None:
    service = Service(name="web", tty=True, environment={"B": "service", "C": "service"})
    image = ImageConfig(env=("A=image", "B=image", "EMPTY=", "EQ=a=b", "odd"))
    assert build_environment(service, image, hostname="box", extra={"C": "more"}) == {
        "PATH": DEFAULT_PATH,
        "HOSTNAME": "box",
        "TERM": "xterm",
        "A": "image",
        "B": "service",
        "EMPTY": "",
        "EQ": "a=b",
        "C": "more",
    }


def test_variable_without_value_is_unset() -> None:
    service = Service(name="web", environment={"A": None, "PATH": None, "NEVER": None})
    assert build_environment(service, ImageConfig(env=("A=image", "B=image"))) == {"B": "image"}


def test_working_directory_is_the_first_that_is_set() -> None:
    assert choose_working_dir("", "") == "/"
    assert choose_working_dir("", "/srv") == "/srv"
    assert choose_working_dir("/app", "/srv") == "/app"
    with pytest.raises(WorkingDirectoryInvalid) as caught:
        choose_working_dir("app", "/srv")
    assert str(caught.value) == (
        "the working directory 'app' is invalid, it needs to be an absolute path"
    )
