"""A place's code to print: the bare code as PNG or SVG, or an A4 sheet for the door as PDF.

The sheet's Chinese uses the font STSong-Light, which every PDF reader knows by name: no font file is carried.
"""

from __future__ import annotations

import io
from enum import StrEnum
from typing import Any

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "STSong-Light"
_SIDE = 100 * mm
_TEXT_WIDTH = 170 * mm
_QUIET = 4  # modules of white around a code, as ISO/IEC 18004 wants


class SheetFormat(StrEnum):
    """What a code is printed as."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


MEDIA_TYPES = {
    SheetFormat.PNG: "image/png",
    SheetFormat.SVG: "image/svg+xml",
    SheetFormat.PDF: "application/pdf",
}


def drawn(form: SheetFormat, address: str, name: str, category: str) -> bytes:
    """The file. CPU work of some ten milliseconds: call it in a thread."""
    # Level M: a seventh of the code may be scratched.
    code = segno.make(address, error="m", micro=False)
    if form is SheetFormat.PDF:
        return _sheet(code, name, category)
    out = io.BytesIO()
    if form is SheetFormat.PNG:
        code.save(out, kind="png", scale=10, border=_QUIET)
    else:
        code.save(out, kind="svg", scale=10, border=_QUIET, xmldecl=True, title="平安网格重点场所码", unit="")
    return out.getvalue()


def _sheet(code: segno.QRCode, name: str, category: str) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    width, height = A4
    out = io.BytesIO()
    page = Canvas(out, pagesize=A4, invariant=True)
    page.setTitle("平安网格重点场所码")
    page.setFillGray(0)
    y = height - 45 * mm
    y = _lines(page, "平安网格 · 重点场所", 22, width / 2, y)
    y = _lines(page, " ".join(name.split()), 34, width / 2, y - 10 * mm)
    _lines(page, category, 20, width / 2, y - 4 * mm)
    _modules(page, code, (width - _SIDE) / 2, 62 * mm)
    y = _lines(page, "扫码查看本场所风险等级和最近检查情况", 18, width / 2, 48 * mm)
    _lines(page, "紧急情况请拨打 110 / 119 / 120", 16, width / 2, y - 3 * mm)
    page.showPage()
    page.save()
    return out.getvalue()


def _modules(page: Canvas, code: segno.QRCode, left: float, bottom: float) -> None:
    """The code in a square of `_SIDE`, one rectangle for each run of dark modules."""
    rows = [list(row) for row in code.matrix]
    size = _SIDE / len(rows)
    for n, row in enumerate(rows):
        start = 0
        while start < len(row):
            if not row[start]:
                start += 1
                continue
            end = start
            while end < len(row) and row[end]:
                end += 1
            y = bottom + (len(rows) - 1 - n) * size
            # A hair higher than its row: no white lines between rows where a printer rounds.
            page.rect(left + start * size, y, (end - start) * size, size * 1.01, stroke=0, fill=1)
            start = end


def _lines(page: Canvas, text: str, points: float, middle: float, y: float) -> float:
    """Text centred in as many lines as it needs, in smaller letters where it needs more than two; the next line's y."""
    lines = _broken(text, points)
    while len(lines) > 2 and points > 14:
        points -= 2
        lines = _broken(text, points)
    page.setFont(FONT, points)
    for line in lines:
        page.drawCentredString(middle, y, line)
        y -= points * 1.35
    return y


def _broken(text: str, points: float) -> list[str]:
    lines, line = [], ""
    for character in text:
        if line and _width(line + character, points) > _TEXT_WIDTH:
            lines.append(line)
            line = ""
        line += character
    return [*lines, line]


def _width(text: str, points: float) -> Any:
    return pdfmetrics.stringWidth(text, FONT, points)
