"""Recordings as phones make them, built by hand: each with a tag that tells where it was made, and silence."""

import io
import struct
import wave

from services.hazards.jobs.sounds import _ogg_crc

PLACE = b"+30.7711+120.6966/"
"""As an iPhone writes it."""


def box(kind: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return struct.pack(">I", 8 + len(body)) + kind + body


def m4a(seconds: int = 3, handler: bytes = b"soun", brand: bytes = b"M4A ", place: bytes = PLACE) -> bytes:
    movie = box(b"mvhd", bytes(12), struct.pack(">II", 1000, seconds * 1000), bytes(80))
    track = box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(13))))
    telling = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(place), 0x15C7), place))
    return box(b"ftyp", brand, bytes(4), brand) + box(b"moov", movie, track, telling) + box(b"mdat", b"sound" * 100)


def mp3(frames: int = 100, place: bytes = PLACE) -> bytes:
    tag = b"GEOB" + struct.pack(">I", len(place)) + b"\0\0" + place
    size = bytes([0, 0, len(tag) >> 7, len(tag) & 0x7F])
    frame = b"\xff\xfb\x90\x64" + bytes(413)  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz
    return b"ID3\x03\0\0" + size + tag + frame * frames + b"TAG" + place.ljust(125, b"\0")


def wav(seconds: int = 1, place: bytes = PLACE) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000 * seconds))
    note = b"LIST" + struct.pack("<I", 4 + 8 + len(place)) + b"INFO" + b"ICMT" + struct.pack("<I", len(place)) + place
    body = out.getvalue()[8:] + note
    return b"RIFF" + struct.pack("<I", len(body)) + body


def page(serial: int, flags: int, granule: int, *packets: bytes) -> bytes:
    lacing = b"".join(b"\xff" * (len(each) // 255) + bytes([len(each) % 255]) for each in packets)
    head = b"OggS\0" + bytes([flags]) + struct.pack("<qIII", granule, 7, serial, 0) + bytes([len(lacing)]) + lacing
    whole = head + b"".join(packets)
    return whole[:22] + struct.pack("<I", _ogg_crc(whole)) + whole[26:]


def opus(seconds: int = 2, place: bytes = PLACE) -> bytes:
    comment = b"LOCATION=" + place
    tags = b"OpusTags" + struct.pack("<I", 4) + b"test" + struct.pack("<II", 1, len(comment)) + comment
    head = b"OpusHead\x01\x01" + struct.pack("<HIh", 0, 48_000, 0) + b"\0"
    return page(0, 2, 0, head) + page(1, 0, 0, tags) + page(2, 4, 48_000 * seconds, b"\xfc\xff\xfe" * 20)


def amr(frames: int = 100) -> bytes:
    return b"#!AMR\n" + (b"\x04" + bytes(12)) * frames


ALL = {
    "audio/mp4": (m4a(), 3.0),
    "audio/mpeg": (mp3(), 2.61),
    "audio/wav": (wav(), 1.0),
    "audio/ogg": (opus(), 2.0),
    "audio/amr": (amr(), 2.0),
}
"""Media type -> recording, seconds."""
