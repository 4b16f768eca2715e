"""Cases of the comparison: read them from TOML, and lay their build contexts out.

A case names a Dockerfile, the files of its context, and what the build is given:

    [[case]]
    name = "copy-a-file"
    files = ["a.txt", "bin/tool 0755", "dir/ 0700", "name -> target", "second => a.txt", "pipe |"]
    texts = { "a.txt" = "content" }              # else a file contains its name
    archives = { "a.tar.gz" = ["x 0640 5:6"] }   # files, with owners, as a tar archive
    dockerfile = '''
    FROM busybox
    '''
    build = { target = "x", args = { A = "1" } } # as under `build:` of a compose file
    error = "no such .*"                         # it fails, and both messages fit this expression
    oracle = "buildah"                           # else BuildKit
    differs = { "files./x" = "why ours is other" }
"""

import bz2
import gzip
import io
import lzma
import os
import re
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
CASES, RECORDS = HERE / "cases", HERE / "records"
CONTEXT_TIME = 1_323_785_716  # 2011: every file of every context
ARCHIVE_TIME = 1_234_567_890
XATTR = re.compile(r" \{(\S+)=(\S+)\}$")
ROW = re.compile(r"(?P<name>.+?)(?: (?P<mode>0[0-7]{3,4}))?(?: (?P<uid>\d+):(?P<gid>\d+))?")
ZSTD_MAGIC, ZSTD_HEADER = b"\x28\xb5\x2f\xfd", 0b10100000  # one segment, its size in 4 bytes


class CaseInvalid(Exception):
    """A case has a key that nothing reads, or its name is taken."""

    def __init__(self, file: str, name: str, why: str) -> None:
        super().__init__(f"{file}: {name}: {why}")


@dataclass(frozen=True)
class Case:
    """One Dockerfile, and what it is built with."""

    name: str
    dockerfile: str
    subject: str = ""
    files: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    archives: dict[str, list[str]] = field(default_factory=dict)
    build: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    oracle: str = "buildkit"
    differs: dict[str, str] = field(default_factory=dict)

    @property
    def fails_here(self) -> bool:
        """Return whether cntnr refuses it."""
        return "fails here" in self.differs or (
            bool(self.error) and "fails there" not in self.differs
        )


class Row(NamedTuple):
    """One file of a context or of an archive."""

    name: str
    mode: int
    uid: int = 0
    gid: int = 0
    link: str = ""
    is_hard: bool = False
    xattr: tuple[str, str] | None = None


def load_cases(words: tuple[str, ...] = ()) -> list[Case]:
    """Read all cases, or those whose subject or name contains one of the words."""
    cases: list[Case] = []
    for file in sorted(CASES.glob("*.toml")):
        for tree in tomllib.loads(file.read_text())["case"]:
            unknown = set(tree) - set(Case.__dataclass_fields__)
            if unknown or any(case.name == tree["name"] for case in cases):
                raise CaseInvalid(file.name, tree["name"], str(unknown or "is there twice"))
            tree["files"] = tuple(tree.get("files", ()))
            cases.append(Case(subject=file.stem, **tree))
    return [
        case
        for case in cases
        if not words or any(word in f"{case.subject} {case.name}" for word in words)
    ]


def write_context(case: Case, folder: Path) -> None:
    """Write the Dockerfile and the context of a case, all of one time."""
    folder.mkdir(parents=True)
    _write_file(folder / "Dockerfile", case.dockerfile.encode())
    for text in case.files:
        _write_row(folder, parse_row(text), case)
    for name, content in case.texts.items():
        if not (folder / name).exists():
            _write_file(folder / name, content.encode())
    for name, rows in case.archives.items():
        _write_file(folder / name, pack(name, rows))
    for above, folders, names in os.walk(folder, topdown=False):
        for name in (*folders, *names, "."):
            os.utime(f"{above}/{name}", (CONTEXT_TIME, CONTEXT_TIME), follow_symlinks=False)


def parse_row(text: str) -> Row:
    """Read a row of ``files``, as the module's docstring has it."""
    xattr = XATTR.search(text)
    text = XATTR.sub("", text)
    for sign, is_hard in ((" -> ", False), (" => ", True)):
        name, found_sign, link = text.partition(sign)
        if found_sign:
            return Row(name, 0o777, link=link, is_hard=is_hard)
    match = ROW.fullmatch(text)
    assert match is not None
    name, mode = match["name"], match["mode"]
    usual = 0o755 if name.endswith("/") else 0o644
    return Row(
        name,
        int(mode, 8) if mode else usual,
        int(match["uid"] or 0),
        int(match["gid"] or 0),
        xattr=(xattr[1], xattr[2]) if xattr else None,
    )


def _write_row(folder: Path, row: Row, case: Case) -> None:
    path = folder / row.name.removesuffix(" |")
    path.parent.mkdir(parents=True, exist_ok=True)
    if row.name.endswith("/"):
        path.mkdir(exist_ok=True)
        path.chmod(row.mode)
    elif row.name.endswith(" |"):
        os.mkfifo(path)
        path.chmod(row.mode)
    elif row.is_hard:
        path.hardlink_to(folder / row.link)
    elif row.link:
        path.symlink_to(row.link)
    else:
        content = case.texts.get(row.name, f"{row.name}\n")
        _write_file(path, content.encode(), row.mode)


def _write_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def pack(name: str, rows: list[str]) -> bytes:
    """Pack rows as an archive of the kind that its name tells; one of no row is not an archive."""
    if not rows:
        return b"this is not an archive\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in _members(rows):
            archive.addfile(info, io.BytesIO(content))
    content = packed.getvalue()
    match name.rpartition(".")[2]:
        case "gz" | "tgz":
            return gzip.compress(content, mtime=0)
        case "bz2":
            return bz2.compress(content)
        case "xz":
            return lzma.compress(content)
        case "zst":
            return store_as_zstd(content)
    return content


def _members(rows: list[str]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    parsed = {row.name: row for row in map(parse_row, rows)}
    for listed in parsed.values():
        # A hard link is the same file, with the same owner and mode.
        first = parsed[listed.link] if listed.is_hard else listed
        row = first._replace(name=listed.name, link=listed.link, is_hard=listed.is_hard)
        info = tarfile.TarInfo(row.name.rstrip("/"))
        info.mode, info.uid, info.gid, info.mtime = row.mode, row.uid, row.gid, ARCHIVE_TIME
        content = b""
        if row.name.endswith("/"):
            info.type = tarfile.DIRTYPE
        elif row.link:
            info.type = tarfile.LNKTYPE if row.is_hard else tarfile.SYMTYPE
            info.linkname = row.link
        else:
            content = f"{row.name}\n".encode()
            info.size = len(content)
        if row.xattr:
            info.pax_headers = {f"SCHILY.xattr.{row.xattr[0]}": _xattr_value(row.xattr[1])}
        yield info, content


def _xattr_value(text: str) -> str:
    """Read ``0x…`` as bytes, in the way in which tarfile writes them."""
    if not text.startswith("0x"):
        return text
    return bytes.fromhex(text.removeprefix("0x")).decode("utf-8", "surrogateescape")


def store_as_zstd(content: bytes) -> bytes:
    """Write a zstd frame whose blocks are not compressed."""
    size = 100_000
    blocks = [content[at : at + size] for at in range(0, len(content), size)]
    frame = [ZSTD_MAGIC, bytes([ZSTD_HEADER]), len(content).to_bytes(4, "little")]
    for number, block in enumerate(blocks, 1):
        header = len(block) << 3 | (number == len(blocks))
        frame += [header.to_bytes(3, "little"), block]
    return b"".join(frame)
