"""A recording without its tags: phones write there where it was made, with what, and whose it is. The sound stays."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from backbone.media_boxes import BrokenBoxes, boxes

_TELLING = frozenset({b"udta", b"meta", b"uuid", b"free", b"skip"})
_WAV_CHUNKS = frozenset({b"fmt ", b"fact", b"data"})


class BrokenSound(ValueError):
    """The recording has not the form of its kind."""


def without_tags(content: bytes, media_type: str) -> bytes:
    """The same sound, nothing beside it. Raises BrokenSound."""
    try:
        return _WRITERS[media_type](content)
    except (BrokenBoxes, IndexError, ValueError, struct.error) as error:
        raise BrokenSound(repr(error)[:200]) from None


def _mp4(content: bytes) -> bytes:
    """What tells is blanked where it stands, for the sound is found by its distance from the file's beginning."""
    blank = bytearray(content)
    done = 0
    for box in boxes(content):
        if box.kind in _TELLING and box.start >= done:
            blank[box.start + 4 : box.start + 8] = b"free"
            blank[box.body : box.end] = bytes(box.end - box.body)
            done = box.end
    return bytes(blank)


def _mp3(content: bytes) -> bytes:
    start, end = 0, len(content)
    while content[start : start + 3] == b"ID3":
        size = 0
        for byte in content[start + 6 : start + 10]:  # seven bits each
            size = size << 7 | byte & 0x7F
        start += 10 + size + (10 if content[start + 5] & 0x10 else 0)
    if content[end - 128 : end - 125] == b"TAG":
        end -= 128
    if content[end - 32 : end - 24] == b"APETAGEX":
        size, has_header = struct.unpack("<I", content[end - 20 : end - 16])[0], content[end - 9] & 0x80
        end -= size + (32 if has_header else 0)
    if not start < end or content[start] != 0xFF:
        raise BrokenSound("no frame behind the tags")
    return content[start:end]


def _wav(content: bytes) -> bytes:
    kept, at = [], 12
    while at + 8 <= len(content):
        size = struct.unpack("<I", content[at + 4 : at + 8])[0]
        if content[at : at + 4] in _WAV_CHUNKS:
            chunk = content[at : at + 8 + size]
            kept.append(chunk + b"\0" * (len(chunk) % 2))
        at += 8 + size + size % 2
    body = b"WAVE" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _ogg(content: bytes) -> bytes:
    """The comments of the second header are blanked in place and the checksums of their pages made anew."""
    out, at, comments = bytearray(content), 0, True
    while at < len(out):
        if out[at : at + 4] != b"OggS":
            raise BrokenSound("no page where one should begin")
        count = out[at + 26]
        lacing = out[at + 27 : at + 27 + count]
        body, end = at + 27 + count, at + 27 + count + sum(lacing)
        if end > len(out) or count == 0:
            raise BrokenSound("a page is cut short")
        first_page = bool(out[at + 5] & 2)
        if comments and not first_page:
            comments = _blank_comments(out, body, end)
            out[at + 22 : at + 26] = bytes(4)
            out[at + 22 : at + 26] = struct.pack("<I", _ogg_crc(out[at:end]))
        at = end
    return bytes(out)


def _blank_comments(out: bytearray, body: int, end: int) -> bool:
    """Blanks what one page holds of the comments; False: the rest of the file is the sound's."""
    page = bytes(out[body:end])
    head = next((len(each) for each in (b"OpusTags", b"\x03vorbis") if page.startswith(each)), None)
    if head is None:
        raise BrokenSound("the second page holds no comments")
    vendor = struct.unpack("<I", page[head : head + 4])[0]
    at = head + 4 + vendor
    number = struct.unpack("<I", page[at : at + 4])[0]
    at += 4
    for _ in range(number):
        size = struct.unpack("<I", page[at : at + 4])[0]
        at += 4
        if at + size > len(page):
            raise BrokenSound("the comments are longer than a page")  # a picture: no phone's recorder writes one
        out[body + at : body + at + size] = b"X=" + b" " * (size - 2) if size >= 2 else b" " * size
        at += size
    return False


def _crc_table() -> tuple[int, ...]:
    table = []
    for n in range(256):
        value = n << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if value & 0x80000000 else value << 1
        table.append(value)
    return tuple(table)


_CRC = _crc_table()


def _ogg_crc(page: bytes | bytearray) -> int:
    """RFC 3533: polynomial 0x04C11DB7, neither reflected nor inverted."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value


_WRITERS: Mapping[str, Callable[[bytes], bytes]] = {
    "audio/mp4": _mp4,
    "audio/mpeg": _mp3,
    "audio/wav": _wav,
    "audio/ogg": _ogg,
    "audio/amr": bytes,
}
