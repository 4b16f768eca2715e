"""Drive umoci, which unpacks the layers of an image into a folder."""

from pathlib import Path

from cntnr_compose.host import process


def unpack_argv(layout: Path, tag: str, rootfs: Path) -> list[str]:
    """Build the command that unpacks all layers of an image, owners kept."""
    return ["umoci", "raw", "unpack", "--image", f"{layout}:{tag}", str(rootfs)]


async def unpack(layout: Path, tag: str, rootfs: Path) -> None:
    """Unpack all layers of an image into ``rootfs``, whose parent exists.

    Raises `CommandFailed`.
    """
    await process.run_async(unpack_argv(layout, tag, rootfs))
