"""Examples of what is watched over: listings, visits, checks, similar cases, satisfaction."""

from __future__ import annotations

from typing import Any

from gateway.examples.ids import AGENCY_ID, CASE_ID, GRID
from gateway.examples.work import CASE

RULES_SENT: dict[str, Any] = {"yellow_points": 5, "red_points": 10, "remind_hours": 24}
RULES: dict[str, Any] = RULES_SENT | {"version": 1}
LISTING: dict[str, Any] = {
    "listing_no": "挂牌〔2026〕3号",
    "level": "county",
    "agency_id": AGENCY_ID,
    "public": True,
    "until": "2026-05-01T00:00:00.000000Z",
    "listed_at": "2026-02-02T01:30:00.000000Z",
    "removed_at": None,
    "overdue": False,
    "case_id": CASE_ID,
    "case_no": "330499-20260131-00017",
    "state": "handling",
    "grade": "major",
    "category": "fire.electrical",
    "area_path": GRID,
}
PUBLIC_LISTING: dict[str, Any] = {
    "listing_no": "挂牌〔2026〕3号",
    "level": "county",
    "category": {"code": "fire.electrical", "name": "电气线路隐患", "name_en": "Unsafe electrical wiring"},
    "grade": "major",
    "state": "handling",
    "listed_at": "2026-02-02T01:30:00.000000Z",
    "until": "2026-05-01T00:00:00.000000Z",
    "days_left": 88,
    "overdue": False,
    "issuer": {"agency_id": AGENCY_ID, "name": "青枫县综治中心"},
    "areas": [
        {"code": "330499", "name": "青枫县"},
        {"code": "330499101", "name": "青枫镇"},
        {"code": "330499101201", "name": "东溪村"},
    ],
}
VISIT: dict[str, Any] = {
    "visit_id": "0192f0c5-2b3c-7d4e-8f5a-6b7c8d9e0f1a",
    "planned_on": "2026-02-10",
    "made_on": None,
    "recorded_at": None,
    "agency_id": None,
    "found": None,
    "lon": None,
    "lat": None,
    "accuracy_m": None,
    "distance_m": None,
    "photo": None,
    "files": [],
    "overdue": True,
    "missed_at": "2026-02-10T16:00:00.400000Z",
    "lapsed_at": None,
    "case_id": CASE_ID,
    "case_no": "330499-20260131-00017",
    "state": "handling",
    "category": "fire.electrical",
    "area_path": GRID,
}
CHECK_DUE: dict[str, Any] = CASE | {
    "state": "handled",
    "handled_at": "2026-02-03T08:00:00.000000Z",
    "recheck_overdue": False,
}
SIMILAR_TO: dict[str, Any] = {"category": "fire.electrical", "lon": 120.7012, "lat": 30.7688, "crs": "gcj02"}
SIMILAR: dict[str, Any] = CASE | {"distance_m": 12.4}
SATISFACTION: dict[str, Any] = {
    "from": "2026-01-01T00:00:00Z",
    "to": "2026-02-01T00:00:00Z",
    "cut_off": "2026-02-01T02:00:00Z",
    "all": {"count": 40, "mean": 4.3, "satisfied": {"numerator": 34, "denominator": 40, "share": 0.85}},
    "items": [
        {
            "agency_id": AGENCY_ID,
            "count": 40,
            "mean": 4.3,
            "satisfied": {"numerator": 34, "denominator": 40, "share": 0.85},
        }
    ],
    "next": None,
}
