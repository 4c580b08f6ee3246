"""What counts as a picture, and what is read of it."""

import io
import struct
import zlib

import pytest
from PIL import Image

from gateway.attachments.pictures import seen
from gateway.problems import Problem
from tests.unit.pictures import telling


def test_a_phones_double_picture_is_a_jpeg() -> None:
    assert seen(telling("MPO")).media_type == "image/jpeg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_picture_that_was_cut_short_is_refused(kind: str, kept: float) -> None:
    out = io.BytesIO()
    Image.effect_noise((200, 200), 90).convert("RGB").save(out, kind)
    whole = out.getvalue()
    with pytest.raises(Problem) as refused:
        seen(whole[: int(len(whole) * kept)])
    assert refused.value.code == "unsupported_photo"


def png(width: int, height: int, bits: int, colour: int, data: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_by_its_size_before_it_is_unpacked() -> None:
    for width, height in ((65_000, 65_000), (9_000, 9_000), (2**31 - 1, 2**31 - 1)):
        with pytest.raises(Problem):
            seen(png(width, height, 8, 2, b"\0" * 1000))


def test_a_picture_larger_than_any_cameras_is_refused_though_nothing_is_wrong_with_it() -> None:
    side = 8_000  # 64 million pixels of one bit: Pillow's own limit lies higher
    with pytest.raises(Problem):
        seen(png(side, side, 1, 0, bytes((side // 8 + 1) * side)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff",
        b"GIF89a" + b"\0" * 50,
        b"<svg onload=alert(1)/>",
        b"RIFF\xff\xff\xff\xffWEBPVP8X",
        b"%PDF-1.7",
    ],
)
def test_what_is_no_picture_is_refused_whatever_its_name(content: bytes) -> None:
    with pytest.raises(Problem):
        seen(content)


def test_sides_are_those_of_the_picture_as_it_is_looked_at() -> None:
    found = seen(telling("JPEG"))  # 80 x 40, lying on its side
    assert (found.width, found.height) == (40, 80)
