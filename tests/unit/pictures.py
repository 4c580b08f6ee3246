"""Pictures as phones make them, for tests."""

import io

from PIL import Image

SECRETS = (b"GPSMARK", b"Owner's Phone", b"xmpmeta", b"a comment", b"PXL_2026")


def picture(kind: str, size: tuple[int, int] = (80, 40), mode: str = "RGB") -> Image.Image:
    made = Image.new(mode, size, "white")
    made.paste("red" if mode != "L" else 9, (0, 0, 40, 20))
    return made


def sexagesimal(degrees: float) -> tuple[float, float, float]:
    """As EXIF has it: degrees, minutes, seconds."""
    minutes = degrees % 1 * 60
    return float(int(degrees)), float(int(minutes)), round(minutes % 1 * 60, 4)


def telling(kind: str, at: tuple[float, float] = (120.701111111, 30.768611112)) -> bytes:
    """A picture as a phone makes it: turned on its side, with place, owner, comment and a film behind its end.

    `at`: longitude and latitude, east and north.
    """
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: to be turned a quarter clockwise
    exif[0x0110] = "Owner's Phone"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", sexagesimal(at[1]), "E", sexagesimal(at[0])
    gps[29] = "GPSMARK"
    out = io.BytesIO()
    more = {"comment": b"a comment"} if kind in ("JPEG", "MPO") else {}
    if kind == "MPO":
        more |= {"save_all": True, "append_images": [picture(kind)]}  # type: ignore[dict-item]
    picture(kind).save(out, kind, exif=exif.tobytes(), xmp=b"<x:xmpmeta/>", **more)
    return out.getvalue() + (b"ftypmp42 PXL_2026 GPSMARK" if kind != "WEBP" else b"")
