"""Example bodies of the API's documents: one invented town, the same ids throughout."""

from __future__ import annotations

from typing import Any

TOWN = "330499/330499101/"
GRID = "330499/330499101/330499101201/330499101201003/"
AGENCY_ID = "3f0c1f60-5a0e-5b0f-8f1e-0d2c5a7b9e10"
CASE_ID = "0192f0c2-6d11-7e64-8a2b-9c1f3e5d7b90"
UNIT_ID = "5e2d1c0b-9a8f-5e7d-8c6b-4a3f2e1d0c9b"
SHIFT_ID = "0192f0c4-1a2b-7c3d-8e4f-5a6b7c8d9e0f"

CASE_REPORT: dict[str, Any] = {
    "category": "fire.electrical",
    "source": "grid_worker",
    "description": "楼道内私拉电线为电动车充电",
    "lon": 120.7012,
    "lat": 30.7688,
    "crs": "gcj02",
    "occurred_at": "2026-01-31T08:00:00Z",
    "external_refs": [{"system": "city-12345", "id": "2026013100017"}],
}
CASE: dict[str, Any] = {
    "case_id": CASE_ID,
    "case_no": "330499-20260131-00017",
    "version": 1,
    "kind": "hazard",
    "category": "fire.electrical",
    "source": "grid_worker",
    "state": "reported",
    "grade": "general",
    "sensitivity": 1,
    "description": "楼道内私拉电线为电动车充电",
    "lon": 120.6966,
    "lat": 30.7711,
    "area_path": GRID,
    "boundary_version": 1,
    "unassigned": False,
    "lead_agency_id": None,
    "occurred_at": "2026-01-31T08:00:00.000000Z",
    "reported_at": "2026-01-31T08:00:03.120000Z",
    "original": {"crs": "gcj02", "lon": 120.7012, "lat": 30.7688},
    "external_refs": [{"system": "city-12345", "id": "2026013100017"}],
    "photos": [],
}
HISTORY: dict[str, Any] = {
    "seq": 2,
    "at": "2026-01-31T08:05:11.000000Z",
    "move": "verify",
    "from_state": "reported",
    "to_state": "verified",
    "account_id": "0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c80",
    "agency_id": AGENCY_ID,
    "reason": None,
    "note": "现场核实，情况属实",
}
CATEGORY: dict[str, Any] = {
    "code": "fire.electrical",
    "name": "电气火灾隐患",
    "name_en": "Electrical fire hazard",
    "kind": "hazard",
    "handle_hours": 72,
    "accept_hours": 4,
    "emergency": False,
    "sensitivity": 1,
    "active": True,
    "version": 1,
}
ROUTING_RULE: dict[str, Any] = {
    "rule_id": "7a6b5c4d-3e2f-5a1b-8c9d-0e1f2a3b4c5d",
    "position": 100,
    "category": "fire",
    "area_path": TOWN,
    "agency_id": AGENCY_ID,
    "active": True,
    "version": 1,
}
AREA: dict[str, Any] = {
    "code": "330499101201003",
    "name": "第三网格",
    "level": "grid",
    "kind": "ordinary",
    "parent": "330499101201",
    "path": GRID,
    "areas": [{"code": "330499", "level": "county", "path": "330499/"}],
    "lon": 120.6966,
    "lat": 30.7711,
    "boundary_version": 1,
}
LOCATED: dict[str, Any] = {
    "found": True,
    "unassigned": False,
    "code": "330499101201003",
    "path": GRID,
    "lon": 120.6966,
    "lat": 30.7711,
    "boundary_version": 1,
}
LOCATED_LINE: dict[str, Any] = {"n": 0, "id": "a-17", "found": True, "code": "330499101201003", "path": GRID}
POINTS: dict[str, Any] = {
    "crs": "gcj02",
    "points": [[120.7012, 30.7689], {"id": "a-17", "lon": 120.6966, "lat": 30.7711}],
}
IMPORT: dict[str, Any] = {
    "import_id": "0192f0c5-7b8c-7d9e-8f0a-1b2c3d4e5f60",
    "state": "valid",
    "progress": 1.0,
    "crs": "gcj02",
    "errors": 0,
    "warnings": 2,
    "report": {"counts": {"county": 1, "town": 9, "village": 170, "grid": 1360}, "problems": None, "truncated": False},
    "boundary_version": None,
    "created_at": "2026-01-31T08:00:00Z",
    "version": 3,
}
CHANGE: dict[str, Any] = {
    "crs": "wgs84",
    "operations": [
        {
            "operation": "split",
            "code": "330499101201003",
            "line": [[120.6966, 30.75], [120.6966, 30.79]],
            "into": [{"name": "青枫社区第3网格"}, {"name": "青枫社区第9网格"}],
        }
    ],
}
PLAN: dict[str, Any] = {
    "voided": ["330499101201003"],
    "made": [
        {"code": "330499101201008", "name": "青枫社区第3网格", "geometry": {"type": "Polygon", "coordinates": []}}
    ],
    "became": {"330499101201003": ["330499101201008", "330499101201009"]},
    "paths": {"330499101201003": GRID},
    "posts": [],
    "places": [],
    "devices": [],
}
OVERLAY_BODY: dict[str, Any] = {
    "name": "青枫小学护校区",
    "kind": "school_zone",
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[120.696, 30.77], [120.698, 30.77], [120.698, 30.772], [120.696, 30.772], [120.696, 30.77]]],
    },
    "crs": "wgs84",
}
OVERLAY: dict[str, Any] = {
    "overlay_id": "5a4b3c2d-1e0f-5a9b-8c7d-6e5f4a3b2c1d",
    "name": "青枫小学护校区",
    "kind": "school_zone",
    "area_path": GRID,
    "area_m2": 42437.2,
    "active": True,
    "version": 1,
}
BOUNDARY: dict[str, Any] = {
    "version": 4,
    "county_code": "330499",
    "areas": 2410,
    "import_id": None,
    "restored": 2,
    "valid_from": "2026-01-31T08:00:00.000000Z",
}
RESTORED: dict[str, Any] = {"boundary_version": 5, "restored": 3, "areas": 2411, "posts": 1}
ALIASES: dict[str, Any] = {"aliases": [{"system": "police-community", "alias": "33049910100012"}]}
HISTORY_OF_AREA: dict[str, Any] = {
    "items": [
        {
            "name": "青枫社区第3网格",
            "level": "grid",
            "kind": "ordinary",
            "parent": "330499101201",
            "path": GRID,
            "from_version": 1,
            "until_version": 3,
            "valid_from": "2026-01-05T01:00:00.000000Z",
            "valid_until": "2026-01-31T08:00:00.000000Z",
        }
    ],
    "successors": [
        {
            "boundary_version": 4,
            "code": "330499101201003",
            "path": GRID,
            "into_path": "330499/330499101/330499101201/330499101201008/",
            "share": 1.0,
        }
    ],
}
POST_CHOICES: dict[str, Any] = {"posts": {"7f6e5d4c-3b2a-5c1d-9e0f-1a2b3c4d5e6f": "330499101201009"}}
UNDONE: dict[str, Any] = {
    "import_id": "0192f0c5-7b8c-7d9e-8f0a-1b2c3d4e5f60",
    "boundary_version": 4,
    "restored": 2,
    "areas": 2410,
    "posts": 3,
}
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
UNIT: dict[str, Any] = {
    "unit_id": UNIT_ID,
    "call_sign": "青枫巡逻1组",
    "kind": "foot",
    "agency_id": AGENCY_ID,
    "area_path": TOWN,
    "active": True,
    "version": 1,
}
SHIFT: dict[str, Any] = {
    "shift_id": SHIFT_ID,
    "unit_id": UNIT_ID,
    "call_sign": "青枫巡逻1组",
    "agency_id": AGENCY_ID,
    "duty": "street_patrol",
    "status": "planned",
    "area_path": TOWN,
    "planned_from": "2026-01-31T10:00:00Z",
    "planned_until": "2026-01-31T18:00:00Z",
    "started_at": None,
    "ended_at": None,
    "version": 1,
}
FIXES: dict[str, Any] = {
    "crs": "wgs84",
    "fixes": [
        {"unit_id": UNIT_ID, "device_at": "2026-01-31T10:00:05Z", "lon": 120.6966, "lat": 30.7711, "accuracy_m": 8}
    ],
}
BATCH_ID = "0192f0c6-8c9d-7e0f-8a1b-2c3d4e5f6071"
TAKEN: dict[str, Any] = {
    "batch_id": BATCH_ID,
    "taken": 1,
    "bad": [{"index": 1, "reason": "future", "detail": "device_at is more than 5 minutes ahead"}],
}
LIVE: dict[str, Any] = {
    "unit_id": UNIT_ID,
    "call_sign": "青枫巡逻1组",
    "lon": 120.6966,
    "lat": 30.7711,
    "device_at": "2026-01-31T10:00:05Z",
    "area_path": GRID,
}
SUBSCRIPTION: dict[str, Any] = {
    "subscription_id": "0192f0c7-9dae-7f10-8b2c-3d4e5f607182",
    "agency_id": AGENCY_ID,
    "url": "https://example.com/hooks/pingan",
    "types": ["hazards.case.*"],
    "area_path": TOWN,
    "categories": None,
    "status": "active",
    "created_at": "2026-01-31T08:00:00Z",
    "version": 1,
}
DELIVERY: dict[str, Any] = {
    "event_id": "0192f0c8-aebf-7021-8c3d-4e5f60718293",
    "type": "county.hazards.case.dispatched.v1",
    "state": "delivered",
    "attempts": 1,
    "status": 204,
    "latency_ms": 12,
}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "0192f0c8-aebf-7021-8c3d-4e5f60718293",
    "source": "/pingan/330499/hazards",
    "type": "county.hazards.case.reported.v1",
    "subject": f"case/{CASE_ID}",
    "time": "2026-01-31T08:00:03.120000Z",
    "areapath": GRID,
    "sensitivity": 1,
    "entityversion": 1,
    "data": {"case_id": CASE_ID, "state": "reported", "category": "fire.electrical"},
}
