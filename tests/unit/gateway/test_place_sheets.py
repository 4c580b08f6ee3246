"""What is printed is read back by other programs: the code by a barcode reader, the sheet by a PDF renderer."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from gateway.place_page import card_page
from gateway.place_sheets import SheetFormat, drawn

ADDRESS = "https://pingan.example.cn/v1/public/places/" + "Ab3-_xYz" * 6
NAMES = [
    "青枫中心小学",
    "A",
    "青枫县" * 33,
    "Long English name without any end " * 2,
    "换\n行\t符与 空格",
    "<b>&\"'\u202e𠮷😀",
]


def read_back(picture: Image.Image) -> list[str]:
    return [each.text for each in zxingcpp.read_barcodes(picture)]


def test_the_picture_says_the_address() -> None:
    picture = Image.open(io.BytesIO(drawn(SheetFormat.PNG, ADDRESS, "", "")))
    assert read_back(picture) == [ADDRESS]


def test_the_drawing_is_one_svg_of_the_code() -> None:
    root = ElementTree.fromstring(drawn(SheetFormat.SVG, ADDRESS, "", ""))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root.findall(".//{http://www.w3.org/2000/svg}path")) >= 1
    assert ADDRESS not in ElementTree.tostring(root, encoding="unicode")


@pytest.mark.parametrize("name", NAMES)
def test_the_sheet_is_one_page_of_a4_with_name_category_and_a_code_that_can_be_read(name: str) -> None:
    document = pypdfium2.PdfDocument(drawn(SheetFormat.PDF, ADDRESS, name, "学校"))
    assert len(document) == 1
    page = document[0]
    assert [round(side) for side in page.get_size()] == [595, 842]
    text = "".join(page.get_textpage().get_text_range().split())
    assert "学校" in text
    assert "平安网格" in text
    if name.isalnum():
        assert name in text
    assert read_back(page.render(scale=2).to_pil()) == [ADDRESS]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_on_the_sheet(name: str) -> None:
    page = pypdfium2.PdfDocument(drawn(SheetFormat.PDF, ADDRESS, name, "危险化学品企业"))[0]
    text = page.get_textpage()
    boxes = [text.get_charbox(n) for n in range(text.count_chars())]
    # Marks without a body (breaks, directions) have no box.
    boxes = [box for box in boxes if box[2] > box[0]]
    assert min(box[0] for box in boxes) >= 30
    assert max(box[2] for box in boxes) <= 595 - 30
    code_bottom, code_top = 62 * 72 / 25.4, (62 + 100) * 72 / 25.4
    assert all(box[1] > code_top or box[3] < code_bottom for box in boxes)


def test_a_sheet_is_the_same_each_time() -> None:
    assert drawn(SheetFormat.PDF, ADDRESS, "校", "学校") == drawn(SheetFormat.PDF, ADDRESS, "校", "学校")


def test_the_page_of_a_card_escapes_what_people_wrote() -> None:
    evil = "<script>alert(1)</script>\"'"
    card = {
        "name": evil,
        "category": {"code": "x", "name": evil, "name_en": evil},
        "areas": [{"level": "grid", "name": evil}],
        "duty_phone": "110",
        "risk": {"code": "red", "name": "红", "grade": "重大风险", "meaning": "m", "meaning_en": "m"},
        "last_check": None,
    }
    answer = card_page(card)
    page = bytes(answer.body).decode()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 4
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
