from typing import Any

import pytest

from cntnr_compose.containers.spec.capabilities import ALL, DEFAULT, build_capability_sets
from cntnr_compose.containers.spec.exec_process import build_exec_process
from cntnr_compose.containers.spec.inputs import HostFacts, SpecInputs
from cntnr_compose.containers.spec.process import WorkingDirectoryInvalid
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.containers.spec.users import IdNotMapped
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Hook, Service

PASSWD = "root:x:0:0::/root:/bin/sh\napp:x:100:101::/:/bin/sh\n"
GROUP = "audio:x:29:app\n"


def base(**service: Any) -> dict[str, Any]:
    words: dict[str, Any] = {"command": ("serve",), "environment": {"A": "1"}, **service}
    setting = SpecInputs(id="a1", rootfs="/r", hostname="box", passwd=PASSWD, console_size=(24, 80))
    made = build_runtime_spec(Service(name="web", **words), ImageConfig(), setting, HostFacts())
    return made.spec["process"]


def joined(container: dict[str, Any], *words: str, **more: Any) -> dict[str, Any]:
    options = {name: more.pop(name) for name in ("tty", "console", "id_count") if name in more}
    run = Hook(command=words or ("true",), **more)
    return build_exec_process(
        container, run, passwd=PASSWD, group=GROUP, **{"id_count": 65537, **options}
    )


def test_what_is_left_empty_is_as_in_the_container() -> None:
    container = base(user="app", working_dir="/srv", security_opt=("no-new-privileges",))
    before = {**container}
    process = joined(container, "ls", "-l")
    assert process == {**before, "args": ["ls", "-l"]}
    assert container == before


def test_environment_is_laid_over_the_containers() -> None:
    process = joined(base(), environment={"A": None, "B": "x=y"})
    assert process["env"][1:] == ["HOSTNAME=box", "B=x=y"]


def test_other_user_is_looked_up_and_loses_roots_capabilities() -> None:
    process = joined(base(), user="app")
    assert process["user"] == {"uid": 100, "gid": 101, "additionalGids": [101, 29]}
    assert process["capabilities"] == {"bounding": list(DEFAULT)}


def test_root_gets_what_the_container_may_have_at_most() -> None:
    process = joined(base(user="app", cap_drop=("ALL",), cap_add=("CHOWN",)), user="root")
    assert process["capabilities"]["effective"] == ["CAP_CHOWN"]


def test_privileged_has_all_capabilities() -> None:
    process = joined(base(user="app"), privileged=True)
    assert process["user"]["uid"] == 100
    assert process["capabilities"] == build_capability_sets(ALL, 0)


def test_terminal_is_its_own_matter() -> None:
    process = joined(base(), tty=True, console=(33, 99))
    assert process["terminal"] is True
    assert process["consoleSize"] == {"height": 33, "width": 99}
    assert "TERM=xterm" in process["env"]
    without = joined(base(tty=True))
    assert without["terminal"] is False
    assert "consoleSize" not in without


def test_bad_user_and_bad_folder_are_refused() -> None:
    with pytest.raises(IdNotMapped):
        joined(base(), user="app", id_count=1)
    with pytest.raises(WorkingDirectoryInvalid):
        joined(base(), working_dir="srv")
