"""`check` tells how keys fare; `up` and `plan` warn by the same table, and refuse."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.doctor import capabilities, checks
from cntnr_compose.model.host import HostCapabilities
from tests.unit.cli.conftest import Run

TEXT = """\
version: "3"
services:
  a:
    image: x
    cpus: 1
    restart: always
  b:
    extends: a
    profiles: [never]
    deploy:
      placement: {constraints: [c]}
"""


@pytest.fixture
def write(compose: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    check = checks.Check(name="cgroups", state="reduced", found="none", mend="delegate them")
    monkeypatch.setattr(capabilities, "detect_capabilities", HostCapabilities)
    monkeypatch.setattr(checks, "run_checks", lambda: [check])
    return lambda text: (Path("compose.yaml").write_text(text), None)[1]


def test_a_row_for_each_key_says_what_becomes_of_it_and_where(compose: Run, write: Run) -> None:
    write(TEXT)
    ran = compose("check")
    rows = {line.split()[0]: line.split(None, 2)[1:] for line in ran.out.splitlines() if line}
    assert ran.code == 0
    assert rows["services.*.image"] == ["honoured", "a, b"]
    assert rows["services.*.restart"][0] == "emulated"
    assert rows["services.*.deploy.placement"][0] == "reduced"
    assert rows["services.*.extends"][0] == "honoured"
    assert rows["version"] == ["metadata", "obsolete; any version means the same"]
    assert ran.out.splitlines()[-1].endswith("3 reduced, 0 refused")


def test_what_would_mend_it_is_told(compose: Run, write: Run) -> None:
    write(TEXT)
    assert "controller of cgroups; to mend it: delegate them" in compose("check").out


def test_strict_fails_where_a_key_is_not_honoured(compose: Run, write: Run) -> None:
    write(TEXT)
    assert compose("check", "--strict").code == 1
    write("services: {a: {image: x, restart: always}}")
    assert compose("check", "--strict").code == 0


def test_json_has_an_object_for_each_use_with_its_place(compose: Run, write: Run) -> None:
    write(TEXT)
    uses = {one["Path"]: one for one in json.loads(compose("check", "--format", "json").out)}
    assert uses["services.a.cpus"] == {
        "Key": "services.*.cpus",
        "Path": "services.a.cpus",
        "State": "reduced",
        "Note": "this user may not set the cpu controller of cgroups",
        "Place": f"{Path.cwd()}/compose.yaml:5:5",
        "Mend": "delegate them",
    }


def test_files_that_do_not_hold_together_are_told_instead(compose: Run, write: Run) -> None:
    write("services: {a: {image: x, depends_on: [b]}}")
    ran = compose("check")
    assert ran.code == 1
    assert 'service "a" depends on undefined service "b"' in ran.err


def test_a_plan_warns_of_keys_of_the_services_that_are_chosen(compose: Run, write: Run) -> None:
    write(
        "services: {a: {image: x, models: [m]}, b: {image: y, gpus: all}}\nmodels: {m: {model: z}}"
    )
    ran = compose("plan", "a")
    assert ran.code == 0
    assert "services.a.models: is not honoured: there is no runner of models here" in ran.err


def test_up_refuses_what_cannot_be_before_anything_is_done(compose: Run, write: Run) -> None:
    write("services: {a: {image: x, gpus: all, cap_add: [SYS_TIME]}}")
    ran = compose("up", "-d")
    assert ran.code == 1
    assert "services.a.cap_add: is not honoured" in ran.err
    assert "error: " in ran.err
    assert "compose.yaml:1:26: services.a.gpus: cannot be honoured" in ran.err


def test_all_mistakes_are_told_at_once(compose: Run, write: Run) -> None:
    write("services: {a: {image: x, prots: 5, depends_on: [b]}}")
    ran = compose("check")
    assert ran.code == 1
    assert "prots" in ran.err
    assert "undefined service" in ran.err
