"""What a reader's copy of a picture does not carry."""

import io

import pytest
from PIL import Image

from services.hazards.jobs.pictures import BrokenPicture, copies
from tests.unit.pictures import SECRETS, telling


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "MPO"])
def test_no_copy_tells_place_device_or_owner(kind: str) -> None:
    original = telling(kind)
    assert b"GPSMARK" in original
    for name, copy in copies(original).items():
        for secret in SECRETS:
            assert secret not in copy, (name, secret)
        with Image.open(io.BytesIO(copy)) as shown:
            own = "JPEG" if kind == "MPO" else kind
            assert shown.format == (own if name == "shown" else "WEBP")
            assert not shown.getexif()
            assert shown.size == (40, 80), "upright though the note of its turn is gone"
            red, green, _ = shown.convert("RGB").getpixel((30, 10))  # type: ignore[misc]
            assert red > 200 > 100 > green


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16", "RGB"])
def test_every_mode_of_a_png_can_be_copied(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (5, 5)).save(out, "PNG")
    with Image.open(io.BytesIO(copies(out.getvalue())["shown"])) as shown:
        assert (shown.format, shown.size) == ("PNG", (5, 5))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_mode_of_a_jpeg_can_be_copied(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (5, 5)).save(out, "JPEG")
    assert set(copies(out.getvalue())) == {"shown", "screen", "thumb"}


def test_what_is_transparent_stays_so_and_smaller_ones_are_no_longer_than_they_may() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (3000, 200), (255, 0, 0, 0)).save(out, "PNG")
    sizes = {}
    for name, copy in copies(out.getvalue()).items():
        with Image.open(io.BytesIO(copy)) as shown:
            sizes[name] = shown.size
            assert shown.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert sizes == {"shown": (3000, 200), "screen": (1600, 107), "thumb": (320, 21)}


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff\xd8\xff\xe0" + b"\0" * 50])
def test_of_what_is_broken_there_is_no_copy(content: bytes) -> None:
    with pytest.raises(BrokenPicture):
        copies(content)
