"""Lists of codes that others map their own to (`/v1/codes`): each with where it comes from, each row with its source.

The platform's own lists are whole. Of the national standards only what a public source states stands here: a row that
nobody can point to would be worse than none. `maps_to` is the platform's own reading, not the standard's.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.grid.domain.hardware import HARDWARE
from services.grid.domain.posts import KINDS
from services.grid.domain.risks import COLOURS
from services.grid.domain.risks import SOURCE as RISKS_SOURCE

OURS = "平安网格"
MODULES_SOURCE = "标准发布报道所列九个方面，http://zz.simpro.cn/news/2910.html"
CLASSES_SOURCE = "运城市城市运行管理平台公开代码库，大类代码表（standard_category）"
COVERS_SOURCE = "北京某区城市部件图层接口公开代码（BJ0101 …），与另一城市公开的部件图层次序一致"


@dataclass(frozen=True, slots=True)
class Row:
    """One code; `maps_to` are codes of ours, each with the list or table it stands in (`category:fire`)."""

    code: str
    name: str
    name_en: str
    source: str = OURS
    parent: str | None = None
    maps_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeList:
    """A list: what it is, where it is from, whether it is all there is."""

    name: str
    title: str
    title_en: str
    source: str
    complete: bool
    rows: tuple[Row, ...]


def _ours(name: str, title: str, title_en: str, *rows: tuple[str, str, str], source: str = OURS) -> CodeList:
    return CodeList(name, title, title_en, source, True, tuple(Row(*row, source) for row in rows))


POST_KINDS = _ours(
    "post-kinds", "岗位类别", "Kinds of posts", *((kind.code, kind.zh, kind.en) for kind in KINDS.values())
)  # fmt: skip

AREA_KINDS = _ours(
    "area-kinds", "区域类别", "Kinds of areas",
    ("ordinary", "普通区域（网格）", "Ordinary area"),
    ("special.school", "专属网格：学校", "Special grid: school"),
    ("special.hospital", "专属网格：医院", "Special grid: hospital"),
    ("special.firm", "专属网格：企业（园区）", "Special grid: firm"),
    ("special.market", "专属网格：市场（商圈）", "Special grid: market"),
    ("special.park", "专属网格：公园（景区）", "Special grid: park"),
)  # fmt: skip

COORDINATE_SYSTEMS = _ours(
    "coordinate-systems", "坐标系", "Coordinate systems",
    ("wgs84", "WGS-84（EPSG:4326），卫星定位", "WGS 84 (EPSG:4326), satellite positions"),
    ("cgcs2000", "2000国家大地坐标系（EPSG:4490）", "CGCS2000 (EPSG:4490)"),
    ("gcj02", "GCJ-02（高德、腾讯地图）", "GCJ-02 (AMap, Tencent maps)"),
    ("bd09", "BD-09（百度地图）", "BD-09 (Baidu maps)"),
)  # fmt: skip

RISK_COLOURS = CodeList(
    "risk-colours", "风险四色", "Risk colours", RISKS_SOURCE, True,
    tuple(Row(c.code, f"{c.name}（{c.grade}）", c.meaning_en, RISKS_SOURCE) for c in COLOURS.values()),
)  # fmt: skip

HARDWARE_KINDS = CodeList(
    "hardware-kinds", "防护与消防设施类别", "Kinds of hardware", OURS, True,
    tuple(Row(code, *names) for code, names in HARDWARE.items()),
)  # fmt: skip

# The standard's own numbers of its modules are in none of the public sources: the codes here are the platform's.
# Its three modules about persons are left out on purpose: the platform keeps no such registers.
GBT_31000 = CodeList(
    "gbt-31000-2015", "GB/T 31000-2015 社会治安综合治理基础数据规范：业务模块（不含人员模块）",
    "GB/T 31000-2015 basic data of public security governance: modules, without those about persons",
    MODULES_SOURCE, False,
    tuple(Row(code, name, name_en, MODULES_SOURCE, None, maps_to) for code, name, name_en, maps_to in (
        ("organisations", "综治组织及综合业务", "Organisations and general work",
         ("entity:agency", "entity:jurisdiction", "entity:post")),
        ("enterprises", "非公有制经济组织和社会组织", "Private firms and social organisations",
         ("place-category:firm",)),
        ("public_order", "社会治安", "Public order", ("category:public_order", "entity:patrol")),
        ("disputes", "矛盾纠纷排查化解", "Finding and settling disputes", ("category:dispute",)),
        ("schools", "校园及周边安全", "Safety of schools and around them",
         ("category:school", "place-category:school", "place-category:kindergarten")),
        ("lines", "护路护线", "Guarding railways and lines", ()),
    )),
)  # fmt: skip

GBT_30428_COMPONENTS = CodeList(
    "gbt-30428-2-components", "GB/T 30428.2 数字化城市管理信息系统 第2部分：管理部件类别",
    "GB/T 30428.2 digital supervision of cities: classes of components", CLASSES_SOURCE, False,
    (
        Row("01", "公用设施", "Public utilities", CLASSES_SOURCE, None, ("category:request.facilities",)),
        Row("02", "道路交通设施", "Road and traffic facilities", CLASSES_SOURCE, None, ("category:traffic.signal",)),
        Row("03", "市容环境设施", "Sanitation facilities", CLASSES_SOURCE, None, ("category:request.sanitation",)),
        Row("04", "园林绿化设施", "Parks and greenery", CLASSES_SOURCE, None, ("category:request.facilities",)),
        Row("05", "其他部件", "Other components", CLASSES_SOURCE),
        *(Row(f"01{n}", name, name_en, COVERS_SOURCE, "01", ("category:manhole",) if "井盖" in name else ())
          for n, name, name_en in (
              ("01", "上水井盖", "Water-main cover"), ("02", "污水井盖", "Sewer cover"),
              ("03", "雨水井盖", "Storm-drain cover"), ("04", "雨水箅子", "Gully grating"),
              ("05", "电力井盖", "Power-cable cover"), ("06", "路灯井盖", "Street-light cover"),
              ("09", "网络井盖", "Network cover"), ("11", "燃气井盖", "Gas cover"),
              ("12", "公安井盖", "Police-cable cover"))),
    ),
)  # fmt: skip

# Class 06 is left out: public sources disagree on its name.
GBT_30428_EVENTS = CodeList(
    "gbt-30428-2-events", "GB/T 30428.2 数字化城市管理信息系统 第2部分：管理事件大类",
    "GB/T 30428.2 digital supervision of cities: classes of events", CLASSES_SOURCE, False,
    (
        Row("01", "市容环境", "Appearance and sanitation", CLASSES_SOURCE, None, ("category:request.sanitation",)),
        Row("02", "宣传广告", "Advertising", CLASSES_SOURCE),
        Row("03", "施工管理", "Construction", CLASSES_SOURCE, None, ("category:construction",)),
        Row("04", "突发事件", "Emergencies", CLASSES_SOURCE),
        Row("05", "街面秩序", "Order in the street", CLASSES_SOURCE),
    ),
)  # fmt: skip

LISTS: dict[str, CodeList] = {
    each.name: each
    for each in (
        AREA_KINDS,
        POST_KINDS,
        RISK_COLOURS,
        COORDINATE_SYSTEMS,
        HARDWARE_KINDS,
        GBT_31000,
        GBT_30428_COMPONENTS,
        GBT_30428_EVENTS,
    )
}
