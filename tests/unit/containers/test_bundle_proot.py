"""PRoot is found with its loader and libraries, or told to be unusable."""

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.containers.bundle import proot
from cntnr_compose.containers.bundle.proot import ProotMissing, find_proot, read_loader
from cntnr_compose.containers.runtime.runc import ContainerFailed
from cntnr_compose.containers.spec.process import PROOT_LIBRARIES, PROOT_LOADER, PROOT_PATH
from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.user_config import ProotSettings, UserConfig
from cntnr_compose.host import process
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Service

HEADER_SIZE = 64
ENTRY_SIZE = 56
LISTED = """\
	linux-vdso.so.1 (0x00007f86609ce000)
	libtalloc.so.2 => /lib/libtalloc.so.2 (0x00007f8660980000)
	libc.so.6 => /lib/libc.so.6 (0x00007f866079e000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f86609d0000)
"""


def elf(*entries: tuple[int, bytes], count: int | None = None) -> bytes:
    """Write an ELF file of program headers: their kind and content."""
    header = b"\x7fELF\x02\x01" + bytes(26) + struct.pack("<Q", HEADER_SIZE) + bytes(14)
    header += struct.pack("<HH", ENTRY_SIZE, len(entries) if count is None else count)
    header = header.ljust(HEADER_SIZE, b"\0")
    table, contents = b"", b""
    for kind, content in entries:
        start = HEADER_SIZE + len(entries) * ENTRY_SIZE + len(contents)
        table += struct.pack("<I4xQ16xQ16x", kind, start, len(content))
        contents += content
    return header + table + contents


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets what config.toml says of PRoot."""

    def write(**values: str | bool) -> None:
        config = UserConfig(proot=ProotSettings(**values))
        monkeypatch.setattr(proot, "read_user_config", lambda: config)

    write()
    return write


@pytest.fixture
def program(tmp_path: Path, settings: Callable[..., None]) -> Path:
    """Make a program that the settings name."""
    path = tmp_path / "proot"
    path.touch(mode=0o755)
    settings(path=str(path))
    return path


def test_the_loader_is_read_from_the_file(program: Path) -> None:
    program.write_bytes(elf((6, b"headers"), (3, b"/lib64/ld.so\0"), (1, b"code")))
    assert read_loader(program) == "/lib64/ld.so"
    program.write_bytes(elf((1, b"code")))
    assert read_loader(program) == ""
    program.write_bytes(elf((1, b"code"), count=65535))
    assert read_loader(program) == ""


@pytest.mark.parametrize(
    "content", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(99), elf()[:60]]
)
def test_what_is_no_program_is_told(program: Path, content: bytes) -> None:
    program.write_bytes(content)
    with pytest.raises(ProotMissing, match="is no program for this machine"):
        find_proot()


def test_libraries_come_with_it(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program.write_bytes(elf((3, b"/lib64/ld.so\0")))
    result = process.ProgramResult(returncode=0, stdout=LISTED, stderr="")
    monkeypatch.setattr(process, "run", lambda argv, **_: result)
    dynamic = find_proot()
    assert set(dynamic.sources) == {
        PROOT_PATH,
        PROOT_LOADER,
        f"{PROOT_LIBRARIES}/libtalloc.so.2",
        f"{PROOT_LIBRARIES}/libc.so.6",
    }
    assert dynamic.argv == [PROOT_LOADER, "--library-path", PROOT_LIBRARIES, PROOT_PATH]


def test_a_static_one_comes_alone(program: Path) -> None:
    program.write_bytes(elf((1, b"code")))
    assert find_proot().sources == {PROOT_PATH: str(program)}
    assert find_proot().argv == [PROOT_PATH]


def test_what_is_missing_is_told(
    program: Path, monkeypatch: pytest.MonkeyPatch, settings: Callable[..., None]
) -> None:
    program.write_bytes(elf((3, b"/lib64/ld.so\0")))

    def fail(argv: list[str], **_: object) -> None:
        raise CommandFailed(argv, 127, "libtalloc.so.2: cannot open shared object file")

    monkeypatch.setattr(process, "run", fail)
    with pytest.raises(ProotMissing, match="libraries that cannot be found"):
        find_proot()
    program.chmod(0o644)
    settings(path=str(program))
    with pytest.raises(ProotMissing, match="cannot be executed"):
        find_proot()

    def miss(name: str) -> str:
        raise ProgramMissing(name)

    settings()
    monkeypatch.setattr(process, "find_program", miss)
    with pytest.raises(ProotMissing, match="proot is not installed") as caught:
        find_proot()
    assert "apt-get install proot" in caught.value.hint


@pytest.mark.parametrize(
    ("service", "enabled", "ids", "runs"),
    [
        (None, False, 1, False),
        (None, True, 1, True),
        (None, True, 65537, False),
        (False, True, 1, False),
        (True, False, 65537, True),
    ],
)
def test_the_service_says_whether_it_runs_else_the_settings(
    program: Path, settings: Callable[..., None], service: bool | None, enabled: bool, ids: int, runs: bool
) -> None:  # fmt: skip
    program.write_bytes(elf())
    settings(path=str(program), enabled=enabled)
    chosen = proot.choose_proot(Service(name="web", proot=service), ids)
    assert (chosen is not None) is runs


@pytest.mark.parametrize(
    ("command", "cause"),
    [("tool", ""), ("/bin/tool", ""), ("../bin/tool", ""), ("linked", ""), ("second", ""),
     ("other", "executable file not found in $PATH"), ("loop", "executable file not found in $PATH"),
     ("a\0b", "executable file not found in $PATH"), ("text", "permission denied"),
     ("/tool", "stat /tool: no such file or directory"),
     ("/bin/loop/x", "stat /bin/loop/x: no such file or directory")],
)  # fmt: skip
def test_a_program_that_the_image_lacks_is_told(tmp_path: Path, command: str, cause: str) -> None:
    for name in ("first", "bin", "usr"):
        (tmp_path / name).mkdir()
    for name in ("bin/tool", "bin/second"):
        (tmp_path / name).touch(0o711)
    for name in ("first/second", "bin/text"):
        (tmp_path / name).touch(0o644)
    (tmp_path / "bin/linked").symlink_to("/bin/tool")
    (tmp_path / "bin/loop").symlink_to("loop")
    process_spec = {"env": ["PATH=/nowhere:/first:/bin"], "cwd": "/usr"}
    with Root(tmp_path) as root:
        assert proot.why_not_runnable(root, command, process_spec) == cause
        service = Service(name="web", command=(command,))
        record = Record(id="a", name="p-web-1", project="p", service="web", definition=service)
        expected = pytest.raises(ContainerFailed) if cause else contextlib.nullcontext()
        with expected:
            proot.check_program(record, root, ImageConfig(), process_spec)
