"""How a cell becomes a field: text, codes, days, yes and no. What cannot be one is refused with what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.codes import Code

_CODE = TypeAdapter(Code)
_DAY = re.compile(r"^(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:T00:00:00)?$")
_LOST_DIGITS = re.compile(r"^\d(?:\.\d+)?[eE]\+\d+$")
_YES, _NO = (
    ("是", "true", "1", "yes", "y", "启用", "在用", "正常", "有效"),
    ("否", "false", "0", "no", "n", "停用", "注销", "无效"),
)
WORDS = {
    "missing": "必填项为空",
    "lost_digits": "编码在表格软件中被存成数值，末尾数字已丢失：请将该列设为“文本”后重新导出",
    "not_a_code": "不是可用的代码或名称",
    "not_a_day": "不是日期",
    "not_a_number": "不是数字",
    "not_yes_or_no": "应填“是”或“否”",
    "unknown_area": "现行网格中没有该区域编码",
    "unknown_agency": "没有该编码的单位，请先导入单位",
    "unknown_person": "没有该编码的人员，请先导入人员",
    "unknown_place": "没有该编码的场所，请先导入场所",
    "twice_in_file": "文件中该编码出现多次",
    "circle": "上级单位互为上下级",
    "outside_county": "坐标不在本县区范围内",
    "invalid_request": "取值不符合要求",
    "crs_required": "未说明坐标系",
}
"""What the importer itself refuses; other codes are the platform's."""


class Refused(Exception):
    """A row that cannot be taken: `code` is stable, `field` the field's name here, `expected` what would be right."""

    def __init__(self, code: str, field: str = "", expected: str = "") -> None:
        self.code, self.field, self.expected = code, field, expected
        super().__init__(code)


Reader = Callable[[Any], Any]


def text(value: Any) -> str:
    """As written; a number that a spreadsheet rounded is no text."""
    if isinstance(value, float) and abs(value) >= 1e15:
        raise Refused("lost_digits")
    written = str(value)
    if _LOST_DIGITS.match(written):
        raise Refused("lost_digits")
    return written


def number(value: Any) -> float:
    if isinstance(value, bool):
        raise Refused("not_a_number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Refused("not_a_number") from None


def day(value: Any) -> str:
    """ISO; also 2026/1/31, 2026.1.31, 2026年1月31日, 20260131."""
    found = _DAY.match(str(value).replace(" ", ""))
    if found:
        year, *rest = found.groups()
        month, of_month = rest[:2] if rest[0] else rest[2:]
        try:
            return date(int(year), int(month), int(of_month)).isoformat()
        except ValueError:
            pass
    raise Refused("not_a_day", expected="2026-01-31")


def yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Refused("not_yes_or_no", expected="是 / 否")


def code(names: Mapping[str, str] | None = None) -> Reader:
    """A code as it is, or the name of one of these (Chinese name -> code)."""
    known = dict(names or {})

    def read(value: Any) -> str:
        word = text(value)
        if word in known:
            return known[word]
        try:
            return _CODE.validate_python(word)
        except ValidationError:
            raise Refused("not_a_code", expected="、".join(list(known)[:20]) or "school, police_station …") from None

    return read


def certificates(value: Any) -> list[dict[str, Any]]:
    """`mediation:2028-12-31; first_aid`."""
    found = []
    for part in filter(None, (each.strip() for each in re.split(r"[;；,，、]", text(value)))):
        name, _, until = (each.strip() for each in part.replace("：", ":").partition(":"))
        found.append({"code": code()(name), "valid_until": day(until) if until else None})
    return found
