"""Recordings: what kind their bytes are, and how long they last. Every structure is read, no sound is decoded.

Each walk is one pass over frames, pages, chunks or boxes and stops at the longest recording that is taken: readers of
tags that we measured search a hostile file of 20 MiB for most of a minute, and take noise for music.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping

from backbone.media_boxes import Box, BrokenBoxes, boxes
from gateway.problems import Problem

LONGEST_S = 3600.0
_AMR = b"#!AMR\n"
_AMR_FRAMES = (13, 14, 16, 18, 20, 21, 27, 32, 6)
"""Bytes of a frame by its mode (RFC 4867, section 5), its own byte included; a frame is 20 ms."""
_STILL_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
_MP3_KBITS = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES = (44_100, 48_000, 32_000)
_MOST_PIECES = 400_000
_MOST_CHUNKS = 1000
_TAIL = 64 * 1024
"""Tags behind the sound; more than this of something else is no recording."""


def media_type_of(content: bytes) -> str | None:
    """The kind of recording that these bytes begin like; None for none that we take."""
    if content.startswith(_AMR):
        return "audio/amr"
    if content.startswith(b"OggS") and (b"OpusHead" in content[:128] or b"\x01vorbis" in content[:128]):
        return "audio/ogg"
    if content.startswith(b"RIFF") and content[8:12] == b"WAVE":
        return "audio/wav"
    if content[4:8] == b"ftyp" and not is_still(content):
        return "audio/mp4"
    if content.startswith(b"ID3") or (len(content) > 2 and content[0] == 0xFF and content[1] & 0xE6 == 0xE2):
        return "audio/mpeg"
    return None


def is_still(content: bytes) -> bool:
    """Whether these are the boxes of a HEIC or AVIF picture."""
    return content[4:8] == b"ftyp" and content[8:12] in _STILL_BRANDS


def seconds_of(content: bytes, media_type: str) -> float:
    """How long it lasts.

    Raises Problem broken_file for what has not the form of its kind, unsupported_file for a film, recording_too_long.
    """
    try:
        seconds = _SECONDS[media_type](content)
    except (BrokenBoxes, ValueError, IndexError, struct.error, OverflowError, ZeroDivisionError) as error:
        raise Problem("broken_file", f"{type(error).__name__}: {str(error)[:100]}") from None
    if not math.isfinite(seconds) or seconds <= 0:
        raise Problem("broken_file", expected="a recording with sound in it")
    return round(_bounded(seconds), 2)


def _bounded(seconds: float) -> float:
    if seconds > LONGEST_S:
        raise Problem("recording_too_long", expected=f"at most {LONGEST_S:.0f} seconds")
    return seconds


def _amr(content: bytes) -> float:
    at, frames = len(_AMR), 0
    while at < len(content):
        mode = content[at] >> 3 & 0x0F
        size = _AMR_FRAMES[mode] if mode < len(_AMR_FRAMES) else 1 if mode == 15 else 0
        if not size or content[at] & 0x83 or at + size > len(content):
            raise ValueError("a frame that cannot be")
        at, frames = at + size, frames + 1
        if frames % 5000 == 0:
            _bounded(frames * 0.02)
    return frames * 0.02


def _mp3(content: bytes) -> float:
    """Frames of layer III (ISO/IEC 11172-3, 13818-3), each where the one before ends, up to the tags at the end."""
    at, seconds, frames = 0, 0.0, 0
    while content[at : at + 3] == b"ID3":
        size = 0
        for byte in content[at + 6 : at + 10]:  # seven bits each
            size = size << 7 | byte & 0x7F
        at += 10 + size
    while len(content) - at >= 4 and (frame := _mp3_frame(content, at)) is not None:
        at, seconds, frames = at + frame[0], seconds + frame[1], frames + 1
        if frames % 5000 == 0:
            _bounded(seconds)
    if frames < 3 or len(content) - at > _TAIL:
        raise ValueError("frames that do not follow each other")
    return seconds


def _mp3_frame(content: bytes, at: int) -> tuple[int, float] | None:
    """Bytes and seconds of the frame there; None where there is none."""
    if content[at] != 0xFF or content[at + 1] & 0xE6 != 0xE2:
        return None
    version = {3: 1, 2: 2, 0: 4}.get(content[at + 1] >> 3 & 3)  # MPEG-1, 2, 2.5: by what the rates are divided
    kbits, rate = content[at + 2] >> 4, content[at + 2] >> 2 & 3
    if version is None or kbits in (0, 15) or rate == 3:
        return None
    hertz = _MP3_RATES[rate] // version
    samples = 1152 if version == 1 else 576
    size = samples // 8 * _MP3_KBITS[1 if version == 1 else 2][kbits - 1] * 1000 // hertz + (content[at + 2] >> 1 & 1)
    return size, samples / hertz


def _wav(content: bytes) -> float:
    at, per_second, data = 12, 0, 0
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(content):
            return data / per_second
        kind, size = content[at : at + 4], struct.unpack("<I", content[at + 4 : at + 8])[0]
        if kind == b"fmt ":
            per_second = struct.unpack("<I", content[at + 16 : at + 20])[0]
        elif kind == b"data":
            data += min(size, len(content) - at - 8)  # recorders that stream write the greatest number there
        at += 8 + size + size % 2
    raise ValueError("too many chunks")


def _ogg(content: bytes) -> float:
    """Pages of one stream (RFC 3533), each where the one before ends."""
    rate, skipped, serial, granule, at = 0, 0, b"", 0, 0
    for page in range(_MOST_PIECES):
        if at == len(content):
            return (granule - skipped) / rate
        if content[at : at + 4] != b"OggS" or at + 27 > len(content):
            raise ValueError("no page where one should begin")
        count = content[at + 26]
        body = at + 27 + count
        end = body + sum(content[at + 27 : body])
        if end > len(content):
            raise ValueError("a page is cut short")
        if at == 0:
            serial, (rate, skipped) = content[14:18], _ogg_head(content[body:end])
        elif content[at + 14 : at + 18] != serial:
            raise Problem("unsupported_file", expected="a recording alone, without a film")
        elif page == 1 and min(content[at + 27 : body], default=255) == 255:
            # The comments go on in the next page: a cover, which no recorder writes and readers' copies could not lose.
            raise Problem("unsupported_file", expected="a recording without a cover picture")
        at, position = end, struct.unpack("<q", content[at + 6 : at + 14])[0]
        granule = max(granule, position)
    raise ValueError("too many pages")


def _ogg_head(packet: bytes) -> tuple[int, int]:
    """Positions per second, and how many before the sound begins."""
    if packet.startswith(b"OpusHead"):
        return 48_000, struct.unpack("<H", packet[10:12])[0]
    if packet.startswith(b"\x01vorbis"):
        return struct.unpack("<I", packet[12:16])[0], 0
    raise ValueError("no head of a recording")


def _mp4(content: bytes) -> float:
    """The tracks must be sound alone: a film is not a recording, whatever it is called."""
    seconds, sound, data = 0.0, False, 0
    for box in boxes(content):
        if box.kind == b"hdlr" and b"mdia" in box.path:
            handler = content[box.body + 8 : box.body + 12]
            if handler in (b"vide", b"pict"):
                raise Problem("unsupported_file", expected="a recording without a film")
            sound = sound or handler == b"soun"
        elif box.kind == b"mvhd":
            seconds = max(seconds, _movie_seconds(content, box))
        elif box.kind == b"mdat":
            data += box.end - box.body
    if not sound or not data:
        raise ValueError("no track of sound")
    return seconds


def _movie_seconds(content: bytes, box: Box) -> float:
    if content[box.body] == 1:
        scale, duration = struct.unpack(">IQ", content[box.body + 20 : box.body + 32])
    else:
        scale, duration = struct.unpack(">II", content[box.body + 12 : box.body + 20])
    return float(duration / scale) if scale else 0.0


_SECONDS: Mapping[str, Callable[[bytes], float]] = {
    "audio/amr": _amr,
    "audio/mp4": _mp4,
    "audio/mpeg": _mp3,
    "audio/ogg": _ogg,
    "audio/wav": _wav,
}
