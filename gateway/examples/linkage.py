"""Examples of a case's agencies and of the file that proves its history."""

from __future__ import annotations

from typing import Any

from gateway.examples.ids import AGENCY_ID, CASE_ID

_ACCOUNT = "0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c80"
STATES: dict[str, Any] = {
    "states": [
        {"state": "dispatched", "title": {"en": "Dispatched", "zh": "已交办"}, "open": True},
        {"state": "registered", "title": {"en": "Registered", "zh": "已立案"}, "open": True},
    ],
    "moves": [
        {
            "move": "return",
            "title": {"en": "Return", "zh": "退回"},
            "from": ["dispatched", "accepted"],
            "to": {"dispatched": "registered", "accepted": "registered"},
            "or_to": [],
            "who": "lead_agency",
            "roles": ["agency_officer", "county_operator", "town_operator"],
            "needs": ["reason"],
            "accepts": ["note", "photo", "files"],
            "when": [
                {
                    "condition": "return_window",
                    "title": {"en": "Within the time for a return (退回)", "zh": "在退回时限内"},
                }
            ],
            "event": "county.hazards.case.returned.v1",
        }
    ],
    "notes": {"hand_down": "From the county only by a county_operator."},
}
AGENCY_RETURNS: dict[str, Any] = {
    "agency_id": AGENCY_ID,
    "asked": 41,
    "returned": 3,
    "refused": 1,
    "unanswered": 2,
    "since": "2026-01-01T00:00:00Z",
    "until": "2026-01-31T00:00:00Z",
}
HISTORY_EXPORT: dict[str, Any] = {
    "format": "pingan.case-history",
    "case_id": CASE_ID,
    "case_no": "330499-20260131-00017",
    "version": 1,
    "state": "reported",
    "head": "7d2f8c1e4b6a90d3f5e2c7b8a1946d0e3f7c5a2b9d8e1f604c3b7a5d2e9f8061",
    "chained_from": 1,
    "exported_at": "2026-01-31T09:00:00.000000Z",
    "erasures": [],
    "rows": [
        {
            "seq": 1,
            "at": "2026-01-31T08:00:03.120000Z",
            "account_id": _ACCOUNT,
            "agency_id": AGENCY_ID,
            "roles": ["grid_worker"],
            "move": "report",
            "from_state": None,
            "to_state": "reported",
            "reason": None,
            "note": None,
            "before": None,
            "after": None,
            "algorithm": 1,
            "previous": "b0d6e5c4f3a29187e6d5c4b3a2918f7e6d5c4b3a29180f7e6d5c4b3a2918f7e6",
            "digest": "7d2f8c1e4b6a90d3f5e2c7b8a1946d0e3f7c5a2b9d8e1f604c3b7a5d2e9f8061",
            "digests": {"move": "5a2b9d8e1f604c3b7a5d2e9f80617d2f8c1e4b6a90d3f5e2c7b8a1946d0e3f7c"},
            "salts": {"move": "0f7e6d5c4b3a2918f7e6d5c4b3a29180"},
        }
    ],
}
