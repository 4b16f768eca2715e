"""Read where the parts of a sparse file in a tar archive belong, in GNU's formats: old, 0.0, 0.1 and 1.0."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cntnr_compose.core.values import Bytes
from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.archive.stream import LayerStream

BLOCK = 512
MAX_NUMBERS = 200_000
MAX_DIGITS = 20
PREFIX = "GNU.sparse."


class SparseMap(NamedTuple):
    """The parts of a file that are stored, by offset and length, and its size with the holes."""

    parts: tuple[tuple[Bytes, Bytes], ...]
    size: Bytes


def read_gnu_map(stream: LayerStream, header: bytes, stored: Bytes) -> SparseMap:
    """Read the map of GNU's old format: in the header, and in blocks behind it. Raises `StreamDamaged`."""
    numbers = _octal_numbers(header[386:482])
    continues = header[482]
    while continues:
        block = stream.read(BLOCK)
        if len(block) < BLOCK or len(numbers) > MAX_NUMBERS:
            raise _damaged()
        numbers += _octal_numbers(block[:504])
        continues = block[504]
    return _checked_map(numbers, _octal_numbers(header[483:495])[0], stored)


def read_pax_map(
    stream: LayerStream, records: Mapping[str, bytes], parts: Sequence[bytes], stored: Bytes
) -> tuple[SparseMap, Bytes]:
    """Read the map that pax records tell or announce; return it, and what is stored of the file itself.

    ``parts`` are the numbers of format 0.0, which repeats records. Raises `StreamDamaged`.
    """
    size = _integer(records.get(f"{PREFIX}realsize") or records.get(f"{PREFIX}size") or b"")
    if f"{PREFIX}major" in records:
        numbers, length = _read_stored_map(stream, stored)
        return _checked_map(numbers, size, stored - length), stored - length
    words = records[f"{PREFIX}map"].split(b",") if f"{PREFIX}map" in records else parts
    return _checked_map([_integer(word) for word in words], size, stored), stored


def _read_stored_map(stream: LayerStream, stored: Bytes) -> tuple[list[int], Bytes]:
    """Read the map of format 1.0, which stands before the content, a number a line."""
    text, length, expected = b"", 0, 1
    while text.count(b"\n") < expected:
        block = stream.read(BLOCK)
        length += BLOCK
        if len(block) < BLOCK or length > stored or expected > MAX_NUMBERS:
            raise _damaged()
        text += block
        if expected == 1 and b"\n" in text:  # the first line tells how many pairs follow
            expected = 1 + 2 * _integer(text.partition(b"\n")[0])
    return [_integer(line) for line in text.split(b"\n")[1:expected]], length


def _octal_numbers(fields: bytes) -> list[int]:
    """Decode fields of twelve bytes up to the first empty one."""
    numbers: list[int] = []
    for start in range(0, len(fields) - 11, 12):
        field = fields[start : start + 12]
        if not field[0]:
            break
        is_binary = field[0] & 0x80
        try:
            number = int.from_bytes(field[1:], "big") if is_binary else int(field.strip(b" \0"), 8)
        except ValueError:
            raise _damaged() from None
        numbers.append(number)
    return numbers


def _integer(word: bytes) -> int:
    if not word.isdigit() or len(word) > MAX_DIGITS:
        raise _damaged()
    return int(word)


def _checked_map(numbers: Sequence[int], size: Bytes, stored: Bytes) -> SparseMap:
    """Pair offsets and lengths: they ascend, fit the file, and are all that is stored."""
    parts = tuple(zip(numbers[::2], numbers[1::2], strict=False))
    end = total = 0
    for offset, length in parts:
        if offset < end:
            raise _damaged()
        end, total = offset + length, total + length
    if len(numbers) % 2 or end > size or total != stored:
        raise _damaged()
    return SparseMap(parts, size)


def _damaged() -> StreamDamaged:
    return StreamDamaged(why="the map of a sparse file is damaged")
