"""Copies of a picture: the whole, one for a screen, one for a list; upright, and without metadata."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from services.hazards.queries import SCREEN, SHOWN, THUMB

SIDES = {SCREEN: 1600, THUMB: 320}
"""The longer side in pixels; a smaller picture is not made larger."""
_FORMATS = ("JPEG", "PNG", "WEBP")
# Pillow only warns of a picture that unpacks to gigabytes; here that is an error.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class BrokenPicture(ValueError):
    """No picture can be made of these bytes."""


def copies(content: bytes) -> dict[str, bytes]:
    """The copies by their names: `shown` in the picture's own format, the others as WebP. Raises BrokenPicture."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            kind, profile = str(picture.format), picture.info.get("icc_profile")
            upright = _bare(ImageOps.exif_transpose(picture), kind)
            made = {SHOWN: _saved(upright, "JPEG" if kind == "MPO" else kind, 90, profile)}
            smaller = upright if upright.mode in ("RGB", "RGBA") else upright.convert(_plain(upright))
            for name, side in sorted(SIDES.items(), key=lambda each: -each[1]):
                smaller = smaller.copy()
                smaller.thumbnail((side, side))
                made[name] = _saved(smaller, "WEBP", 80, profile if upright.mode in ("RGB", "RGBA") else None)
            return made
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on broken input
        raise BrokenPicture(repr(error)[:200]) from None


def _bare(picture: Image.Image, kind: str) -> Image.Image:
    if kind in ("JPEG", "MPO") and picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("RGB")
    # The writers of some formats repeat what they find here.
    transparency = picture.info.get("transparency")
    picture.info = {} if transparency is None else {"transparency": transparency}
    return picture


def _plain(picture: Image.Image) -> str:
    return "RGBA" if "A" in picture.mode or "transparency" in picture.info else "RGB"


def _saved(picture: Image.Image, kind: str, quality: int, profile: bytes | None) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, quality=quality, icc_profile=profile)
    return out.getvalue()
