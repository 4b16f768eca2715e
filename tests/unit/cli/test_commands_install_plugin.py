"""`install-plugin` links the command, puts aside only what it is told to, and undoes it."""

import json
import sys
from pathlib import Path

import pytest

from cntnr_compose.cli.commands import install_plugin
from tests.unit.cli.conftest import Run


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    path = tmp_path / "venv/bin/cntnr"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(path)])
    return path


def test_links_are_made_and_removed(cntnr: Run, program: Path, tmp_path: Path) -> None:
    plugin = tmp_path / ".docker/cli-plugins/docker-compose"
    command = tmp_path / ".local/bin/docker-compose"
    ran = cntnr("install-plugin")
    assert ran.code == 0
    assert plugin.readlink() == program
    assert not command.exists()
    assert "already" in cntnr("install-plugin", "--docker-compose").out
    assert command.readlink() == program
    ran = cntnr("install-plugin", "--remove")
    assert ran.out.count("removed") == 2
    assert not plugin.is_symlink()
    assert not command.is_symlink()
    assert (cntnr("install-plugin", "--remove").code, list(plugin.parent.iterdir())) == (0, [])


def test_the_folder_is_docker_s(
    cntnr: Run, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    cntnr("install-plugin")
    assert (tmp_path / "config/cli-plugins/docker-compose").readlink() == program


def test_what_is_there_is_put_aside_only_with_force_and_put_back(
    cntnr: Run, program: Path, tmp_path: Path
) -> None:
    plugin = tmp_path / ".docker/cli-plugins/docker-compose"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("docker's")
    ran = cntnr("install-plugin")
    assert ran.code == 1
    assert "another program is there" in ran.err
    assert plugin.read_text() == "docker's"
    assert cntnr("install-plugin", "--remove").out == ""
    assert cntnr("install-plugin", "--force").code == 0
    assert plugin.readlink() == program
    assert [path.name for path in plugin.parent.glob("docker*")] == ["docker-compose"]
    assert cntnr("install-plugin", "--remove").code == 0
    assert plugin.read_text() == "docker's"
    assert len(list(plugin.parent.iterdir())) == 1


def test_a_folder_and_a_read_only_place_are_told(cntnr: Run, program: Path, tmp_path: Path) -> None:
    folder = tmp_path / ".docker/cli-plugins/docker-compose"
    folder.mkdir(parents=True)
    assert "a folder is there" in cntnr("install-plugin", "--force").err
    folder.rmdir()
    folder.parent.rmdir()
    folder.parent.write_text("")
    ran = cntnr("install-plugin")
    assert (ran.code, "cannot change" in ran.err) == (1, True)


def test_a_link_to_another_cntnr_is_replaced(cntnr: Run, program: Path, tmp_path: Path) -> None:
    plugin = tmp_path / ".docker/cli-plugins/docker-compose"
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to("/gone/cntnr")
    assert cntnr("install-plugin").code == 0
    assert plugin.readlink() == program


def test_it_knows_its_file_under_the_name_of_docker_compose(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "docker-compose"
    link.symlink_to(program)
    monkeypatch.setattr(sys, "argv", [str(link)])
    assert install_plugin.program_file() == program
    monkeypatch.setattr(sys, "argv", ["-c"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(install_plugin.NoProgram):
        install_plugin.program_file()


def test_docker_is_told_what_it_is(cntnr: Run) -> None:
    told = json.loads(cntnr("docker-cli-plugin-metadata").out)
    assert told["SchemaVersion"] == "0.1.0"
    assert told["Version"] == "v2.40.3"
    assert set(told) == {"SchemaVersion", "Vendor", "Version", "ShortDescription"}
