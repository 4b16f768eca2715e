"""conmon and runc: pipes, pid files, and words."""

import asyncio
from pathlib import Path

import pytest

from cntnr_compose.containers.runtime import conmon, oci_runtime, runc
from cntnr_compose.containers.runtime.conmon import ConmonOptions
from cntnr_compose.containers.runtime.runc import ContainerFailed
from tests.fakes.programs import Programs

# conmon takes `-b BUNDLE` and `--conmon-pidfile FILE`, and writes into the pipe that the environment names.
CONMON = """
while [ $# -gt 0 ]; do case $1 in --conmon-pidfile) echo 77 >"$2";; esac; shift; done
printf '%s\\n' '{answer}' >/proc/self/fd/$_OCI_SYNCPIPE
"""


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConmonOptions:
    monkeypatch.setattr(conmon.paths, "holder_tmpfs", lambda: tmp_path / "held")
    bundle = conmon.paths.bundle("abc")
    bundle.mkdir(parents=True)
    return ConmonOptions(
        id="abc", name="p-web-1", bundle=str(bundle), log="/l", has_own_network=False
    )


def test_the_pids_of_container_and_conmon_are_read(
    programs: Programs, launch: ConmonOptions
) -> None:
    programs.add("runc")
    programs.add("conmon", CONMON.replace("{answer}", '{"data": 42}'))
    assert asyncio.run(conmon.create(launch)) == (42, 77)
    call = programs.calls("conmon")[0]
    assert call[call.index("-c") + 1] == "abc"
    assert call[call.index("-b") + 1] == launch.bundle


def test_a_stale_exit_file_goes_before_the_id_is_used_again(
    programs: Programs, launch: ConmonOptions
) -> None:
    programs.add("runc")
    programs.add("conmon", CONMON.replace("{answer}", '{"data": 42}'))
    conmon.exit_folder().mkdir(parents=True)
    (conmon.exit_folder() / "abc").write_text("9")
    asyncio.run(conmon.create(launch))
    assert conmon.read_exit_status("abc") is None


def test_a_failed_create_says_what_runc_said(programs: Programs, launch: ConmonOptions) -> None:
    programs.add("runc")
    answer = '{"data": -1, "message": "runc create failed: exec format error"}'
    programs.add("conmon", CONMON.replace("{answer}", answer))
    with pytest.raises(ContainerFailed, match="cannot start container p-web-1: exec format error"):
        asyncio.run(conmon.create(launch))


def test_conmon_that_dies_without_a_word_is_a_failure(
    programs: Programs, launch: ConmonOptions
) -> None:
    programs.add("runc")
    programs.add("conmon", "echo broken pipe >&2; exit 1")
    with pytest.raises(ContainerFailed, match="broken pipe"):
        asyncio.run(conmon.create(launch))


def test_what_runc_does_not_know_needs_no_delete(programs: Programs, launch: ConmonOptions) -> None:
    programs.add("runc")
    asyncio.run(runc.delete("abc"))
    assert programs.calls("runc") == []
    (oci_runtime.state_folder() / "abc").mkdir(parents=True)
    asyncio.run(runc.delete("abc"))
    assert programs.calls("runc") == [["--root", str(oci_runtime.state_folder()), "delete", "abc"]]
    assert not (oci_runtime.state_folder() / "abc").exists()


def test_a_start_that_fails_names_the_container(programs: Programs, launch: ConmonOptions) -> None:
    programs.add("runc", "echo 'cannot start a container that has stopped' >&2; exit 1")
    with pytest.raises(ContainerFailed, match="p-web-1: cannot start a container that has stopped"):
        asyncio.run(runc.start("abc", launch.name))
