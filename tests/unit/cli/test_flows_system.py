"""What `version`, `info` and `gc` make of what there is."""

from pathlib import Path

import pytest

from cntnr_compose import __version__
from cntnr_compose.cli.flows.images.reclaiming import AgeInvalid, CountInvalid, parse_limits
from cntnr_compose.cli.flows.system import info, versions
from cntnr_compose.cli.flows.system.info import file_system_of


def find_some(_names: object) -> dict[str, str]:
    return {"runc": "1.1.5+ds1", "conmon": ""}


def test_versions_are_as_docker_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "find_versions", find_some)
    described = versions.describe_versions()
    assert described["Client"]["Version"] == described["Server"]["Version"] == __version__
    names = [part["Name"] for part in described["Server"]["Components"]]
    assert names == ["Engine", "runc", "conmon"]
    text = versions.versions_text(described)
    assert f"Client:\n Version:           {__version__}\n Python version:    3." in text
    assert " runc:\n  Version:          1.1.5+ds1\n conmon:\n" in text


def test_info_is_as_docker_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "find_versions", find_some)
    monkeypatch.setattr(info.cgroups, "find_delegated", lambda: None)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    described = info.describe_system()
    assert (described["Containers"], described["MemoryLimit"], described["CgroupDriver"]) == (
        0, False, "none",
    )  # fmt: skip
    assert "WARNING: No pids limit support" in described["Warnings"]
    assert list(described["Runtimes"]) == ["runc"]
    lines = info.system_text(described).splitlines()
    assert " Containers: 0" in lines
    assert " runc version: 1.1.5+ds1" in lines
    assert " HTTPS Proxy: http://proxy:1" in lines
    assert lines[-1] == "WARNING: No pids limit support"


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    lines = ["a / ext4 rw 0 0", "b /home tmpfs rw 0 0", "c /home/my\\040data btrfs rw 0 0"]
    mounts.write_text("\n".join(lines) + "\n")
    for path, kind in (
        ("/", "ext4"),
        ("/homes/x", "ext4"),
        ("/home", "tmpfs"),
        ("/home/x/y", "tmpfs"),
        ("/home/my data/x", "btrfs"),
    ):
        assert file_system_of(path, str(mounts)) == kind


def test_limits_of_gc_are_checked() -> None:
    assert parse_limits(("-t", "1h"), ("-r", "0"), 2) == (3600, 0, 2)
    with pytest.raises(AgeInvalid):
        parse_limits(("-t", "soon"), ("-r", "0"), 0)
    with pytest.raises(CountInvalid):
        parse_limits(("-t", "1h"), ("-r", "0"), -1)
