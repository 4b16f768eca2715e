"""Which platforms run here: the kernel's list of emulators is read as the kernel means it."""

from pathlib import Path

import pytest

from cntnr_compose.images import platforms
from cntnr_compose.model.image import Image

ARM64 = """\
enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""
S390X = """\
enabled
interpreter /usr/bin/qemu-s390x-static
flags: F
offset 0
magic 7f454c4602020100000000000000000000020016
mask ffffffffffffff00fffffffffffffffffffeffff
"""


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platforms, "host_platform", lambda: "linux/amd64")
    (tmp_path / "status").write_text("enabled\n")
    return tmp_path


def test_this_machine_runs_its_own(handlers: Path) -> None:
    assert platforms.can_run("amd64", handlers)
    assert platforms.can_run("386", handlers)
    assert not platforms.can_run("arm64", handlers)
    assert not platforms.can_run("arm64", handlers / "not mounted")


def test_emulators_run_what_they_match(handlers: Path) -> None:
    (handlers / "qemu-aarch64").write_text(ARM64)
    (handlers / "qemu-s390x").write_text(S390X)
    assert platforms.emulated_architectures(handlers) == ["arm64", "s390x"]
    assert platforms.can_run("arm64", handlers)
    assert not platforms.can_run("arm", handlers)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("enabled", "disabled"),
        ("POCF", "OC"),  # its path would be looked up in the container
        ("7f454c46", "23212f62"),
        ("7f454c46", "xyz"),
        ("mask ffff", "mask ff"),
        ("offset 0", "offset many"),
        ("offset 0", "offset 4000"),
        ("magic", "extension"),
    ],
)
def test_what_does_not_count(handlers: Path, old: str, new: str) -> None:
    (handlers / "qemu-aarch64").write_text(ARM64.replace(old, new, 1))
    assert platforms.emulated_architectures(handlers) == []


def test_the_warning_is_docker_s(handlers: Path) -> None:
    image = Image(id="sha256:a", ref="a:1", manifest="sha256:b", architecture="arm64")
    (handlers / "qemu-aarch64").write_text(ARM64)
    assert platforms.platform_warnings(image, "", handlers) == [
        (
            "The requested image's platform (linux/arm64) does not match the detected host platform "
            "(linux/amd64) and no specific platform was requested"
        )
    ]
    assert platforms.platform_warnings(image, "linux/arm64", handlers) == []
    own = Image(id="sha256:a", ref="a:1", manifest="sha256:b", architecture="amd64")
    assert platforms.platform_warnings(own, "", handlers) == []


def test_where_nothing_runs_it_the_remedy_is_told(handlers: Path) -> None:
    image = Image(id="sha256:a", ref="a:1", manifest="sha256:b", architecture="arm64")
    [warning] = platforms.platform_warnings(image, "linux/arm64", handlers)
    assert "qemu-user-static" in warning
    assert len(platforms.platform_warnings(image, "", handlers)) == 2
