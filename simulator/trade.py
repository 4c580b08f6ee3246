"""The demo county's departments and categories: data in the field's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# agency kind, Chinese title after the county's name, category prefixes it answers for county-wide
DEPARTMENTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("fire_rescue", "消防救援大队", ("fire",)),
    ("traffic_police", "公安局交通警察大队", ("traffic",)),
    ("emergency_management", "应急管理局", ("production", "chemicals")),
    ("housing_construction", "住房和城乡建设局", ("construction",)),
    ("market_supervision", "市场监督管理局", ("market",)),
    ("urban_management", "综合行政执法局", ("city",)),
    ("education", "教育局", ("school",)),
    ("health", "卫生健康局", ("health",)),
    ("ecology_environment", "生态环境局", ("environment",)),
    ("civil_affairs", "民政局", ("care",)),
)

# code, Chinese, English, kind, hours to handle, hours to accept, emergency
_CATEGORIES: tuple[tuple[str, str, str, str, float, float, bool], ...] = (
    ("fire.passage_blocked", "疏散通道堵塞", "Escape route blocked", "hazard", 72, 8, False),
    ("fire.charging_indoors", "电动车飞线充电", "E-bike charged in a stairwell", "hazard", 48, 8, False),
    ("fire.equipment_faulty", "消防设施损坏", "Fire equipment faulty", "hazard", 72, 8, False),
    ("fire.open_fire", "明火火情", "Open fire", "hazard", 4, 0.25, True),
    ("traffic.road_damage", "道路破损", "Road damaged", "hazard", 120, 24, False),
    ("traffic.sight_blocked", "路口视线遮挡", "Sight blocked at a crossing", "hazard", 120, 24, False),
    ("traffic.accident", "交通事故", "Traffic accident", "hazard", 8, 0.5, True),
    ("production.machine_unsafe", "生产设备防护缺失", "Machine without guard", "hazard", 120, 24, False),
    ("production.confined_space", "有限空间作业隐患", "Unsafe work in a confined space", "hazard", 48, 8, False),
    ("chemicals.storage", "危险化学品违规储存", "Chemicals stored against the rules", "hazard", 48, 4, False),
    ("chemicals.leak", "危险化学品泄漏", "Chemicals leaking", "hazard", 4, 0.25, True),
    ("construction.site_unsafe", "工地安全防护缺失", "Building site unsafe", "hazard", 72, 8, False),
    ("construction.building_cracks", "房屋开裂", "Cracks in a building", "hazard", 168, 24, False),
    ("market.food_safety", "食品安全隐患", "Food unsafe", "hazard", 72, 8, False),
    ("market.lift_faulty", "电梯故障", "Lift faulty", "hazard", 24, 4, False),
    ("city.manhole_missing", "窨井盖缺失", "Manhole cover missing", "hazard", 24, 4, False),
    ("city.street_stalls", "占道经营", "Stalls on the carriageway", "request", 72, 24, False),
    ("school.gate_unsafe", "校门口安全隐患", "School gate unsafe", "hazard", 24, 4, False),
    ("health.illegal_clinic", "无证行医", "Clinic without licence", "hazard", 120, 24, False),
    ("environment.waste", "垃圾倾倒", "Waste dumped", "request", 120, 24, False),
    ("care.home_unsafe", "独居老人居所隐患", "Unsafe home of an old person living alone", "request", 72, 24, False),
    ("security.break_in_risk", "治安防范薄弱点", "Place easy to break into", "hazard", 120, 24, False),
    ("security.fight", "打架斗殴", "Fight", "hazard", 4, 0.25, True),
    ("dispute.neighbour", "邻里纠纷", "Dispute between neighbours", "dispute", 720, 24, False),
    ("dispute.family", "婚姻家庭纠纷", "Family dispute", "dispute", 720, 24, False),
    ("dispute.land", "房屋宅基地纠纷", "Dispute over house or homestead", "dispute", 720, 48, False),
    ("dispute.contract", "合同纠纷", "Contract dispute", "dispute", 720, 48, False),
    ("dispute.labour", "劳动争议", "Labour dispute", "dispute", 720, 24, False),
    ("dispute.property_management", "物业纠纷", "Dispute with the property company", "dispute", 720, 48, False),
    ("other.hazard", "其他隐患", "Other hazard", "hazard", 120, 24, False),
    ("other.request", "其他诉求", "Other request", "request", 168, 48, False),
)


def categories() -> Iterator[tuple[str, dict[str, Any]]]:
    """Code and body of every category, as PUT /v1/categories/{code} takes it."""
    for code, name, name_en, kind, handle, accept, emergency in _CATEGORIES:
        yield (
            code,
            {
                "name": name,
                "name_en": name_en,
                "kind": kind,
                "handle_hours": handle,
                "accept_hours": accept,
                "emergency": emergency,
                "sensitivity": 2 if code == "dispute.family" else 1,
            },
        )
