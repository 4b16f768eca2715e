"""Find PRoot on this host, with the loader and the libraries that it needs in a container."""

import contextlib
import os
import posixpath
import re
import struct
from pathlib import Path

from cntnr_compose.containers.runtime.runc import ContainerFailed
from cntnr_compose.containers.spec.process import (
    PROOT_LIBRARIES,
    PROOT_LOADER,
    PROOT_PATH,
    ProotProgram,
    build_command_line,
    split_variable,
)
from cntnr_compose.core.errors import CntnrError, CommandFailed, ProgramMissing
from cntnr_compose.core.user_config import read_user_config
from cntnr_compose.core.values import Tree
from cntnr_compose.host import process
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Service

ELF_MAGIC = b"\x7fELF"
IS_64_BIT = 2
LITTLE_ENDIAN = 1
HEADER_SIZE = 64
PROGRAM_HEADERS = struct.Struct("<32xQ14xHH")  # offset, size, count
PROGRAM_HEADER = struct.Struct("<I4xQ16xQ")  # kind, offset, size in the file
INTERPRETER = 3
MAX_PATH = 4096
LIBRARY = re.compile(r"\s*(\S+) => (/\S+) \(0x[0-9a-f]+\)")
LIST_TIMEOUT = 10.0
ANY_EXECUTE = 0o111


class ProotMissing(CntnrError):
    """PRoot is asked for, and not there or not usable."""

    hint = (
        "install it (on Debian: `apt-get install proot`), or name it in config.toml: [proot] path"
    )

    def __init__(self, program: str, why: str) -> None:
        super().__init__(f"cannot run with PRoot: {program} {why}")


def choose_proot(service: Service, id_count: int) -> ProotProgram | None:
    """Return PRoot where it is asked for: for one container, or by the settings for all of one id.

    Raises `ProotMissing`, `ConfigInvalid`.
    """
    is_used = service.proot
    if is_used is None:
        is_used = id_count == 1 and read_user_config().proot.enabled
    return find_proot() if is_used else None


def find_proot() -> ProotProgram:
    """Find PRoot. Raises `ProotMissing`, `ConfigInvalid`."""
    configured = read_user_config().proot.path
    try:
        path = configured or process.find_program("proot")
    except ProgramMissing:
        raise ProotMissing("proot", "is not installed") from None
    try:
        if not os.access(path, os.X_OK):
            raise ProotMissing(path, "cannot be executed")
        loader = read_loader(Path(path))
    except OSError as error:
        raise ProotMissing(path, f"cannot be read: {error.strerror}") from error
    sources = {PROOT_PATH: str(Path(path).resolve())}
    if loader:
        sources[PROOT_LOADER] = os.path.realpath(loader)
        for name, library in _list_libraries(loader, path).items():
            sources[f"{PROOT_LIBRARIES}/{name}"] = os.path.realpath(library)
    return ProotProgram(sources=sources)


def check_program(record: Record, root: Root, image: ImageConfig, process_spec: Tree) -> None:
    """Check that a container has the program that PRoot is to run, which itself tells by its status alone.

    Raises `ContainerFailed` as the runtime would.
    """
    word = build_command_line(record.definition, image)[0]
    cause = why_not_runnable(root, word, process_spec)
    if cause:
        raise ContainerFailed(record.name, f'exec: "{word}": {cause}')


def why_not_runnable(root: Root, word: str, process_spec: Tree) -> str:
    """Tell, in the words of runc, why a root has no such program for a process; '' where it has one."""
    variables = dict(map(split_variable, process_spec["env"]))
    folders = [process_spec["cwd"]] if "/" in word else variables.get("PATH", "").split(":")
    modes = [_read_mode(root, posixpath.join(folder, word)) for folder in folders]
    if any(mode & ANY_EXECUTE for mode in modes):
        return ""
    if any(modes):
        return "permission denied"
    if "/" in word:
        return f"stat {word}: no such file or directory"
    return "executable file not found in $PATH"


def _read_mode(root: Root, path: str) -> int:
    """Return the mode of a file, links followed; 0 where there is none."""
    with contextlib.suppress(
        OSError, ValueError
    ):  # links in circles, and whatever else an image may have
        file = root.find(path)
        if file is not None:
            return file.stat().st_mode
    return 0


def read_loader(program: Path) -> str:
    """Read which loader a program names; empty where it is statically linked.

    Raises `ProotMissing`, `OSError`.
    """
    with program.open("rb") as file:
        header = file.read(HEADER_SIZE)
        if header[:6] != ELF_MAGIC + bytes([IS_64_BIT, LITTLE_ENDIAN]) or len(header) < HEADER_SIZE:
            raise ProotMissing(str(program), "is no program for this machine")
        offset, size, count = PROGRAM_HEADERS.unpack_from(header)
        for number in range(count):
            file.seek(offset + number * size)
            entry = file.read(PROGRAM_HEADER.size)
            if len(entry) < PROGRAM_HEADER.size:
                break
            kind, start, length = PROGRAM_HEADER.unpack(entry)
            if kind == INTERPRETER:
                file.seek(start)
                return os.fsdecode(file.read(min(length, MAX_PATH)).rstrip(b"\0"))
    return ""


def _list_libraries(loader: str, program: str) -> dict[str, str]:
    """Ask the loader which libraries a program needs, and where they are. Raises `ProotMissing`."""
    try:
        listed = process.run([loader, "--list", program], timeout=LIST_TIMEOUT).stdout
    except (CommandFailed, ProgramMissing, TimeoutError, OSError) as error:
        raise ProotMissing(program, f"has libraries that cannot be found: {error}") from error
    matches = map(LIBRARY.match, listed.splitlines())
    return {match[1]: match[2] for match in matches if match}
