"""Read where a machine lies and how large it is, from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Suite: the Python it has, the port of its logins, its network. 10.0.2.0/24 is what VirtualBox, Vagrant and
# qemu give, and slirp4netns, too.
SUITES = {
    "bookworm": ("3.11", 22221, "10.77.0.0/24"),
    "trixie": ("3.13", 22231, "10.0.2.0/24"),
    "sid": ("3.14", 22241, "192.168.122.0/24"),  # that of libvirt
}


@dataclass(frozen=True)
class Settings:
    """One machine: its suite, its files, and what it gets of this machine."""

    suite: str
    folder: Path  # its disk, what was written on it since, its logs
    port: int  # of this machine: ssh of that one
    memory: int  # MiB
    cpus: int
    accelerator: str  # "auto", "tcg" or "kvm"
    network: str

    @property
    def python(self) -> str:
        """The version of Python that the suite has."""
        return SUITES[self.suite][0]

    @property
    def key(self) -> Path:
        """The private key of all logins."""
        return self.folder.parent / "key"


def read_settings(suite: str) -> Settings:
    """Read the variables CNTNR_VM_*; those that are not set have defaults."""
    base = Path(os.environ.get("CNTNR_VM_DIR", "/var/tmp/cntnr-vm"))
    return Settings(
        suite=suite,
        folder=base / suite,
        port=int(os.environ.get("CNTNR_VM_PORT", SUITES[suite][1])),
        memory=int(os.environ.get("CNTNR_VM_MEMORY", "2048")),
        cpus=int(os.environ.get("CNTNR_VM_CPUS", "2")),
        network=os.environ.get("CNTNR_VM_NET", SUITES[suite][2]),
        accelerator=os.environ.get("CNTNR_VM_ACCEL", "auto"),
    )
