"""One picture of a report: judged by its bytes, never by its name, and stored by hash.

The original stays sealed as it came. What readers get is a copy without metadata: a phone writes into its
pictures where and with what they were taken, and whose it is; other agencies are told the case, not that.
"""

from __future__ import annotations

import asyncio
import io
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps

from backbone import files, telemetry
from contracts.hazards.commands import Photo
from gateway.problems import Problem

log = telemetry.logger(__name__)
LARGEST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 60_000_000
# Phones call a JPEG with a second picture behind the first (a depth map, a gain map) MPO: a JPEG to everybody else.
MEDIA_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_FORMATS = ("JPEG", "PNG", "WEBP")
_COPIES = "shown"
# Pillow only warns of a picture that unpacks to gigabytes; here that is an error.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# A picture unpacks to some 180 MB at most: two at a time.
_workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="photos")


async def stored(content: bytes) -> Photo:
    """Check and store a picture. Raises Problem unsupported_photo or body_too_large; the work is off the loop."""
    if len(content) > LARGEST_BYTES:
        raise Problem("body_too_large", field="photo", limit_bytes=LARGEST_BYTES)
    return await asyncio.get_running_loop().run_in_executor(_workers, _stored, content)


async def shown(sha256: str) -> Path:
    """The copy for readers, made when first asked for. Raises files.UnknownBlob; Problem for what is no picture."""
    return await asyncio.get_running_loop().run_in_executor(_workers, files.derived, _COPIES, sha256, _copy_of)


def _stored(content: bytes) -> Photo:
    media_type = media_type_of(content)
    blob = files.put(content)
    return Photo(blob=blob.sha256, media_type=media_type, size_bytes=len(content))


def media_type_of(content: bytes) -> str:
    """The media type that the bytes themselves show, after unpacking all of it. Raises Problem unsupported_photo."""
    with _opened(content) as picture:
        picture.load()  # only now a picture that was cut short says so
        return MEDIA_TYPES[str(picture.format)]


def without_metadata(content: bytes) -> bytes:
    """The first picture in the file, upright, in the same format, and nothing else but its colour profile."""
    with _opened(content) as picture:
        kind, profile = str(picture.format), picture.info.get("icc_profile")
        upright = ImageOps.exif_transpose(picture)
        if kind in ("JPEG", "MPO"):
            upright = upright if upright.mode in ("L", "RGB", "CMYK") else upright.convert("RGB")
        # The writers of some formats repeat what they find here.
        transparency = upright.info.get("transparency")
        upright.info = {} if transparency is None else {"transparency": transparency}
        out = io.BytesIO()
        upright.save(out, "JPEG" if kind == "MPO" else kind, quality=90, icc_profile=profile)
        return out.getvalue()


def _copy_of(original: Path) -> bytes:
    return without_metadata(original.read_bytes())


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """An open picture of a format and size we take; whatever its decoder then stumbles over is unsupported_photo."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Problem("unsupported_photo", field="photo", expected=f"at most {MOST_PIXELS} pixels")
            yield picture
    except Problem:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on broken input
        log.info("no picture", error=repr(error)[:200])
        raise Problem("unsupported_photo", field="photo", expected="a JPEG, PNG or WebP picture") from None
