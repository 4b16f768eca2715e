"""Run qemu: its arguments, its power button, whether KVM works here."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from contrib.vm.settings import Settings

PROGRAM = "qemu-system-x86_64"
# Without these two the kernel does not copy memory with `rep movsb`, which TCG emulates byte by byte.
EMULATED_CPU = "max,-erms,-fsrm"
CACHE = 512  # MiB of translated code
KERNEL = "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off nowatchdog"
PROBE = 20  # seconds within which a kernel says its first word


def kvm_works(kernel: Path) -> bool:
    """Try KVM with a kernel: at times /dev/kvm is there and guests hang, or qemu ends."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    words = [PROGRAM, "-accel", "kvm", "-cpu", "host", "-m", "256", "-display", "none"]
    words += ["-monitor", "none", "-no-reboot", "-serial", "stdio"]
    words += ["-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE, check=False
        )
        said = done.stdout
    except subprocess.TimeoutExpired as ended:
        said = ended.stdout or b""
    return b"Linux version" in said


class Qemu:
    """The process of one machine."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pid_file = settings.folder / "qemu.pid"
        self._control = settings.folder / "qmp"
        self._overlay = settings.folder / "overlay.qcow2"

    def pid(self) -> int | None:
        """Return the pid of the machine while it runs."""
        try:
            pid = int(self._pid_file.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self._overlay) in words else None

    def start(self, *, fresh: bool) -> None:
        """Power the machine on; ``fresh`` forgets what was written on its disk."""
        if fresh or not self._overlay.exists():
            self._overlay.unlink(missing_ok=True)
            base = self.settings.folder / "disk.img"
            words = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b"]
            subprocess.run([*words, base, self._overlay], check=True, timeout=60)
        self._control.unlink(missing_ok=True)
        with (self.settings.folder / "qemu.log").open("ab") as log:
            process = subprocess.Popen(
                self.arguments(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid))
        while process.poll() is None and self.pid() is None:  # it has no command line yet
            time.sleep(0.05)

    def arguments(self) -> list[str]:
        """Return qemu's command line."""
        settings, folder = self.settings, self.settings.folder
        accelerator = settings.accelerator
        if accelerator == "auto":
            accelerator = "kvm" if kvm_works(folder / "vmlinuz") else "tcg"
        emulated = accelerator == "tcg"
        forward = f"hostfwd=tcp:127.0.0.1:{settings.port}-:22"
        return [
            *(PROGRAM, "-name", f"cntnr-{settings.suite}", "-machine", "q35"),
            *("-accel", f"tcg,thread=multi,tb-size={CACHE}" if emulated else accelerator),
            *("-cpu", EMULATED_CPU if emulated else "host"),
            *("-smp", str(settings.cpus), "-m", str(settings.memory)),
            *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img")),
            *("-append", KERNEL),
            # Written through to this machine's files on fsync: what is lost without it is part of the test.
            *("-drive", f"file={self._overlay},if=virtio,format=qcow2,cache=writeback"),
            *("-nic", f"user,model=virtio-net-pci,net={settings.network},{forward}"),
            *("-device", "virtio-rng-pci", "-display", "none", "-monitor", "none"),
            *("-serial", f"file:{folder / 'console.log'}"),
            *("-qmp", f"unix:{self._control},server=on,wait=off"),
        ]

    def order(self, command: str) -> None:
        """Have qemu do something: ``system_reset`` or ``system_powerdown``."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(self._control))
            with connection.makefile("rw") as stream:
                stream.readline()  # what it can do
                for name in ("qmp_capabilities", command):
                    stream.write(json.dumps({"execute": name}) + "\n")
                    stream.flush()
                    stream.readline()

    def power_off(self, seconds: float) -> None:
        """Press the power button; pull the plug when that does not help."""
        pid = self.pid()
        if pid is not None:
            self.order("system_powerdown")
            wait_for_end(pid, seconds)
        self.pull_plug()

    def pull_plug(self) -> None:
        """Kill the machine."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            wait_for_end(pid, 30)


def wait_for_end(pid: int, seconds: float) -> None:
    """Wait until a process has closed its files: its command line is gone before its locks are."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return
        except ChildProcessError:  # another command has started it
            if not Path(f"/proc/{pid}").exists():
                return
        time.sleep(0.2)
