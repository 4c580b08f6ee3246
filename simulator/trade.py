"""The county's departments and what each answers for: data in the field's own words."""

from __future__ import annotations

# agency kind, Chinese title after the county's name, category prefixes it answers for county-wide.
# The categories themselves are the platform's own first list (services/hazards/domain/categories.py).
DEPARTMENTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("fire_rescue", "消防救援大队", ("fire",)),
    ("traffic_police", "公安局交通警察大队", ("traffic",)),
    ("emergency_management", "应急管理局", ("hazmat", "flood", "drowning")),
    ("housing_construction", "住房和城乡建设局", ("construction", "building", "gas")),
    ("market_supervision", "市场监督管理局", ("food_safety",)),
    ("urban_management", "综合行政执法局", ("manhole", "request.facilities", "request.noise", "request.sanitation")),
    ("education", "教育局", ("school",)),
    ("health", "卫生健康局", ("dispute.medical",)),
    ("ecology_environment", "生态环境局", ("environment",)),
    ("civil_affairs", "民政局", ("request.care",)),
)

# The same of each town's own: agency kind, category prefix.
TOWN_TRADES: tuple[tuple[str, str], ...] = (("police_station", "public_order"), ("judicial_office", "dispute"))
