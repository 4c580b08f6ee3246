"""Examples of agencies, staff, places, devices and codes."""

from __future__ import annotations

from typing import Any

from gateway.examples.ids import AGENCY_ID, GRID, TOWN

AGENCY: dict[str, Any] = {
    "agency_id": AGENCY_ID,
    "code": "police_station.330499101",
    "name": "青枫派出所",
    "kind": "police_station",
    "parent_id": None,
    "area_path": TOWN,
    "duty_phone": "000-12345678",
    "active": True,
    "version": 1,
}
JURISDICTION: dict[str, Any] = {
    "jurisdiction_id": "6b5c4d3e-2f1a-5b0c-8d9e-0f1a2b3c4d5e",
    "agency_id": AGENCY_ID,
    "area_path": TOWN,
    "category": "security",
    "active": True,
    "version": 1,
}
PERSON: dict[str, Any] = {
    "person_id": "4d3e2f1a-0b9c-5d8e-8f7a-6b5c4d3e2f1a",
    "name": "沈一鸣",
    "agency_id": AGENCY_ID,
    "duty_phone": "000-12345678",
    "account_id": None,
    "active": True,
    "certificates": [{"code": "mediation", "valid_until": "2028-12-31"}],
    "version": 1,
}
POST: dict[str, Any] = {
    "post_id": "2f1a0b9c-8d7e-5f6a-8b5c-4d3e2f1a0b9c",
    "person_id": PERSON["person_id"],
    "agency_id": AGENCY_ID,
    "kind": "grid_worker",
    "area_path": GRID,
    "place_id": None,
    "valid_from": "2026-01-01",
    "valid_until": None,
    "version": 1,
}
ON_DUTY: dict[str, Any] = POST | {
    "person_id": "9e8d7c6b-5a4f-5e3d-8c2b-1a0f9e8d7c6b",
    "person_name": "陆小川",
    "duty_phone": "000-87654321",
    "substitute_for": PERSON["person_id"],
    "vacant": False,
}
LEAVE: dict[str, Any] = {
    "leave_id": "8d7c6b5a-4f3e-5d2c-8b1a-0f9e8d7c6b5a",
    "person_id": PERSON["person_id"],
    "valid_from": "2026-05-01",
    "valid_until": "2026-05-05",
    "substitute_id": ON_DUTY["person_id"],
    "substitutes": {},
    "active": True,
    "version": 1,
}
PLACE: dict[str, Any] = {
    "place_id": "1a0b9c8d-7e6f-5a5b-8c4d-3e2f1a0b9c8d",
    "name": "青枫中心小学",
    "category": "school",
    "lon": 120.6966,
    "lat": 30.7711,
    "risk": "blue",
    "area_path": GRID,
    "active": True,
    "version": 1,
}
DEVICE: dict[str, Any] = {
    "device_id": "0b9c8d7e-6f5a-5b4c-8d3e-2f1a0b9c8d7e",
    "kind": "camera",
    "name": "青枫路与学院路口西北",
    "agency_id": AGENCY_ID,
    "lon": 120.6966,
    "lat": 30.7711,
    "spot": "crossing",
    "place_id": None,
    "installed_on": "2026-01-05",
    "filing_due_on": "2026-02-04",
    "filed_on": "2026-01-20",
    "filing_no": "330499-2026-0017",
    "gb_id": "33049900001320000017",
    "bearing_deg": 135.0,
    "angle_deg": 90.0,
    "range_m": 80.0,
    "height_m": 6.0,
    "shared": True,
    "source_address": None,
    "system_type": None,
    "system_address": None,
    "part_type": None,
    "part_address": None,
    "area_path": GRID,
    "active": True,
    "warnings": [],
    "version": 1,
}
DEVICE_READ: dict[str, Any] = DEVICE | {"filing": "filed", "online": None, "last_seen_at": None}
DEVICE_NEAR: dict[str, Any] = DEVICE | {"distance_m": 63.21}
UNCOVERED_VIEW: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "MultiPolygon", "coordinates": []},
    "properties": {
        "code": "330499101201003",
        "boundary_version": 1,
        "area_m2": 182_340.5,
        "uncovered_m2": 150_112.0,
        "uncovered_percent": 82.33,
        "roads": None,
        "cameras_counted": 14,
        "cameras_without_view": ["0b9c8d7e-6f5a-5b4c-8d3e-2f1a0b9c8d7e"],
        "only_cameras_you_may_see": True,
    },
}
PLACE_CONTACTS: dict[str, Any] = {
    "place_id": PLACE["place_id"],
    "contacts": [{"role": "safety", "name": "陆安", "duty_phone": "000-12345678"}],
    "version": 2,
}
PLACE_HARDWARE: dict[str, Any] = {
    "place_id": PLACE["place_id"],
    "hardware": [{"kind": "bollard", "count": 4, "state": "working", "checked_on": "2026-01-31"}],
    "missing": ["one_key_alarm"],
    "version": 3,
}
ALLIANCE: dict[str, Any] = {
    "alliance_id": "0b9c8d7e-6f5a-5b4c-8d3e-2f1a0b9c8d7e",
    "kind": "street",
    "name": "青枫路商圈平安联盟",
    "area_path": TOWN,
    "active": True,
    "version": 1,
    "members": [{name: PLACE[name] for name in ("place_id", "name", "category", "area_path", "active")}],
}
ALLIANCE_PUT: dict[str, Any] = ALLIANCE | {"members": [PLACE["place_id"]]}
PLACE_MORE: dict[str, Any] = {
    "category_name": "学校",
    "contacts": PLACE_CONTACTS["contacts"],
    "hardware": PLACE_HARDWARE["hardware"],
    "missing": PLACE_HARDWARE["missing"],
    "alliances": [{name: ALLIANCE[name] for name in ("alliance_id", "kind", "name")}],
}
PLACE_QR: dict[str, Any] = {"place_id": PLACE["place_id"], "serial": 2, "issued_at": "2026-01-31T08:00:00Z"}
PLACE_CARD: dict[str, Any] = {
    "name": "青枫中心小学",
    "category": {"code": "school", "name": "学校", "name_en": "School"},
    "areas": [{"level": "town", "name": "青枫镇"}, {"level": "grid", "name": "第三网格"}],
    "duty_phone": "000-12345678",
    "risk": {
        "code": "blue",
        "name": "蓝",
        "grade": "低风险",
        "meaning": "低风险，日常管理",
        "meaning_en": "Low risk, everyday care",
    },
    "last_check": None,
}
PLACE_CATEGORY: dict[str, Any] = {
    "code": "school",
    "name": "学校",
    "name_en": "School",
    "parent": None,
    "checklist": [
        {"code": "barriers.vehicle_barrier", "text": "防冲撞设施在位、牢固", "kind": "yes_no", "group": "barriers"}
    ],
    "hardware": ["bollard", "one_key_alarm"],
    "period_days": 30,
    "active": True,
    "version": 1,
}
CODE_LIST: dict[str, Any] = {
    "list": "risk-colours",
    "title": "风险四色",
    "title_en": "Risk colours",
    "source": "安委办〔2016〕11号",
    "complete": True,
}
CODES: dict[str, Any] = CODE_LIST | {
    "items": [
        {
            "code": "blue",
            "name": "蓝（低风险）",
            "name_en": "Low risk, everyday care",
            "parent": None,
            "maps_to": [],
            "source": "安委办〔2016〕11号",
        }
    ]
}
