"""Boxes of ISO base media files (ISO/IEC 14496-12), as phones record sound in: where each begins and ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf"})
_MOST = 10_000
_DEEPEST = 8


class BrokenBoxes(ValueError):
    """The file says of itself what cannot be."""


@dataclass(frozen=True, slots=True)
class Box:
    """`kind` at `start`; its content is [body, end)."""

    kind: bytes
    start: int
    body: int
    end: int
    path: tuple[bytes, ...]


def boxes(content: bytes) -> Iterator[Box]:
    """Every box, outer ones before those inside them. Raises BrokenBoxes."""
    for found, box in enumerate(_inside(content, 0, len(content), ())):
        if found >= _MOST:
            raise BrokenBoxes(f"more than {_MOST} boxes")
        yield box


def _inside(content: bytes, start: int, end: int, path: tuple[bytes, ...]) -> Iterator[Box]:
    while start < end:
        if end - start < 8:
            raise BrokenBoxes("a box is cut short")
        size, kind, body = int.from_bytes(content[start : start + 4]), content[start + 4 : start + 8], start + 8
        if size == 1:
            size, body = int.from_bytes(content[start + 8 : start + 16]), start + 16
        elif size == 0 and not path:
            size = end - start  # to the end of the file
        if not body - start <= size <= end - start:
            raise BrokenBoxes("a box is longer than what holds it")
        box = Box(kind, start, body, start + size, path)
        yield box
        if kind in CONTAINERS and len(path) < _DEEPEST:
            yield from _inside(content, body, box.end, (*path, kind))
        start = box.end
