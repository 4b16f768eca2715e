"""Tell which platforms' programs this machine runs, by itself or by an emulator of binfmt_misc."""

import struct
from pathlib import Path

from cntnr_compose.host.kernel import host_platform
from cntnr_compose.model.image import Image

HANDLERS = Path("/proc/sys/fs/binfmt_misc")
# Architectures of images: what the header of an ELF file has for them: 64 bits, byte order, machine.
ELF_HEADERS = {
    "386": (False, "<", 3),
    "amd64": (True, "<", 62),
    "arm": (False, "<", 40),
    "arm64": (True, "<", 183),
    "loong64": (True, "<", 258),
    "mips64le": (True, "<", 8),
    "ppc64le": (True, "<", 21),
    "riscv64": (True, "<", 243),
    "s390x": (True, ">", 22),
}
# What processors run beside their own programs.
RUN_NATIVELY = {"amd64": ("amd64", "386"), "arm64": ("arm64", "arm")}
MISMATCH = (
    "The requested image's platform ({image}) does not match the detected host platform ({host}) "
    "and no specific platform was requested"
)
NO_EMULATOR = (
    'programs of {image} end with "exec format error" here: the package qemu-user-static, or an '
    "administrator's binfmt_misc, brings the emulator"
)


def platform_warnings(image: Image, requested: str, handlers: Path = HANDLERS) -> list[str]:
    """Return docker's warning where an image is for another platform and nobody asked for that.

    And one of our own, with what mends it, where its programs do not run here.
    """
    platform, host = f"{image.os}/{image.architecture}", host_platform()
    if not image.architecture or platform == host:
        return []
    warnings = [] if requested else [MISMATCH.format(image=platform, host=host)]
    if not can_run(image.architecture, handlers):
        warnings.append(NO_EMULATOR.format(image=platform))
    return warnings


def can_run(architecture: str, handlers: Path = HANDLERS) -> bool:
    """Check whether programs of an architecture run here.

    An emulator counts where the kernel has opened it already (flag F): by its path it would not be found in a
    container.
    """
    own = host_platform().partition("/")[2]
    if architecture in RUN_NATIVELY.get(own, (own,)):
        return True
    return any(architecture in emulated(path) for path in _handler_files(handlers))


def emulated_architectures(handlers: Path = HANDLERS) -> list[str]:
    """List the architectures whose programs an emulator runs."""
    names = {name for path in _handler_files(handlers) for name in emulated(path)}
    return sorted(names)


def _handler_files(handlers: Path) -> list[Path]:
    try:
        return [
            path for path in sorted(handlers.iterdir()) if path.name not in ("register", "status")
        ]
    except OSError:
        return []


def emulated(handler: Path) -> list[str]:
    """List the architectures that a handler of binfmt_misc is for."""
    try:
        lines = handler.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    fields = {name: text for name, _, text in (line.partition(" ") for line in lines)}
    if lines[:1] != ["enabled"] or "F" not in fields.get("flags:", "") or "magic" not in fields:
        return []
    try:
        offset, magic = int(fields.get("offset", "0")), bytes.fromhex(fields["magic"])
        mask = bytes.fromhex(fields["mask"]) if "mask" in fields else b"\xff" * len(magic)
    except ValueError:
        return []
    return [name for name in ELF_HEADERS if _matches(_elf_header(name), offset, magic, mask)]


def _elf_header(architecture: str) -> bytes:
    """Return the beginning of a program for an architecture."""
    is_64_bit, order, machine = ELF_HEADERS[architecture]
    kind = bytes([2 if is_64_bit else 1, 1 if order == "<" else 2, 1])
    return b"\x7fELF" + kind + bytes(9) + struct.pack(f"{order}HHI", 2, machine, 1)


def _matches(header: bytes, offset: int, magic: bytes, mask: bytes) -> bool:
    piece = header[offset : offset + len(magic)]
    return bool(magic) and len(piece) == len(magic) == len(mask) and all(
        byte & bits == expected & bits for byte, expected, bits in zip(piece, magic, mask, strict=True)
    )  # fmt: skip
