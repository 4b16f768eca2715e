"""Files that distributions install in different places are found."""

import platform
from pathlib import Path

import pytest

from cntnr_compose.host import distribution


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ({"ID": "debian"}, "debian"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "debian"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "fedora"),
        ({"ID": "gentoo"}, "gentoo"),
        ({}, ""),
    ],
)
def test_a_distribution_belongs_to_a_family(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str], family: str
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert distribution.distribution_family() == family


def test_the_first_folder_with_plugins_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(distribution, "CNI_FOLDERS", (tmp_path / "a", tmp_path / "b"))
    assert distribution.cni_plugin_folder() is None
    (tmp_path / "b").mkdir()
    (tmp_path / "b/bridge").touch()
    assert distribution.cni_plugin_folder() == tmp_path / "b"


def test_an_init_must_be_executable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    init = tmp_path / "tini"
    monkeypatch.setattr(distribution, "CONTAINER_INITS", (str(init),))
    assert distribution.container_init() == ""
    init.touch(mode=0o755)
    assert distribution.container_init() == str(init)
