"""Pictures: judged by their bytes, never by their name. The worker makes what readers see; nothing is kept here."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image

from backbone import telemetry
from gateway.attachments.exif import Taken, taken
from gateway.problems import Problem

log = telemetry.logger(__name__)
MOST_PIXELS = 60_000_000
# Phones call a JPEG with a second picture behind the first (a depth map, a gain map) MPO: a JPEG to everybody else.
MEDIA_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_FORMATS = ("JPEG", "PNG", "WEBP")
_ORIENTATION = 0x0112
# Pillow only warns of a picture that unpacks to gigabytes; here that is an error.
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a picture shows of itself: media type, sides in pixels when it stands upright, place and time."""

    media_type: str
    width: int
    height: int
    taken: Taken | None


def seen(content: bytes) -> Seen:
    """A picture, after unpacking all of it. Raises Problem unsupported_photo, too_many_pixels."""
    with _opened(content) as picture:
        exif = picture.getexif()
        width, height = picture.size
        if exif.get(_ORIENTATION) in (5, 6, 7, 8):
            width, height = height, width
        found = taken(exif)
        picture.load()  # only now a picture that was cut short says so
        return Seen(MEDIA_TYPES[str(picture.format)], width, height, found)


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """An open picture of a format and size we take; whatever its decoder then stumbles over is unsupported_photo."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Problem("too_many_pixels", field="photo", expected=f"at most {MOST_PIXELS} pixels")
            yield picture
    except Problem:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on broken input
        log.info("no picture", error=repr(error)[:200])
        raise Problem("unsupported_photo", field="photo", expected="a JPEG, PNG or WebP picture") from None
