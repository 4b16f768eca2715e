"""Try a container: bring one up on a network, with a port and a limit, ask it, and take it down again.

It needs no image: its files are those of this machine, read-only, and its program is this Python.
"""

import errno
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from cntnr_compose.core.errors import CommandFailed
from cntnr_compose.core.values import Bytes, Seconds, to_json
from cntnr_compose.doctor.check import Check
from cntnr_compose.host import process

NAME = "container"
TIMEOUT: Seconds = 300  # 1 to 2 s are usual; two minutes where the processor is emulated
ANSWER_TIMEOUT: Seconds = 60
LIMIT: Bytes = 64 << 20
CNTNR = "from cntnr_compose.cli.main import main; main()"
# Answers on port 80 with the limit of its memory, by cgroup v2 or v1.
PROGRAM = """
import socket
def limit():
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            return open("/sys/fs/cgroup/" + name, "rb").read()
        except OSError:
            pass
    return b"none"
server = socket.create_server(("", 80))
while True:
    client, _ = server.accept()
    client.sendall(limit())
    client.close()
"""


def try_container(*, limits_hold: bool) -> Check:
    """Try one; its limit is to be enforced where ``limits_hold``."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cntnr-doctor-") as folder:
        file = Path(folder, "compose.yaml")
        file.write_bytes(to_json(_project()))
        try:
            limit = _bring_up_and_ask(file)
        except (CommandFailed, OSError) as error:
            return _failure(error)
    took = f"{time.monotonic() - began:.1f} s"
    is_limited = limit == str(LIMIT)
    finding = f"one came up on a network, answered on its port and went, in {took}"
    if is_limited or not limits_hold:
        held = "its limit holds" if is_limited else "its limit is not enforced, as above"
        return Check(name=NAME, state="ok", found=f"{finding}; {held}")
    return Check(
        name=NAME,
        state="reduced",
        found=f"{finding}; its memory is limited to {limit}, not {LIMIT}",
        loses="limits are not enforced, although the row above says so",
        mend="tell those who make cntnr",
    )


def _failure(error: Exception) -> Check:
    lines = getattr(error, "stderr", "").splitlines()
    told = [line for line in lines if line.startswith(("error:", "hint:"))]
    return Check(
        name=NAME,
        state="missing",
        found=" / ".join(told) or str(error),
        loses="containers do not run",
        mend="see the rows above",
    )


def _project() -> dict[str, object]:
    """Describe the project: an image without files, and the folders of this machine that Python needs."""
    folders = ["/usr", "/bin", "/lib", "/lib64", sys.base_prefix]
    mounts = [
        {"type": "bind", "source": os.path.realpath(folder), "target": folder, "read_only": True}
        for folder in dict.fromkeys(folders)
        if Path(folder).is_dir()
    ]
    service = {
        "build": {"context": ".", "dockerfile_inline": "FROM scratch\n"},
        "command": [os.path.realpath(sys.executable), "-I", "-S", "-c", PROGRAM],
        "volumes": mounts,
        "ports": ["127.0.0.1::80"],
        "mem_limit": LIMIT,
        "stop_signal": "KILL",
    }
    return {"services": {"trial": service}}


def _bring_up_and_ask(file: Path) -> str:
    """Bring the project up, return what it answers, and take it down. Raises `CommandFailed`, `OSError`."""
    project = f"cntnr-doctor-{os.getpid()}"
    try:
        _compose(file, project, "up", "-d")
        address, _, port = _compose(file, project, "port", "trial", "80").rpartition(":")
        return _ask(address, int(port))
    finally:
        _compose(file, project, "down", "-v", "-t", "0", "--rmi", "local")


def _compose(file: Path, project: str, *words: str) -> str:
    options = ["compose", "-p", project, "-f", str(file), "--progress", "plain"]
    argv = [sys.executable, "-P", "-c", CNTNR, *options, *words]
    return process.run(argv, env=os.environ, timeout=TIMEOUT).stdout.strip()


def _ask(address: str, port: int) -> str:
    """Connect until the program answers. Raises `OSError`."""
    end = time.monotonic() + ANSWER_TIMEOUT
    while time.monotonic() < end:
        try:
            with socket.create_connection((address, port), timeout=ANSWER_TIMEOUT) as client:
                answer = client.recv(100).decode().strip()
        except ConnectionError:
            answer = ""
        if answer:
            return answer
        time.sleep(0.02)
    raise TimeoutError(errno.ETIMEDOUT, f"nothing answers on its port {address}:{port}")
