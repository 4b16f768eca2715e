"""The set-up and `doctor` name the same packages on each distribution."""

import os
import subprocess
from pathlib import Path

import pytest

from cntnr_compose.doctor import checks, programs

ROOT = Path(__file__).parents[1]
# Part of every system, and what is optional.
NOT_INSTALLED = {"util-linux"}


@pytest.mark.parametrize(
    ("manager", "column"),
    [("apt-get", 0), ("dnf", 1), ("pacman", 2)],
    ids=["debian", "fedora", "arch"],
)
def test_the_set_up_installs_what_doctor_asks_for(
    tmp_path: Path, manager: str, column: int
) -> None:
    for name in ("dnf", "pacman"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    named = subprocess.run(
        [ROOT / "contrib/setup/install.sh", "--packages"],
        env={"PATH": f"{os.environ['PATH']}:{tmp_path}", "PACKAGE_MANAGER": manager},
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    asked = {program.packages[column] for program in programs.PROGRAMS if not program.is_optional}
    asked |= {checks.CNI_PACKAGES[column], checks.SECCOMP_PACKAGES[column]}
    assert asked - NOT_INSTALLED <= set(named)
    assert len(named) == len(set(named))
    assert ("mmdebstrap" in named) == (manager == "apt-get")
