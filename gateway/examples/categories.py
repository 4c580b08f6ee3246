"""Example bodies of categories and routing rules."""

from __future__ import annotations

from typing import Any

from gateway.examples.ids import AGENCY_ID, CASE_ID, GRID, TOWN

_FLOOR = {"code": "floor", "zh": "楼层", "en": "Floor", "type": "number", "required": False, "values": [], "min": -5,
          "max": 150}  # fmt: skip
_SIGNS = {
    "code": "signs",
    "zh": "现象",
    "en": "Signs",
    "type": "multivaluelist",
    "required": True,
    "values": [
        {"key": "bare", "zh": "线路裸露老化", "en": "Bare or old wires"},
        {"key": "hot", "zh": "发热、焦味、打火", "en": "Heat, smell or sparks"},
    ],
    "min": None,
    "max": None,
}
CATEGORY: dict[str, Any] = {
    "code": "fire.electrical",
    "name": "电气火灾隐患",
    "name_en": "Electrical fire hazard",
    "kind": "hazard",
    "parent": "fire",
    "grade": "general",
    "handle_hours": 72,
    "accept_hours": 4,
    "emergency": False,
    "sensitivity": 1,
    "default_agency_id": None,
    "default_agency_kind": "fire_rescue",
    "duplicate_radius_m": 50,
    "duplicate_hours": 72,
    "check_radius_m": 100,
    "check_photo": True,
    "check_on_site": True,
    "recheck": {"amount": 3, "unit": "working_days"},
    "max_extensions": 2,
    "reopen_days": 30,
    "return_window": {"amount": 1, "unit": "working_days"},
    "gbt_30428": None,
    "public": True,
    "active": True,
    "version": 2,
}
CATEGORY_LISTED: dict[str, Any] = CATEGORY | {"asks": 2}
CATEGORY_WHOLE: dict[str, Any] = CATEGORY | {
    "stages": [
        {"stage": "accept", "amount": 4, "unit": "hours", "warn": [50], "escalate": [], "extensions": 0},
        {
            "stage": "total",
            "amount": 72,
            "unit": "hours",
            "warn": [50, 80],
            "escalate": [{"after": {"amount": 1, "unit": "working_days"}, "to": "town"}],
            "extensions": 1,
        },
    ],
    "questions": [_FLOOR, _SIGNS],
}
CATEGORY_VERSION: dict[str, Any] = {
    "version": 2,
    "at": "2026-01-31T08:00:00.000000Z",
    "account_id": "0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c80",
    "agency_id": AGENCY_ID,
    "body": CATEGORY_WHOLE,
}
CATEGORY_DRY_RUN: dict[str, Any] = {
    "days": 30,
    "cases": 214,
    "complete": True,
    "earlier": 214,
    "later": 0,
    "overdue_before": 9,
    "overdue_after": 31,
    "newly_overdue": 22,
    "no_longer_overdue": 0,
    "answers_invalid": 1,
    "answers_missing": 40,
    "samples": [
        {
            "case_id": CASE_ID,
            "case_no": "330499-20260131-00017",
            "due_at": "2026-02-03T08:00:00Z",
            "would_be_due_at": "2026-02-02T08:00:00Z",
            "overdue": False,
            "would_be_overdue": True,
            "invalid_answers": ["signs"],
        }
    ],
}
RULE_ID = "7a6b5c4d-3e2f-5a1b-8c9d-0e1f2a3b4c5d"
ROUTING_RULE: dict[str, Any] = {
    "rule_id": RULE_ID,
    "name": "夜间消防隐患先派消防救援",
    "position": 100,
    "category": "fire",
    "area_path": TOWN,
    "weekdays": [1, 2, 3, 4, 5],
    "from_time": "22:00",
    "to_time": "06:00",
    "from_date": None,
    "to_date": None,
    "sources": ["grid_worker", "phone"],
    "grades": [],
    "agency_id": AGENCY_ID,
    "assisting_agency_ids": [],
    "active": True,
    "shadowed": False,
    "shadowed_by": None,
    "version": 1,
}
_TERMS = {name: value for name, value in ROUTING_RULE.items() if name not in ("version", "shadowed", "shadowed_by")}
ROUTING_CHANGE: dict[str, Any] = {"days": 30, "put": [_TERMS], "remove": [], "only": False}
_NOW: dict[str, Any] = {"lead_agency_id": None, "assisting_agency_ids": [], "decided_by": "nobody"}
_THEN = {"lead_agency_id": AGENCY_ID, "assisting_agency_ids": [], "decided_by": "rule"}
ROUTING_DRY_RUN: dict[str, Any] = {
    "days": 30,
    "cases": 812,
    "complete": True,
    "changed": 37,
    "unnamed_before": 40,
    "unnamed_after": 3,
    "flows": [{"from": None, "to": AGENCY_ID, "cases": 37}],
    "samples": [
        {
            "case_id": CASE_ID,
            "case_no": "330499-20260131-00017",
            "category": "fire.electrical",
            "area_path": GRID,
            "from": _NOW,
            "to": _THEN,
        }
    ],
    "shadowed": [],
}
ROUTING_RERUN: dict[str, Any] = {"category": "fire", "area_path": TOWN}
ROUTING_RUN: dict[str, Any] = {
    "run_id": "0192f0ca-c0e1-7243-8e5f-708192a3b4c5",
    "state": "done",
    "category": "fire",
    "area_path": TOWN,
    "total": 40,
    "looked": 40,
    "named": 37,
    "changed": 37,
    "version": 2,
}
CASE_ROUTING: dict[str, Any] = {
    "case_id": CASE_ID,
    "waits": True,
    "lead_agency_id": None,
    "assisting_agency_ids": [],
    "decided_by": "nobody",
    "decided_by_id": None,
    "suggested_agency_ids": [],
    "passed_over": [{"rule_id": RULE_ID, "on": ["time"]}],
    "why": {"code": "rules_passed_over", "en": "The rules … fail on time, source or grade.", "zh": "规则因时间不符"},
}
