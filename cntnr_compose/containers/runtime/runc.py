"""Drive the OCI runtime, runc or crun: start, exec and delete; know its errors. Runs inside the holder.

Containers are created by it under `conmon`.
"""

from pathlib import Path

from cntnr_compose.containers.runtime import exec_fifo, oci_runtime
from cntnr_compose.core import oci_runtimes
from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.values import Tree
from cntnr_compose.host import files, process

# runc writes these on every failed start in a user namespace; they explain nothing.
NOISE = (
    "unable to get oom kill count",
    "cgroup: no such file",
    "cannot toggle freezer",
    "lstat : no such file",
)
ERROR_LEVEL = 'level=error msg="'


class ContainerFailed(CntnrError):
    """runc cannot create or start a container."""

    def __init__(self, name: str, cause: str) -> None:
        self.cause = cause
        super().__init__(f"cannot start container {name}: {cause}")
        for words, exit_code, hint in REASONS:
            if words in cause:
                self.exit_code, self.hint = exit_code, hint
                break


REASONS = (
    ("executable file not found", 127, "the image has no such program; check command and entrypoint"),
    ("no such file or directory", 127, "the image has no such file; a script may name a missing interpreter"),
    ("permission denied", 126, "the file is not executable, or belongs to somebody else in the container"),
    ("exec format error", 126, "the program is for another processor; `cntnr doctor` lists those that run"),
    ("cgroups in hybrid mode not supported", 125,
     "crun takes cgroups v1 or v2, and this machine has controllers in both; use runc, or boot with v2"),
)  # fmt: skip


async def start(container_id: str, name: str) -> None:
    """Start the program of a created container. Raises `ContainerFailed`."""
    if await exec_fifo.release(container_id):
        return
    try:
        await process.run_async(oci_runtime.build_argv(container_id, "start", container_id))
    except CommandFailed as error:
        raise ContainerFailed(name, extract_cause(error.stderr or error.reason)) from error


async def delete(container_id: str, *, force: bool = False) -> None:
    """Delete the runtime's state of a container that has ended; its poststop hooks run."""
    state = oci_runtime.state_folder() / container_id
    if not state.exists():
        return
    words = ["--force"] if force else []
    argv = oci_runtime.build_argv(container_id, "delete", *words, container_id)
    await process.run_async(argv, ok=range(256))
    oci_runtime.forget(container_id)


def build_exec_argv(
    container_id: str,
    process_spec: Path,
    *,
    pid_file: Path | None = None,
    detach: bool = False,
    console: str = "",
) -> list[str]:
    """Build the command that runs a process in a container, as a process spec file describes it.

    With ``pid_file`` the runtime exits once it has started the process, which writes to our own streams.
    """
    words = ["--detach"] if detach or pid_file else []
    words += ["--pid-file", str(pid_file)] if pid_file else []
    words += ["--console-socket", console] if console else []
    words += ["--process", str(process_spec), container_id]
    # What it says once the program has the console is not to be said there.
    log = str(Path(console).with_suffix(".log")) if console else ""
    return oci_runtime.build_argv(container_id, "exec", *words, log=log)


def extract_cause(output: str) -> str:
    """Extract the cause from the output of runc or conmon: the last error, without its log frame."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    lines = [line for line in lines if not any(noise in line for noise in NOISE)]
    if not lines:
        return "the runtime failed without a word"
    cause = next((line for line in reversed(lines) if ERROR_LEVEL in line), lines[-1])
    if ERROR_LEVEL in cause:
        cause = cause.partition(ERROR_LEVEL)[2].rpartition('"')[0].replace('\\"', '"')
    for frame in (
        "runc create failed: ", "runc run failed: ", "unable to start container process: ",
        "container_linux.go", "OCI runtime error: ",
    ):  # fmt: skip
        cause = cause.removeprefix(frame)
    return oci_runtimes.translate_cause(cause)


def write_spec(bundle: Path, spec: Tree) -> None:
    """Write a bundle's config.json."""
    files.write_value(bundle / "config.json", spec)
