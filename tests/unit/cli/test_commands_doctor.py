"""`doctor` prints what each check found, what a problem costs, and the command against it."""

import json

import pytest

from cntnr_compose.cli.commands.doctor import format_checks
from cntnr_compose.cli.flows.images import image_checks
from cntnr_compose.doctor import checks
from cntnr_compose.doctor.check import Check
from tests.unit.cli.conftest import Run

CHECKS = [
    Check(name="runc", state="ok", found="1.1"),
    Check(name="tun", state="missing", found="no", loses="network", mend="sudo x"),
]
TABLE = """\
ok       runc  1.1
MISSING  tun   no
               without it: network
               to mend it: sudo x
1 fine, 0 reduced, 1 missing
"""


def test_cost_and_cure_stand_below_a_problem() -> None:
    assert "".join(f"{line}\n" for line in format_checks(CHECKS)) == TABLE


def test_only_the_state_is_coloured() -> None:
    lines = format_checks(CHECKS, coloured=True)
    assert lines[:2] == [
        "\x1b[32mok      \x1b[0m runc  1.1",
        "\x1b[31mMISSING \x1b[0m tun   no",
    ]


def test_the_exit_code_tells_whether_containers_can_run(
    cntnr: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_checks, "check_images", list)
    monkeypatch.setattr(checks, "run_checks", lambda: CHECKS)
    ran = cntnr("doctor")
    assert (ran.code, ran.out) == (1, TABLE)
    monkeypatch.setattr(checks, "run_checks", lambda: CHECKS[:1])
    ran = cntnr("doctor", "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.out)[0]["name"] == "runc"


def test_it_takes_no_options_of_a_project(cntnr: Run) -> None:
    assert cntnr("doctor", "-p", "shop").err.startswith("error: unknown shorthand flag: 'p' in -p")
