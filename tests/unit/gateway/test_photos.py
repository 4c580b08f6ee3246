"""What counts as a picture, and what a reader's copy of it does not carry."""

import io
import pathlib
import struct
import zlib

import pytest
from PIL import Image

from backbone import files
from gateway import photos
from gateway.photos import media_type_of, without_metadata
from gateway.problems import Problem

SECRETS = (b"GPSMARK", b"Owner's Phone", b"xmpmeta", b"a comment", b"PXL_2026")


def picture(kind: str, size: tuple[int, int] = (80, 40), mode: str = "RGB") -> Image.Image:
    made = Image.new(mode, size, "white")
    made.paste("red" if mode != "L" else 9, (0, 0, 40, 20))
    return made


def telling(kind: str) -> bytes:
    """A picture as a phone makes it: turned on its side, with place, owner, comment and a film behind its end."""
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: to be turned a quarter clockwise
    exif[0x0110] = "Owner's Phone"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (30.0, 46.0, 7.0), "E", (120.0, 42.0, 4.0)
    gps[29] = "GPSMARK"
    out = io.BytesIO()
    more = {"comment": b"a comment"} if kind in ("JPEG", "MPO") else {}
    if kind == "MPO":
        more |= {"save_all": True, "append_images": [picture(kind)]}  # type: ignore[dict-item]
    picture(kind).save(out, kind, exif=exif.tobytes(), xmp=b"<x:xmpmeta/>", **more)
    return out.getvalue() + (b"ftypmp42 PXL_2026 GPSMARK" if kind != "WEBP" else b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "MPO"])
def test_a_readers_copy_tells_no_place_device_or_owner(kind: str) -> None:
    original = telling(kind)
    assert b"GPSMARK" in original
    copy = without_metadata(original)
    for secret in SECRETS:
        assert secret not in copy, secret
    with Image.open(io.BytesIO(copy)) as shown:
        assert shown.format == ("JPEG" if kind == "MPO" else kind)
        assert not shown.getexif()
        assert shown.size == (40, 80), "upright though the note of its turn is gone"
        red, green, _ = shown.convert("RGB").getpixel((30, 10))  # type: ignore[misc]
        assert red > 200 > 100 > green


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16"])
def test_every_mode_of_a_png_can_be_copied(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (5, 5)).save(out, "PNG")
    assert media_type_of(without_metadata(out.getvalue())) == "image/png"


def test_a_phones_double_picture_is_a_jpeg() -> None:
    assert media_type_of(telling("MPO")) == "image/jpeg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_picture_that_was_cut_short_is_refused(kind: str, kept: float) -> None:
    out = io.BytesIO()
    Image.effect_noise((200, 200), 90).convert("RGB").save(out, kind)
    whole = out.getvalue()
    with pytest.raises(Problem) as refused:
        media_type_of(whole[: int(len(whole) * kept)])
    assert refused.value.code == "unsupported_photo"


def png(width: int, height: int, bits: int, colour: int, data: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_by_its_size_before_it_is_unpacked() -> None:
    for width, height in ((65_000, 65_000), (9_000, 9_000), (2**31 - 1, 2**31 - 1)):
        with pytest.raises(Problem):
            media_type_of(png(width, height, 8, 2, b"\0" * 1000))


def test_a_picture_larger_than_any_cameras_is_refused_though_nothing_is_wrong_with_it() -> None:
    side = 8_000  # 64 million pixels of one bit: Pillow's own limit lies higher
    with pytest.raises(Problem):
        media_type_of(png(side, side, 1, 0, bytes((side // 8 + 1) * side)))


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
        media_type_of(content)


async def test_the_original_stays_as_it_came_and_the_copy_is_made_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINGAN_FILES_DIRECTORY", str(tmp_path))
    kept = await photos.stored(telling("JPEG"))
    copy = await photos.shown(kept.blob)
    assert files.path_of(kept.blob).read_bytes() == telling("JPEG")
    assert b"GPSMARK" not in copy.read_bytes()
    monkeypatch.setattr(photos, "without_metadata", None)
    assert await photos.shown(kept.blob) == copy
    with pytest.raises(files.UnknownBlob):
        await photos.shown("0" * 64)
