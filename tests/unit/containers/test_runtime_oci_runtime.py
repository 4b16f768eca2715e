"""Which runtime a container gets, and what is read of its state."""

import os
from pathlib import Path

import pytest

from cntnr_compose.containers.runtime import oci_runtime
from cntnr_compose.containers.runtime.oci_runtime import OciRuntime
from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.core.user_config import ContainerSettings, UserConfig
from cntnr_compose.host.process import ProgramResult


@pytest.fixture(autouse=True)
def holder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make a tmpfs of a holder; runc alone is installed."""

    def find(name: str) -> str:
        if name == "crun":
            raise ProgramMissing(name)
        return f"/usr/bin/{name}" if name == "runc" else name

    monkeypatch.setattr(oci_runtime.paths, "holder_tmpfs", lambda: tmp_path)
    monkeypatch.setattr(oci_runtime.process, "find_program", find)
    monkeypatch.setattr(oci_runtime, "read_user_config", UserConfig)
    return tmp_path


def set_default(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    config = UserConfig(containers=ContainerSettings(runtime=name))
    monkeypatch.setattr(oci_runtime, "read_user_config", lambda: config)


def test_a_container_gets_what_it_names_then_the_setting_then_runc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert oci_runtime.choose_name("") == "runc"
    assert oci_runtime.choose_name("io.containerd.runc.v2") == "runc"
    set_default(monkeypatch, "crun")
    assert oci_runtime.choose_name("runc") == "runc"
    with pytest.raises(
        oci_runtime.RuntimeMissing, match="the runtime crun is not installed"
    ) as info:
        oci_runtime.choose_name("")
    assert "crun" in info.value.hint


def test_an_unknown_runtime_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(oci_runtime.RuntimeUnknown) as info:
        oci_runtime.choose_name("crum")
    assert str(info.value) == (
        "unknown runtime crum; it can be runc, crun, or the absolute path of one of them;"
        " did you mean crun?"
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [("runc version 1.1.5\n", "runc"), ("crun version 1.8.1\ncommit: x\n", "crun"), ("sh\n", "")],
)
def test_a_path_is_asked_which_runtime_it_is(
    monkeypatch: pytest.MonkeyPatch, said: str, kind: str
) -> None:
    answer = ProgramResult(returncode=0, stdout=said, stderr="")
    monkeypatch.setattr(oci_runtime.process, "run", lambda *_, **_more: answer)
    if kind:
        assert oci_runtime.find_runtime("/opt/x") == OciRuntime(program="/opt/x", kind=kind)
    else:
        with pytest.raises(oci_runtime.RuntimeUnknown, match="/opt/x: it is neither runc nor crun"):
            oci_runtime.find_runtime("/opt/x")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("state.json", '{"init_process_pid": %d, "init_process_start": %d}'),
        ("status", '{"pid": %d, "process-start-time": %d}'),
    ],
)
def test_the_state_of_either_is_read(holder: Path, name: str, text: str) -> None:
    assert oci_runtime.read_pid("a") == 0
    assert not oci_runtime.is_started("a")
    folder = holder / "runc/a"
    folder.mkdir(parents=True)
    born = oci_runtime.proc.start_time(os.getpid())
    for start, pid in ((born, os.getpid()), (born + 1, 0)):  # a later process has its pid
        (folder / name).write_text(text % (os.getpid(), start))
        assert oci_runtime.read_pid("a") == pid
    assert oci_runtime.is_started("a")


@pytest.mark.parametrize(
    ("kind", "words", "is_waiting"),
    [
        ("runc", [b"/usr/bin/runc", b"init"], True),
        ("runc", [b"nginx", b"-g", b"init"], False),  # only the removal of the FIFO did not happen
        ("runc", [], False),
        ("crun", [b"sleep"], True),  # its first process has no name by which to know it
    ],
)
def test_a_container_waits_for_its_start_at_a_fifo(
    monkeypatch: pytest.MonkeyPatch, holder: Path, kind: str, words: list[bytes], is_waiting: bool
) -> None:
    monkeypatch.setattr(oci_runtime.paths, "bundle", lambda identity: holder / identity)
    monkeypatch.setattr(oci_runtime.proc, "command_line", lambda _pid: words)
    (holder / "a").mkdir()
    (holder / "a" / kind).symlink_to(f"/usr/bin/{kind}")
    assert not oci_runtime.is_waiting("a")
    oci_runtime.exec_fifo("a").parent.mkdir(parents=True)
    (oci_runtime.exec_fifo("a").parent / "status").write_text("{}")
    assert oci_runtime.is_started("a")
    os.mkfifo(oci_runtime.exec_fifo("a"))
    assert oci_runtime.is_waiting("a") is is_waiting
    assert oci_runtime.is_started("a") is not is_waiting


def test_every_verb_uses_the_program_that_created_the_container(
    monkeypatch: pytest.MonkeyPatch, holder: Path
) -> None:
    monkeypatch.setattr(oci_runtime, "_hide_unified_cgroups", lambda: None)
    monkeypatch.setattr(oci_runtime.paths, "bundle", lambda identity: holder / identity)
    (holder / "a").mkdir()
    oci_runtime.prepare("a", OciRuntime(program="/opt/crun", kind="crun"))
    root = str(holder / "runc")
    assert oci_runtime.build_argv("a", "start", "a") == ["/opt/crun", "--root", root, "start", "a"]
    assert oci_runtime.build_argv("a", "exec", "a")[3:] == ["--log-format", "json", "exec", "a"]
    logged = oci_runtime.build_argv("a", "exec", "a", log="/l")
    assert logged[3:] == ["--log-format", "json", "--log", "/l", "exec", "a"]
    assert oci_runtime.build_argv("b", "start", "b")[0] == "runc"  # an earlier version made it
