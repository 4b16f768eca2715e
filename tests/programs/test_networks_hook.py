"""`cntnr-hook` as a process: what it calls where it may make interfaces, and how quickly it starts."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.networks.hook import connection, lists, uplink
from cntnr_compose.networks.hook.names import ConnectionRequest
from cntnr_compose.networks.hook.state import HookState
from tests.programs.test_networks_cni import PLUGIN

ROOT = Path(__file__).resolve().parents[2]
HOOK = "import sys; sys.argv[0] = 'cntnr-hook'; from cntnr_compose.cli.main import main; main()"
TELL = (
    "import atexit, sys; atexit.register(lambda: print(*sys.modules)); sys.argv[0] = 'cntnr-hook'; "
)
RUN = "from cntnr_compose.cli.main import run; sys.exit(run(sys.argv[1:]))"
MAX_START = 0.050  # seconds


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HookState:
    """Return the state of a container with a bundle; plugins only note how they are called."""
    (tmp_path / "plugins").mkdir()
    for name in ("bridge", "ptp", "portmap"):
        (tmp_path / "plugins" / name).write_text(PLUGIN)
        (tmp_path / "plugins" / name).chmod(0o755)
    (tmp_path / "b/etc").mkdir(parents=True)
    (tmp_path / "b/etc/hosts").touch()
    (tmp_path / "net.d").mkdir()
    tree = {
        "cniVersion": "0.4.0",
        "name": "a",
        "plugins": [{"type": "ptp"}, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }
    (tmp_path / "net.d/a.conflist").write_text(json.dumps(tree))
    monkeypatch.setenv("NETCONFPATH", str(tmp_path / "net.d"))
    monkeypatch.setenv("CNI_PATH", str(tmp_path / "plugins"))
    monkeypatch.setattr(lists, "SYSTEM_FOLDER", tmp_path / "none")
    monkeypatch.setattr(uplink, "can_use_own_network", lambda: True)
    return HookState(id="abc", bundle=str(tmp_path / "b"), pid=os.getpid())


def calls(base: Path) -> list[tuple[str, Any]]:
    words = [line.split(" ", 4) for line in (base / "calls").read_text().splitlines()]
    return [(f"{word[0]} {word[1]} {word[2]}", json.loads(word[4])) for word in words]


def base_env(base: Path, monkeypatch: pytest.MonkeyPatch, fails: str = "") -> None:
    """Have plugins note their calls."""
    more = {"CALLS": str(base / "calls"), "FAILS": fails}
    monkeypatch.setattr(connection.process, "base_env", lambda **env: os.environ | env | more)


def test_plugins_are_called_in_their_order_and_back(
    state: HookState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_env(tmp_path, monkeypatch)
    port = {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}
    request = ConnectionRequest(networks=("a", "a"), ports=(port,), hostname="web")
    connection.connect(state, request)
    assert [call for call, _ in calls(tmp_path)] == [
        "ptp ADD eth0", "portmap ADD eth0", "ptp ADD eth1", "portmap ADD eth1",
    ]  # fmt: skip
    assert calls(tmp_path)[1][1]["runtimeConfig"] == {"portMappings": [port]}
    assert calls(tmp_path)[1][1]["prevResult"]["by"] == "ptp"
    assert "runtimeConfig" not in calls(tmp_path)[3][1]
    assert "10.0.0.2\tweb" in (tmp_path / "b/etc/hosts").read_text()
    connection.disconnect(state)
    backwards = [call for call, _ in calls(tmp_path)][4:]
    assert backwards == ["portmap DEL eth0", "ptp DEL eth0", "portmap DEL eth1", "ptp DEL eth1"]
    assert list((tmp_path / "b/cni").iterdir()) == []
    connection.disconnect(state)  # once more does no harm


def test_a_plugin_that_fails_is_told_and_all_is_undone(
    state: HookState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_env(tmp_path, monkeypatch, fails="portmap")
    with pytest.raises(connection.PluginFailed, match="eth0: it fails"):
        connection.connect(state, ConnectionRequest(networks=("a",)))
    assert [call for call, _ in calls(tmp_path)][-1] == "ptp DEL eth0"
    assert list((tmp_path / "b/cni").iterdir()) == []


def run_hook(*words: str, state: str, code: str = HOOK) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        input=state,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"},
    )


def test_bad_input_is_one_clear_line(tmp_path: Path) -> None:
    text = json.dumps({"id": "a", "pid": os.getpid(), "bundle": str(tmp_path)})
    for words, stdin, says in (
        (["net", "init"], "{", "error: cannot read the container's state"),
        (["net", "init", "nowhere"], text, "error: no CNI configuration list is named nowhere"),
        (["net", "init", "-p", "80"], text, 'error: invalid argument "80" for "-p, --publish"'),
        (["net", "init", "--hosts-entry", "db"], text, 'error: invalid argument "db" for "--hosts'),
        (["net", "init", "--dns", "a b"], text, 'error: invalid argument "a b" for "--dns" flag'),
        (["net", "join"], "", "error: cannot read the container's state"),
        (["net", "rm"], "[]", "error: cannot read the container's state"),
    ):
        done = run_hook(*words, state=stdin)
        assert done.returncode != 0
        assert done.stderr.startswith(says), done.stderr
        assert "Traceback" not in done.stderr


def test_the_hook_imports_little_and_starts_quickly(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    state = json.dumps({"id": "a", "pid": os.getpid(), "bundle": str(tmp_path)})
    words = ("net", "init", "--hostname", "web")
    loaded = set(run_hook(*words, state=state, code=TELL + RUN).stdout.split())
    assert "cntnr_compose.networks.hook.connection" in loaded
    assert not loaded & {"msgspec", "asyncio", "click", "yaml", "socket", "logging", "ctypes"}
    packages = {name.split(".")[1] for name in loaded if name.startswith("cntnr_compose.")}
    assert packages == {"cli", "core", "host", "networks"}
    times = []
    for _ in range(15):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        assert run_hook(*words, state=state).returncode == 0
        elapsed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times.append(min(elapsed, used))  # others may have the processor in between
    assert min(times) < MAX_START
