"""The process of a container: command line, environment, directory, user."""

from typing import Any

import pytest

from cntnr_compose.containers.spec.capabilities import ALL, DEFAULT, build_capability_sets
from cntnr_compose.containers.spec.inputs import SpecInputs
from cntnr_compose.containers.spec.process import (
    DEFAULT_PATH,
    PROOT_LOADER,
    PROOT_PATH,
    NoCommand,
    ProotProgram,
    WorkingDirectoryInvalid,
    build_command_line,
    build_environment,
    build_exec_process,
    choose_working_dir,
    find_proot_command,
)
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.containers.spec.users import IdNotMapped, ProcessUser
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Hook, Service

PASSWD = "root:x:0:0::/root:/bin/sh\napp:x:100:101::/:/bin/sh\n"
GROUP = "audio:x:29:app\n"


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


def container_process(**service: Any) -> dict[str, Any]:
    words: dict[str, Any] = {"command": ("serve",), "environment": {"A": "1"}, **service}
    inputs = SpecInputs(id="a1", rootfs="/r", hostname="box", passwd=PASSWD, console_size=(24, 80))
    result = build_runtime_spec(Service(name="web", **words), ImageConfig(), inputs, HostFacts())
    return result.spec["process"]


def exec_process(container: dict[str, Any], *words: str, **more: Any) -> dict[str, Any]:
    options = {name: more.pop(name) for name in ("tty", "console_size", "id_count") if name in more}
    hook = Hook(command=words or ("true",), **more)
    return build_exec_process(
        container, hook, passwd=PASSWD, group=GROUP, **{"id_count": 65537, **options}
    )


def test_what_is_left_empty_is_as_in_the_container() -> None:
    container = container_process(
        user="app", working_dir="/srv", security_opt=("no-new-privileges",)
    )
    before = {**container}
    process = exec_process(container, "ls", "-l")
    assert process == {**before, "args": ["ls", "-l"]}
    assert container == before


def test_environment_is_laid_over_the_containers() -> None:
    process = exec_process(container_process(), environment={"A": None, "B": "x=y"})
    assert process["env"][1:] == ["HOSTNAME=box", "B=x=y"]


def test_other_user_is_looked_up_and_loses_roots_capabilities() -> None:
    process = exec_process(container_process(), user="app")
    assert process["user"] == {"uid": 100, "gid": 101, "additionalGids": [101, 29]}
    assert process["capabilities"] == {"bounding": list(DEFAULT)}


def test_root_gets_what_the_container_may_have_at_most() -> None:
    process = exec_process(
        container_process(user="app", cap_drop=("ALL",), cap_add=("CHOWN",)), user="root"
    )
    assert process["capabilities"]["effective"] == ["CAP_CHOWN"]


def test_privileged_has_all_capabilities() -> None:
    process = exec_process(container_process(user="app"), privileged=True)
    assert process["user"]["uid"] == 100
    assert process["capabilities"] == build_capability_sets(ALL, 0)


def test_terminal_is_its_own_matter() -> None:
    process = exec_process(container_process(), tty=True, console_size=(33, 99))
    assert process["terminal"] is True
    assert process["consoleSize"] == {"height": 33, "width": 99}
    assert "TERM=xterm" in process["env"]
    without = exec_process(container_process(tty=True))
    assert without["terminal"] is False
    assert "consoleSize" not in without


def test_bad_user_and_bad_folder_are_refused() -> None:
    with pytest.raises(IdNotMapped):
        exec_process(container_process(), user="app", id_count=1)
    with pytest.raises(WorkingDirectoryInvalid):
        exec_process(container_process(), working_dir="srv")


PROOT = ProotProgram(sources={PROOT_PATH: "/usr/bin/proot", PROOT_LOADER: "/lib/ld.so"})
STATIC_PROOT = ProotProgram(sources={PROOT_PATH: "/opt/proot"})


@pytest.mark.parametrize("program", [PROOT, STATIC_PROOT])
@pytest.mark.parametrize("init_path", ["", "/usr/bin/tini-static"])
def test_with_proot_everything_is_root_and_seems_to_be_another(
    program: ProotProgram, init_path: str
) -> None:
    service = Service(name="web", command=("run",), user="app", group_add=("29",))
    inputs = SpecInputs(id="a1", rootfs="/r", proot=program, passwd=PASSWD, group=GROUP)
    result = build_runtime_spec(
        service, ImageConfig(), inputs, HostFacts(mapped_ids=1, init_path=init_path)
    )
    process = result.spec["process"]
    assert process["user"] == {"uid": 0, "gid": 0}
    init = ["/sbin/docker-init", "-g", "--"] if init_path else []
    assert process["args"] == [*init, *program.argv, "-i", "100:101", "run"]
    assert {"HOME=/", "PROOT_TMP_DIR=/dev/proot"} <= set(process["env"])
    bound = {mount["destination"]: mount["source"] for mount in result.spec["mounts"]}
    assert program.sources.items() <= bound.items()
    assert any("group_add: PRoot fakes no further groups" in line for line in result.warnings)
    assert any("gets no signals" in line for line in result.warnings) is not bool(init_path)

    for user, words, home in (("", ["-i", "100:101"], "/"), ("root", ["-0"], "/root")):
        joined = build_exec_process(
            process, Hook(command=("ls",), user=user), passwd=PASSWD, group=GROUP, id_count=1
        )
        assert joined["args"] == [*program.argv, *words, "ls"]
        assert joined["user"] == {"uid": 0, "gid": 0}
        assert f"HOME={home}" in joined["env"]


@pytest.mark.parametrize(
    "args",
    [[], [PROOT_PATH], [PROOT_PATH, "-i"], [PROOT_PATH, "-i", "x:1"], ["sh", PROOT_PATH, "-0"],
     ["/sbin/docker-init", "-g", "--", PROOT_LOADER]],
)  # fmt: skip
def test_a_command_that_looks_like_proot_is_none(args: list[str]) -> None:
    assert find_proot_command(args) == ([], ProcessUser())
