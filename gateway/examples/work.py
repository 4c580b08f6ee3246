"""Examples of cases, patrols and what is told."""

from __future__ import annotations

from typing import Any

from gateway.examples.clocks import CLOCKS
from gateway.examples.ids import AGENCY_ID, CASE_ID, GRID, SHIFT_ID, TOWN, UNIT_ID

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
    "history_digest": "7d2f8c1e4b6a90d3f5e2c7b8a1946d0e3f7c5a2b9d8e1f604c3b7a5d2e9f8061",
    "external_refs": [{"system": "city-12345", "id": "2026013100017"}],
    "photos": [],
    "agencies": [],
    "clocks": CLOCKS,
    "extension_requests": [],
    "files": [],
}
CASE_REPORTED: dict[str, Any] = {**CASE, "follow_code": "7KQ2M9XTR4WJ", "emergency": None}
FILE: dict[str, Any] = {
    "file_id": "0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c99",
    "kind": "photo",
    "media_type": "image/jpeg",
    "size_bytes": 2_481_152,
    "width": 4032,
    "height": 3024,
    "seconds": None,
    "pages": None,
    "expires_at": "2026-02-07T08:00:00Z",
    "exif": {"lon": 120.6966, "lat": 30.7711, "crs": "wgs84", "taken_at": "2026-01-31T07:58:12Z"},
}
MY_REPORT: dict[str, Any] = {
    "case_id": CASE_ID,
    "case_no": "330499-20260131-00017",
    "stage": "handling",
    "stage_since": "2026-01-31T10:12:40.000000Z",
    "holder_agency_id": AGENCY_ID,
    "occurred_at": "2026-01-31T08:00:00.000000Z",
    "reported_at": "2026-01-31T08:00:03.120000Z",
    "closed_at": None,
    "merged": False,
    "rating_asked": False,
    "case": None,
}
FOLLOWED: dict[str, Any] = {
    "stage": {"code": "handling", "name": "办理中", "name_en": "Being handled"},
    "stage_since": "2026-01-31T10:12:40Z",
    "seconds_in_stage": 5_400,
    "holder": "青枫镇综治中心",
    "reported_at": "2026-01-31T08:00:03Z",
    "steps": [
        {"code": "received", "name": "已收到", "name_en": "Received", "at": "2026-01-31T08:00:03Z"},
        {"code": "handling", "name": "办理中", "name_en": "Being handled", "at": "2026-01-31T10:12:40Z"},
    ],
    "rating_asked": False,
    "appeal_until": None,
}
RATED: dict[str, Any] = {"rating": 5, "rated_at": "2026-02-04T09:00:00Z"}
REOPENED: dict[str, Any] = {"reopened_at": "2026-02-04T09:00:00Z"}
PUBLIC_REPORT: dict[str, Any] = {"category": "fire.exit_blocked", "description": "安全出口被货物堵住"}
PUBLIC_REPORTED: dict[str, Any] = {
    "follow_code": "7KQ2M9XTR4WJ",
    "follow": "/v1/public/follow/7KQ2M9XTR4WJ",
    "emergency": None,
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

FACETS = {
    "cases": 12_824,
    "exact": True,
    "as_of": "2026-03-01T08:00:00Z",
    "facets": {
        "state": [{"value": "handling", "cases": 6_310}],
        "category": [{"value": "fire.charging", "cases": 1_204}],
        "source": [{"value": "grid_worker", "cases": 5_911}],
        "grade": [{"value": "general", "cases": 12_671}],
        "agency": [{"value": AGENCY_ID, "cases": 1_893}],
        "supervision": [{"value": "yellow", "cases": 41}],
        "area": [{"value": TOWN, "cases": 1_260}],
        "overdue": [{"value": "yes", "cases": 2_004}],
    },
}
CASES_MOVED = {
    "moved": 1,
    "refused": 1,
    "items": [
        {"case_id": CASE_ID, "outcome": "moved", "version": 3, "state": "registered", "problem": None},
        {
            "case_id": "0195f3a0-4c1e-7b7a-9a51-0d6a2f1b7c02",
            "outcome": "refused",
            "version": None,
            "state": None,
            "problem": {"code": "stale_version", "status": 412, "detail": "The version is not the current one."},
        },
    ],
}
ROUTE = {
    "items": [{"case_id": CASE_ID, "lon": 120.71, "lat": 30.84, "leg_m": 812.4}],
    "length_m": 812.4,
    "unknown": [],
}
SAVED_FILTER = {
    "filter_id": "0195f3a0-4c1e-7b7a-9a51-0d6a2f1b7c0f",
    "name": "超期消防隐患",
    "shared": True,
    "mine": True,
    "sort": "due",
    "filter": {"category": ["fire"], "overdue": True},
    "version": 1,
}
EXPORT = {
    "export_id": "0195f3a0-4c1e-7b7a-9a51-0d6a2f1b7c10",
    "state": "ready",
    "progress": 1.0,
    "format": "xlsx",
    "columns": ["case_no", "category_name", "state", "due_at"],
    "filter": {"category": ["fire"], "overdue": True},
    "sort": "due",
    "rows": 213,
    "truncated": False,
    "size_bytes": 18_112,
    "error": None,
    "asked_at": "2026-03-01T08:00:00Z",
    "finished_at": "2026-03-01T08:00:02Z",
    "expires_at": "2026-03-02T08:00:00Z",
    "version": 4,
}
