"""Be somebody at a machine: log in by ssh, run commands, log out; switch it on and off.

A login is one connection, hence one session of logind, and lasts until ``log_out``: without KVM each takes
seconds.
"""

import contextlib
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contrib.vm.qemu import Qemu
from contrib.vm.settings import Settings, read_settings

BOOT_LIMIT = 900  # seconds, without KVM, on a busy machine
COMMAND_LIMIT = 900
STOP_LIMIT = 180
SSH = (
    *("ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
    *("-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "ConnectTimeout=60"),
    *("-o", "ServerAliveInterval=20", "-o", "ServerAliveCountMax=30"),
)


@dataclass(frozen=True)
class Result:
    """What a command printed, and its status."""

    command: str
    status: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        lines = [line for text in (self.stderr, self.stdout) for line in text.splitlines() if line]
        return f"`{self.command}`: status {self.status}: {' / '.join(lines[-3:])}"


class CopyFailed(Exception):
    """A file cannot be put on the machine."""

    def __init__(self, path: str, done: Result) -> None:
        super().__init__(f"cannot write {path}: {done}")


class Unreachable(Exception):
    """The machine lets nobody in; what is to be looked at."""

    def __init__(self, log: Path) -> None:
        super().__init__(f"the machine cannot be entered; see {log}")


class Machine:
    """One machine and its logins."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.qemu = Qemu(settings)
        self._logins: set[str] = set()

    def boot(self, *, fresh: bool = False) -> float:
        """Switch it on, unless it runs, and wait until root can log in; return the seconds that took."""
        if self.qemu.pid() is None:
            self.qemu.start(fresh=fresh)
        return self.wait()

    def wait(self) -> float:
        """Wait until root can log in; return the seconds that took. Raises `Unreachable`."""
        begun = time.monotonic()
        while time.monotonic() - begun < BOOT_LIMIT:
            if self.qemu.pid() is None:
                raise Unreachable(self.settings.folder / "qemu.log")
            if self.run("root", "true", limit=120).status == 0:
                return time.monotonic() - begun
            self._close("root")
            time.sleep(2)
        raise Unreachable(self.settings.folder / "console.log")

    def reboot(self) -> float:
        """Restart it in order, as `systemctl reboot` does; return the seconds until a login."""
        before = self.run("root", "cat /proc/sys/kernel/random/boot_id").stdout
        self.run("root", "systemctl reboot", limit=60)
        self._forget_logins()
        return self._wait_for_another_boot(before)

    def pull_plug(self) -> float:
        """Kill it and switch it on again; return the seconds until a login."""
        before = self.run("root", "cat /proc/sys/kernel/random/boot_id").stdout
        self.qemu.pull_plug()
        self._forget_logins()
        self.qemu.start(fresh=False)
        return self._wait_for_another_boot(before)

    def off(self) -> None:
        """Shut it down."""
        self._forget_logins()
        self.qemu.power_off(STOP_LIMIT)

    def run(
        self, user: str, command: str, *, stdin: bytes = b"", limit: float = COMMAND_LIMIT
    ) -> Result:
        """Run a shell command in the user's session, which is opened where there is none.

        A command that takes longer than ``limit`` seconds has status 124, as `timeout` has.
        """
        if user not in self._logins and not self._open(user):
            return Result(command, 255, "", f"{user} cannot log in")
        try:
            done = subprocess.run(
                [*self._ssh(user), f"{user}@127.0.0.1", command],
                input=stdin,
                capture_output=True,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(command, 124, "", f"no end within {limit:.0f} s")
        out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        return Result(command, done.returncode, out, err)

    def log_out(self, user: str, *, wait: int = 20) -> None:
        """End the user's session, and wait until systemd has ended what goes with it.

        The time is that of the machine, whose clock may be slow where it has little of a processor.
        """
        self._close(user)
        self.run("root", f"while pgrep -f '^sshd[^ ]*: {user}' >/dev/null; do sleep 1; done")
        self.run("root", f"sleep {wait}")  # UserStopDelaySec is 10 s

    def put(self, user: str, path: str, content: bytes) -> None:
        """Write a file of the user's. Its folders are made."""
        quoted = shlex.quote(path)
        done = self.run(user, f'mkdir -p "$(dirname {quoted})" && cat >{quoted}', stdin=content)
        if done.status != 0:
            raise CopyFailed(path, done)

    def put_tree(self, user: str, folder: str, source: Path) -> None:
        """Copy a folder's content into a folder of the machine."""
        packed = subprocess.run(
            ["tar", "-C", source, "-c", "--owner=0", "--group=0", "."],
            capture_output=True,
            check=True,
            timeout=60,
        )
        quoted = shlex.quote(folder)
        done = self.run(
            user, f"mkdir -p {quoted} && tar -C {quoted} -x --no-same-owner", stdin=packed.stdout
        )
        if done.status != 0:
            raise CopyFailed(folder, done)

    def _socket(self, user: str) -> Path:
        return self.settings.folder / f"login-{user}"

    def _ssh(self, user: str) -> list[str]:
        port, key = str(self.settings.port), str(self.settings.key)
        return [*SSH, "-i", key, "-p", port, "-o", f"ControlPath={self._socket(user)}"]

    def _open(self, user: str) -> bool:
        """Open a login, or take that of an earlier command; tell whether there is one."""
        words = [*self._ssh(user), "-O", "check", f"{user}@127.0.0.1"]
        if subprocess.run(words, capture_output=True, check=False, timeout=60).returncode == 0:
            self._logins.add(user)
            return True
        self._close(user)
        with contextlib.suppress(subprocess.TimeoutExpired):
            # The connection that goes on in the background must hold none of our streams.
            subprocess.run(
                [*self._ssh(user), "-fNM", f"{user}@127.0.0.1"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=120,
                check=False,
            )
        if not self._socket(user).exists():
            return False
        self._logins.add(user)
        return True

    def _close(self, user: str) -> None:
        """Close a login, also one of an earlier command."""
        self._logins.discard(user)
        if self._socket(user).exists():
            words = [*self._ssh(user), "-O", "exit", f"{user}@127.0.0.1"]
            subprocess.run(words, capture_output=True, check=False, timeout=60)
            self._socket(user).unlink(missing_ok=True)

    def _forget_logins(self) -> None:
        for path in self.settings.folder.glob("login-*"):
            self._close(path.name.removeprefix("login-"))

    def _wait_for_another_boot(self, before: str) -> float:
        begun = time.monotonic()
        while True:
            self.wait()
            after = self.run("root", "cat /proc/sys/kernel/random/boot_id", limit=60).stdout
            if after not in ("", before):
                return time.monotonic() - begun
            self._forget_logins()
            time.sleep(2)


@contextlib.contextmanager
def running(suite: str, *, fresh: bool, keep: bool) -> Iterator[Machine]:
    """Have a machine run; switch it off at the end unless ``keep``."""
    machine = Machine(read_settings(suite))
    print(f"vm: logins to {suite} after {machine.boot(fresh=fresh):.0f} s", flush=True)
    try:
        yield machine
    finally:
        if not keep:
            machine.off()


def main() -> None:
    """Serve the command line: machine.py SUITE start|fresh|reboot|kill|off|ssh USER COMMAND."""
    suite, verb, *words = sys.argv[1:]
    machine = Machine(read_settings(suite))
    match verb:
        case "start" | "fresh":
            print(f"vm: logins after {machine.boot(fresh=verb == 'fresh'):.0f} s")
        case "reboot":
            print(f"vm: logins after {machine.reboot():.0f} s")
        case "kill":
            machine.qemu.pull_plug()
        case "off":
            machine.off()
        case "ssh":
            user, *command = words
            done = machine.run(user, " ".join(command))
            print(done.stdout, end="")
            print(done.stderr, end="", file=sys.stderr)
            sys.exit(done.status)
        case _:
            sys.exit("vm: SUITE start|fresh|reboot|kill|off|ssh USER COMMAND")


if __name__ == "__main__":
    main()
