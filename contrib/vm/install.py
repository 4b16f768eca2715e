"""Install the tree on a machine as its users would: the wheel, with pip, in a virtual environment."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from contrib.vm.machine import Machine
from contrib.vm.settings import HERE, ROOT, Settings

PLACE = "/opt/cntnr"
FILES = "/opt/cntnr-vm"  # wheels, and what containers are made of
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64", "any")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
INSTALL = f"""set -e
rm -rf {PLACE}
python3 -m venv --without-pip {PLACE}
python3 -m pip --python {PLACE}/bin/python install -q --no-index --find-links {FILES}/wheels \
  --disable-pip-version-check --root-user-action=ignore cntnr
for name in cntnr cntnr-hook; do ln -sf {PLACE}/bin/$name /usr/local/bin/$name; done
cp /bin/busybox {FILES}/base/busybox
chmod -R a+rX {FILES} {PLACE}
"""
PACKAGES = (
    *("systemd", "runc", "crun", "conmon", "rootlesskit", "slirp4netns", "passt", "skopeo"),
    *("umoci", "containernetworking-plugins", "dnsmasq-base", "nftables", "uidmap", "apparmor"),
)


def fetch_wheels(settings: Settings, further: Sequence[str] = ()) -> Path:
    """Fetch wheels of cntnr's libraries, and ``further``, for the suite's Python; return their folder."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [*project["dependencies"], *further]
    folder = settings.folder / ("wheels-tests" if further else "wheels")
    wanted = "\n".join(names)
    mark = folder / "requirements"
    if mark.exists() and mark.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"vm: fetches wheels for Python {settings.python}", flush=True)
    subprocess.run(
        [
            *(*PIP, "download", "--only-binary=:all:", "--python-version", settings.python),
            *(word for platform in PLATFORMS for word in ("--platform", platform)),
            *("-d", str(folder), *names),
        ],
        check=True,
        timeout=900,
    )
    mark.write_text(wanted)
    return folder


def build_wheel(folder: Path) -> None:
    """Build the wheel of the tree into a folder, in place of an earlier one."""
    for path in folder.glob("cntnr-*.whl"):
        path.unlink()
    words = [*PIP, "wheel", "--no-deps", "--no-cache-dir", "-w", str(folder), str(ROOT)]
    subprocess.run(words, check=True, timeout=600)


def install(machine: Machine) -> None:
    """Put the wheel, its libraries and the files of the rows on the machine."""
    wheels = fetch_wheels(machine.settings)
    build_wheel(wheels)
    machine.run("root", f"rm -rf {FILES}")
    machine.put_tree("root", f"{FILES}/wheels", wheels)
    machine.put_tree("root", f"{FILES}/base", HERE / "base")
    machine.put_tree("root", f"{FILES}/hello", ROOT / "examples/compose/hello")
    done = machine.run("root", INSTALL, limit=1800)
    if done.status != 0:
        sys.exit(f"vm: cannot install cntnr: {done.stderr}{done.stdout}")


def versions(machine: Machine) -> str:
    """Name the parts that the machine has, with their versions."""
    listed = machine.run(
        "root",
        '. /etc/os-release; echo "$PRETTY_NAME, kernel $(uname -r), $(python3 -V)";'
        f"dpkg-query -W -f '${{Package}} ${{Version}}\\n' {' '.join(PACKAGES)} 2>/dev/null;"
        "cntnr --version",
    )
    first, *rest = listed.stdout.splitlines()
    return f"{first}. {', '.join(rest)}."
