"""One picture of a report: judged by its bytes, never by its name, and stored by hash."""

from __future__ import annotations

import asyncio
import io
import warnings

from PIL import Image, UnidentifiedImageError

from backbone import files
from contracts.hazards.commands import Photo
from gateway.problems import Problem

LARGEST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 60_000_000
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


async def stored(content: bytes) -> Photo:
    """Check and store a picture. Raises Problem unsupported_photo or body_too_large; the work is off the loop."""
    if len(content) > LARGEST_BYTES:
        raise Problem("body_too_large", field="photo", limit_bytes=LARGEST_BYTES)
    return await asyncio.to_thread(_stored, content)


def _stored(content: bytes) -> Photo:
    media_type = media_type_of(content)
    blob = files.put(content)
    return Photo(blob=blob.sha256, media_type=media_type, size_bytes=len(content))


def media_type_of(content: bytes) -> str:
    """The media type that the bytes themselves show. Raises Problem unsupported_photo."""
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture that unpacks to gigabytes; here that is an error.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(MEDIA_TYPES)) as picture:
                kind, (width, height) = str(picture.format), picture.size
                if width * height > MOST_PIXELS:
                    raise Problem("unsupported_photo", field="photo", expected=f"at most {MOST_PIXELS} pixels")
                picture.verify()
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        raise Problem("unsupported_photo", field="photo", expected="a JPEG, PNG or WebP picture") from None
    return MEDIA_TYPES[kind]
