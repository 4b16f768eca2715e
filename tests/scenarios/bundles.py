"""Helpers of the scenarios about bundles: start them with runc and crun themselves, outside of cntnr."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.lib import Result, User, wait_until

UNIFIED = Path("/sys/fs/cgroup/unified")
HIDE = (
    'mount -t tmpfs -o mode=0755 none "$0"'
    ' && exec setpriv --reuid "$1" --regid "$2" --clear-groups "${@:3}"'
)
APPLETS = (
    "sh",
    "ip",
    "wget",
    "sleep",
    "cat",
    "httpd",
    "ls",
    "echo",
    "touch",
    "id",
    "hostname",
    "nslookup",
)


def runtime_argv(user: User, runtime: str) -> list[str]:
    """Return the command of a runtime, with a folder of its own for its state."""
    argv = [runtime, "--root", str(user.base / f"state-{runtime}")]
    if runtime == "crun":
        argv.insert(1, "--cgroup-manager=disabled")  # an ordinary user may have no cgroup
        return [*prefix_of_crun(user), *argv]
    return argv


def prefix_of_crun(user: User) -> list[str]:
    """Return the command that runs another one, as the user, where crun works.

    It works with one version of cgroups only: on a machine that mounts both, root hides one from it.
    """
    if not UNIFIED.is_dir() or os.getuid():
        return []
    ids = (str(user.uid), str(user.gid))
    return ["unshare", "--mount", "bash", "-c", HIDE, str(UNIFIED), *ids]


@contextmanager
def running(user: User, runtime: str, bundle: Path, name: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a bundle by a runtime in the foreground; kill its container at the end, and wait for it."""
    argv = runtime_argv(user, runtime)
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*argv, "run", "-b", str(bundle), name],
        cwd="/", env=user.env(), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True,
        **as_user(user, argv),
    )  # fmt: skip
    try:
        yield process
    finally:
        call(user, runtime, "kill", name, "KILL")
        out, err = process.communicate(timeout=20)
        sys.stdout.write(out + err)  # shown where the test fails


def as_user(user: User, argv: Sequence[str]) -> dict[str, Any]:
    """Return the options to start a runtime as the user; one that hides a mount changes to it itself."""
    if os.getuid() == user.uid or argv[0] == "unshare":
        return {}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def call(user: User, runtime: str, *words: str) -> Result:
    """Call a runtime to its end."""
    return run_as(user, *runtime_argv(user, runtime), *words)


def run_as(user: User, *argv: str, cwd: Path = Path("/")) -> Result:
    """Run a command to its end as the user, also one that begins with `prefix_of_crun`."""
    done = subprocess.run(
        argv, cwd=cwd, env=user.env(), capture_output=True, text=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL, **as_user(user, argv),
    )  # fmt: skip
    return Result(list(argv), done.returncode, done.stdout, done.stderr)


def write_bundle(user: User, folder: Path, *command: str, hook: list[str] | None = None) -> Path:
    """Write a bundle by hand: busybox, `runc spec --rootless`, the user's ids, and the hook's arguments."""
    (folder / "rootfs/bin").mkdir(parents=True)
    for name in ("proc", "sys", "dev", "etc", "tmp"):
        (folder / "rootfs" / name).mkdir()
    (folder / "etc").mkdir()
    for name in ("hosts", "resolv.conf"):
        (folder / "etc" / name).touch()
        (folder / "rootfs/etc" / name).touch()
    shutil.copy(shutil.which("busybox") or "/bin/busybox", folder / "rootfs/bin/busybox")
    for name in APPLETS:
        (folder / "rootfs/bin" / name).symlink_to("busybox")
    user.own(folder)
    user.run("runc", "spec", "--rootless", cwd=folder).ok()
    with changed_config(folder) as config:
        config["process"] |= {"terminal": False, "args": list(command)}
        config["root"]["readonly"] = False
        names = ["CAP_NET_BIND_SERVICE", "CAP_CHOWN", "CAP_KILL"]
        config["process"]["capabilities"] = dict.fromkeys(
            ("bounding", "effective", "permitted"), names
        )
        if hook is not None:
            add_hook(user, config, hook)
    return folder


def add_hook(user: User, config: Any, words: list[str]) -> None:
    """Add a network namespace, names and the hooks, as contrib/cni/README.md says."""
    config["linux"]["namespaces"].append({"type": "network"})
    config["mounts"] += [
        {
            "destination": f"/etc/{name}",
            "type": "bind",
            "source": f"etc/{name}",
            "options": ["bind"],
        }
        for name in ("hosts", "resolv.conf")
    ]
    program = {
        "path": str(user.venv / "bin/cntnr-hook"),
        "env": [f"HOME={user.home}", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
    }
    verbs = {"prestart": ["init", *words], "createContainer": ["join"], "poststop": ["rm"]}
    config["hooks"] = {
        kind: [program | {"args": ["cntnr-hook", "net", *verb]}] for kind, verb in verbs.items()
    }


@contextmanager
def changed_config(folder: Path) -> Iterator[Any]:
    """Change config.json of a bundle."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    yield config
    path.write_text(json.dumps(config))


def output_of(process: "subprocess.Popen[str]", last: str) -> str:
    """Read what a container prints, up to a line."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.strip() == last:
            return "".join(lines)
    assert process.stderr is not None
    pytest.fail(f"it ended: {lines}, {process.stderr.read()}")


def wait_for_no_files(folder: Path) -> None:
    """Wait until a folder has no file any more."""
    wait_until(lambda: not list(folder.iterdir()), what=f"{folder} is empty")
