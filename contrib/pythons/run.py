"""Run the tests of units and adapters with the Python of a Debian suite, in a folder of its packages.

    make pythons SUITE=sid                                      # Python 3.14
    .venv/bin/python -m contrib.pythons.run sid -- tests/unit/core -x

It takes root, a minute, and 300 MB of disk a suite, below CNTNR_VM_DIR. Nothing runs emulated.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from contrib.vm.image import APT
from contrib.vm.install import fetch_wheels
from contrib.vm.settings import ROOT, SUITES, Settings, read_settings

PACKAGES = "python3,python3-venv,procps,iproute2,containernetworking-plugins"
TESTS = ("tests/unit", "tests/programs")
TOOLS = ("pytest", "hypothesis", "check-jsonschema")  # what of the development tools runs tests
# A mount namespace: what is mounted in the folder goes with the last process.
ENTER = (
    'mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev"'
    ' && exec chroot "$@"'
)
INSTALL = (
    "python3 -m venv /venv && /venv/bin/pip install -q --no-index --find-links /wheels"
    ' --disable-pip-version-check --root-user-action=ignore "$@"'
)
RUN = "cd /tree && export LANG=C.UTF-8 && /venv/bin/python -VV && exec /venv/bin/pytest -q"


def ensure_packages(root: Path, suite: str) -> None:
    """Unpack Python and its libraries where that was not done."""
    mark = root / "packages"
    if mark.exists() and mark.read_text() == PACKAGES:
        return
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    print(f"pythons: installs Python of {suite}", flush=True)
    options = [f"--aptopt={option}" for option in APT]
    words = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", *options]
    subprocess.run([*words, suite, root], check=True, timeout=1800)
    mark.write_text(PACKAGES)


def install_libraries(root: Path, settings: Settings) -> None:
    """Install what the product and its tests import."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tools = [name for name in project["optional-dependencies"]["dev"] if name.startswith(TOOLS)]
    names = [*project["dependencies"], *tools]
    mark = root / "venv/names"
    if mark.exists() and mark.read_text() == "\n".join(names):
        return
    shutil.rmtree(root / "wheels", ignore_errors=True)
    shutil.rmtree(root / "venv", ignore_errors=True)
    shutil.copytree(fetch_wheels(settings, tools), root / "wheels")
    enter(root, INSTALL, *names)
    mark.write_text("\n".join(names))


def copy_tree(root: Path) -> None:
    """Copy the files that git knows."""
    shutil.rmtree(root / "tree", ignore_errors=True)
    words = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        target = root / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():  # it may be removed, and that not committed
            shutil.copy2(ROOT / name, target, follow_symlinks=False)


def enter(root: Path, script: str, *words: str) -> int:
    """Run a shell script in the folder as its root; return the status."""
    inside = [str(root), "sh", "-ec", script, "sh", *words]
    begin = ["unshare", "--mount", "sh", "-ec", ENTER, "sh"]
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TERM": "xterm"}
    return subprocess.run([*begin, *inside], check=False, env=env, timeout=3600).returncode


def main() -> None:
    """Serve the command line."""
    parser = argparse.ArgumentParser(prog="pythons", description="Run tests with another Python.")
    parser.add_argument("suite", choices=SUITES, nargs="?", default="sid")
    parser.add_argument("words", nargs="*", help="arguments of pytest, after --")
    options = parser.parse_args()
    if os.getuid() != 0:
        sys.exit("pythons: cannot enter a folder of packages without root; run: sudo make pythons")
    settings = read_settings(options.suite)
    root = settings.folder.with_name(f"{options.suite}-python")
    ensure_packages(root, options.suite)
    install_libraries(root, settings)
    copy_tree(root)
    sys.exit(enter(root, f'{RUN} "$@"', *(options.words or TESTS)))


if __name__ == "__main__":
    main()
