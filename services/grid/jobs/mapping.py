"""Which attribute of a file says what: as the importer said, else guessed from its name, and shown in the report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.areas import Level
from services.grid.domain import codes

PROPERTIES = ("code", "name", "level", "parent", "kind")
# Lower case, without anything but letters and digits. Chinese words, and their pinyin initials as dBase's ten
# characters make people write them.
_NAMES: dict[str, tuple[str, ...]] = {
    "code": ("code", "gridcode", "areacode", "编码", "代码", "网格编码", "网格代码", "区划代码", "行政区划代码",
             "bm", "dm", "wgbm", "wgdm", "qhdm", "xzqdm", "xzqhdm"),
    "name": ("name", "gridname", "areaname", "名称", "网格名称", "区划名称", "行政区名称",
             "mc", "wgmc", "qhmc", "xzqmc"),
    "level": ("level", "arealevel", "层级", "级别", "等级", "cj", "jb"),
    "parent": ("parent", "parentcode", "pcode", "上级编码", "上级代码", "父级编码", "所属编码", "sjbm", "sjdm", "fjbm"),
    "kind": ("kind", "gridkind", "gridtype", "网格类型", "wglx"),
}  # fmt: skip
_LEVEL_WORDS: dict[str, Level] = {
    **dict.fromkeys(("县", "区", "县级", "区县"), Level.COUNTY),
    **dict.fromkeys(("镇", "乡", "街道", "镇街", "乡镇", "乡镇街道", "镇级", "乡级"), Level.TOWN),
    **dict.fromkeys(("村", "社区", "村社", "村社区", "村级"), Level.VILLAGE),
    **dict.fromkeys(("网格", "格", "基础网格", "专属网格"), Level.GRID),
}
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Attributes:
    """property -> the file's attribute; what is not in it the file does not have."""

    names: Mapping[str, str]
    unknown: tuple[str, ...] = field(default=())
    """Attributes that the importer named and the file lacks."""

    def of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row's properties under our names; an absent level or parent is made from the code where no attribute has
        it."""
        found = {name: row.get(attribute) for name, attribute in self.names.items()}
        code = found.get("code")
        if isinstance(found.get("level"), str):
            word = str(found["level"]).strip()
            found["level"] = _LEVEL_WORDS[word].value if word in _LEVEL_WORDS else word
        text = codes.as_text(code)
        if text is not None:
            level = codes.level_of(text)
            if "level" not in self.names and level is not None:
                found["level"] = level.value
            if "parent" not in self.names and level is not None:
                found["parent"] = codes.parent_of(text, level)
        return found

    @property
    def made(self) -> list[str]:
        """Properties that are made from the code, for want of an attribute."""
        return [name for name in ("level", "parent") if name not in self.names and "code" in self.names]


def attributes(fields: Iterable[str], given: Mapping[str, str]) -> Attributes:
    """The importer's own words, completed by guesses: the first attribute whose name is a known one."""
    there = list(dict.fromkeys(fields))
    names = {name: attribute for name, attribute in given.items() if attribute in there}
    plain = {_NOISE.sub("", attribute).lower(): attribute for attribute in reversed(there)}
    for name in PROPERTIES:
        if name not in names:
            guess = next((plain[word] for word in _NAMES[name] if word in plain), None)
            if guess is not None and guess not in names.values():
                names[name] = guess
    return Attributes(names, tuple(sorted(set(given.values()) - set(there))))
