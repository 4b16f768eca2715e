"""Build the disk of a machine: a Debian with what cntnr drives, and users as machines have them.

It takes root, two minutes, and 1.5 GB of disk a suite. packages.txt has the packages; customize.sh does the
rest.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys

from contrib.vm.settings import HERE, Settings

SIZE = "6G"  # of the disk; what is empty takes no room
PROGRAMS = ("mmdebstrap", "mke2fs", "qemu-img", "qemu-system-x86_64", "ssh", "ssh-keygen")
SOURCES = ("image.py", "customize.sh", "packages.txt")
# A mirror may be behind; nothing here is kept or served to others.
APT = (
    'Acquire::Check-Valid-Until "false"',
    'Acquire::Check-Date "false"',
    'APT::Install-Recommends "false"',
    'Acquire::Languages "none"',
)


def read_packages(text: str) -> tuple[list[str], list[str]]:
    """Read packages.txt: those to install, and those that the image does without."""
    names = re.findall(r"^(!?)([a-z0-9][a-z0-9.+-]*)\s", text, re.MULTILINE)
    return [name for mark, name in names if not mark], [name for mark, name in names if mark]


def stamp(suite: str) -> str:
    """Name what the disk is made of: another stamp asks for another disk."""
    whole = hashlib.sha256(suite.encode())
    for name in SOURCES:
        whole.update((HERE / name).read_bytes())
    return whole.hexdigest()


def ensure_image(settings: Settings) -> None:
    """Build the disk where there is none of these packages and this set-up."""
    mark = settings.folder / "stamp"
    if mark.exists() and mark.read_text() == stamp(settings.suite):
        return
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        sys.exit(
            f"vm: cannot find {', '.join(missing)}; run: apt-get install "
            "mmdebstrap e2fsprogs qemu-system-x86 qemu-utils openssh-client"
        )
    if os.getuid() != 0:
        sys.exit("vm: cannot build a disk without root; run: sudo make vm-test")
    settings.folder.mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)
    if not settings.key.exists():
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "cntnr-vm", "-f"]
        subprocess.run([*words, settings.key], check=True)
    unpack(settings)
    make_disk(settings)
    mark.write_text(stamp(settings.suite))


def unpack(settings: Settings) -> None:
    """Install the packages into a folder, and set it up."""
    root, cache = settings.folder / "root", settings.folder / "archives"
    shutil.rmtree(root, ignore_errors=True)
    cache.mkdir(exist_ok=True)
    packages, _ = read_packages((HERE / "packages.txt").read_text())
    print(f"vm: installs {len(packages)} packages of {settings.suite}", flush=True)
    archives = '"$1"/var/cache/apt/archives'
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        *(f"--aptopt={option}" for option in APT),
        "--skip=download/empty",
        "--skip=essential/unlink",
        "--skip=cleanup/apt",
        f"--setup-hook=mkdir -p {archives}; cp -n {cache}/*.deb {archives} 2>/dev/null || true",
        f"--customize-hook=cp -n {archives}/*.deb {cache}; rm -f {archives}/*.deb",
        f'--customize-hook={HERE}/customize.sh "$1" {settings.suite} {settings.key}.pub',
        settings.suite,
        str(root),
        *filter(None, [os.environ.get("CNTNR_VM_MIRROR")]),
    ]
    log = settings.folder / "build.log"
    with log.open("wb") as out:
        done = subprocess.run(command, stdout=out, stderr=out, check=False, timeout=3600)
    if done.returncode != 0:
        sys.exit(f"vm: mmdebstrap failed with status {done.returncode}; see {log}")


def make_disk(settings: Settings) -> None:
    """Make a disk, a kernel and an initrd of the folder, and remove it."""
    root, folder = settings.folder / "root", settings.folder
    for pattern, target in (("vmlinuz-*", "vmlinuz"), ("initrd.img-*", "initrd.img")):
        newest = max((root / "boot").glob(pattern))
        shutil.copyfile(newest, folder / target)
    for name in ("disk.img", "overlay.qcow2"):
        (folder / name).unlink(missing_ok=True)
    lazy = "lazy_itable_init=1,lazy_journal_init=1"
    subprocess.run(
        ["mke2fs", "-q", "-F", "-t", "ext4", "-E", lazy, "-d", root, folder / "disk.img", SIZE],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=600,
    )
    shutil.rmtree(root)
